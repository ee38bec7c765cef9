"""docs/specs.md: its tables are those of the schemas, and its mistakes are told as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bundler.schema import SCHEMAS
from bundler.spec import parse_spec
from transfer.console import describe
from transfer.errors import InvalidInput
from transfer.schema import key_table

PROJECT = Path(__file__).parents[1]
PAGE = (PROJECT / "docs" / "specs.md").read_text()


@pytest.mark.parametrize("kind", ["spec", "site"])
def test_every_key_is_explained(kind: str) -> None:
    heading = f"## Every key of a {kind}"
    _, found, rest = PAGE.partition(f"{heading}\n")
    assert found
    table = rest[rest.index("|") :].partition("\n\n")[0].rstrip("\n") + "\n"
    assert table == key_table(SCHEMAS[kind]()), f"airgap-bundler schema {kind} --keys prints it"


def test_every_ready_file_is_named() -> None:
    for path in (PROJECT / "manifests").iterdir():
        assert f"| `{path.name}` | " in PAGE


def test_a_mistake_is_told_like_this() -> None:
    head = "apiVersion: airgap/v1\nkind: BundleSpec\nname: harness\nversion: '2026.11'\n"
    body = "kots: {version: v1.131.4, platform: linux/amd64}\n"
    body += "applications: [{slug: harness, releases: [{archive: {}}]}]\n"
    with pytest.raises(InvalidInput) as caught:
        parse_spec(head + body, "harness.yaml")
    assert f"```text\n{describe(caught.value)}\n```\n" in PAGE


def test_the_settings_name_the_schemas_that_the_page_writes() -> None:
    (settings,) = map(
        json.loads, re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    )
    named = {
        *settings["yaml.schemas"],
        *(Path(one["url"]).name for one in settings["json.schemas"]),
    }
    written = re.findall(r"^airgap-bundler schema \w+ -o (\S+)$", PAGE, re.MULTILINE)
    assert named == {*written}
    assert len(named) == len(SCHEMAS)
