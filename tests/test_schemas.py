"""The schemas and the parsers agree on every key, and on what may be there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import jsonschema
import pytest
import yaml

from tests.bundler.commands import EVERYTHING, HEAD, ONE_APPLICATION
from tests.mirror.kots_world import SITE
from tests.schemas import KINDS, OTHERS, Kind, Path, at, places, replaced, without

PROJECT = FilePath(__file__).parents[1]

_YAML = re.compile(r"^```yaml\n(apiVersion: airgap/v1\n.*?)^```$", re.MULTILINE | re.DOTALL)
_KIND_OF = {"BundleSpec": KINDS["spec"], "Site": KINDS["site"]}

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=[*KINDS])


def assert_agreed(kind: Kind, value: object) -> None:
    parser = kind.by_parser(value)
    assert kind.validator.is_valid(value) == (not parser), (kind.by_schema(value), parser, value)


def shown() -> Iterator[tuple[str, str]]:
    """Every spec and site file of the project, and where it is."""
    for path in sorted((PROJECT / "manifests").glob("*.yaml")):
        yield path.name, path.read_text()
    for path in sorted((PROJECT / "docs").rglob("*.md")):
        for i, text in enumerate(_YAML.findall(path.read_text())):
            yield f"{path.name}, {i}", text
    yield "everything", HEAD + EVERYTHING
    yield "one application", HEAD + ONE_APPLICATION
    yield "site of the tests", SITE


@every_kind
def test_a_schema_is_one(kind: Kind) -> None:
    jsonschema.Draft202012Validator.check_schema(kind.schema)


@every_kind
def test_a_file_with_every_key_is_taken(kind: Kind) -> None:
    assert kind.by_schema(kind.full) == []
    assert kind.by_parser(kind.full) == []


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in shown()])
def test_what_the_project_shows_is_taken(text: str) -> None:
    value = yaml.safe_load(text)
    kind = _KIND_OF[value["kind"]]
    assert kind.by_schema(value) == []
    assert kind.by_parser(value) == []


@every_kind
def test_both_know_the_same_keys(kind: Kind) -> None:
    mappings = [path for path in places(kind.full) if isinstance(at(kind.full, path), dict)]
    for path in mappings:
        schema = schema_at(kind.schema, path)
        if schema["additionalProperties"] is False:
            (fault,) = kind.by_parser(replaced(kind.full, (*path, "unheard-of"), 1))
            known = fault.partition("unheard-of: unknown key; known here: ")[2]
            assert set(known.split(", ")) == set(schema["properties"])


@every_kind
def test_both_miss_the_same_keys(kind: Kind) -> None:
    for path in places(kind.full):
        if path:
            assert_agreed(kind, without(kind.full, path))


@every_kind
def test_both_want_the_same_kinds_of_values(kind: Kind) -> None:
    for path in places(kind.full):
        for other in OTHERS:
            assert_agreed(kind, replaced(kind.full, path, other))


@every_kind
def test_examples_and_defaults_are_right(kind: Kind) -> None:
    for path in places(kind.full):
        schema = schema_at(kind.schema, path)
        defaults = [schema["default"]] if "default" in schema else []
        for example in [*schema.get("examples", ()), *defaults]:
            jsonschema.validate(example, schema)
            assert kind.by_parser(replaced(kind.full, path, example)) == []


def schema_at(schema: dict[str, Any], path: Path) -> dict[str, Any]:
    """What a schema says of a place; of an image, what it says of the longer form."""
    for step in path:
        if isinstance(step, int):
            below = schema["items"]
        else:
            below = schema.get("properties", {}).get(step) or schema["additionalProperties"]
        schema = below["anyOf"][-1] if "anyOf" in below else below
    return schema


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("spec", ("apiVersion",), "airgap/v2"),
        ("spec", ("kind",), "Site"),
        ("spec", ("version",), 2026.11),
        ("spec", ("kots",), {"version": "latest"}),
        ("spec", ("kots", "platforms"), ["windows/amd64"]),
        ("spec", ("kots", "platforms"), ["linux/amd64", "linux/amd64"]),
        ("spec", ("kots", "archive", "url"), "ftp://x.example/kotsadm.tar.gz"),
        ("spec", ("kots", "archive", "url"), "https://me:secret@x.example/kotsadm.tar.gz"),
        ("spec", ("kots", "archive", "path"), "kotsadm.tar.gz"),
        ("spec", ("kots", "archive", "sha256"), "12ab"),
        ("spec", ("kots", "plugins", 0, "platform"), "linux"),
        ("spec", ("kots", "plugins", 0, "portal"), {"sequence": 412}),
        ("spec", ("portal", "licenseIdFile"), "id"),
        ("spec", ("applications", 0, "slug"), "Harness"),
        ("spec", ("applications", 0, "releases"), []),
        ("spec", ("applications", 0, "majorReleases"), ["79000", "79000"]),
        ("spec", ("applications", 0, "releases", 0, "archive", "portal"), {"label": "0.1"}),
        ("spec", ("applications", 0, "releases", 2, "archive", "portal", "label"), "0.1"),
        ("spec", ("imageArchives", 0, "modules"), ["platform"]),
        ("spec", ("imageArchives", 2, "path"), "platform_images.tgz"),
        ("spec", ("imageArchives", 2, "modules"), ["platform", "platform"]),
        ("spec", ("imageArchives", 2, "modules"), ["../platform"]),
        ("spec", ("images", 0), "harness/delegate: latest"),
        ("spec", ("images", 1, "engine"), "default"),
        ("spec", ("images", 2, "engine"), "tcp://127.0.0.1:2375"),
        ("spec", ("files", 0, "name"), "/etc/passwd"),
        ("spec", ("files", 0, "name"), "values/../../x"),
        ("spec", ("files", 0, "name"), r"values\x"),
        ("spec", ("toolkit", "python"), []),
        ("lock", ("sources", 0, "size"), -1),
        ("lock", ("sources", 0, "digest"), "sha256:12ab"),
        ("lock", ("archives", 0, "kind"), "application bundle"),
        ("lock", ("archives", 0, "slim"), "../x"),
        ("lock", ("plugins", 0, "path"), "/x"),
        ("site", ("registry", "endpoint"), "https://registry.example/harness"),
        ("site", ("registry", "endpoint"), "http-registry.example/harness"),
        ("site", ("registry", "endpoint"), "registry.example/harness/"),
        ("site", ("registry", "plainHttp"), True),
        ("site", ("registry", "clientCertFile"), None),
        ("site", ("registry", "habits", "mount"), "sometimes"),
        ("site", ("registry", "habits", "bodyLimit"), 0),
        ("site", ("registry", "habits", "probed"), "yesterday"),
        ("site", ("registry", "credentials"), {"usernameEnv": "USER"}),
        ("site", ("registry", "credentials"), {"dockerConfig": False}),
        ("site", ("registry", "credentials", "username"), "harness"),
        ("site", ("registry", "credentials", "passwordEnv"), "pa$$w0rd"),
        ("site", ("registry", "credentials", "passwordFile"), "password"),
        ("site", ("registry", "credentials", "dockerConfig"), True),
        ("site", ("namespace",), "har_ness"),
        ("site", ("applications",), {}),
        ("site", ("applications", "Harness"), {"licenseFile": "license.yaml"}),
        ("site", ("applications", "harness", "sharedPasswordFile"), "password"),
        ("site", ("applications", "harness", "requirements"), {}),
        ("site", ("applications", "harness", "requirements"), {"mode": "test"}),
        ("site", ("applications", "harness", "requirements", "mode"), "production"),
        ("site", ("applications", "harness", "requirements", "cpu"), 19.5),
        ("site", ("applications", "harness", "downtime", "stop"), ["harness-manager"]),
        ("site", ("applications", "harness", "downtime", "stop"), ["daemonset/harness-manager"]),
        ("site", ("applications", "harness", "downtime", "first"), ["statefulset/mongodb=0"]),
        ("site", ("applications", "harness", "downtime", "last"), []),
        ("site", ("waits", "waitDuration"), "30 minutes"),
    ],
)
def test_what_is_wrong_both_refuse(name: str, path: Path, value: object) -> None:
    kind = KINDS[name]
    changed = replaced(kind.full, path, value)
    assert kind.by_schema(changed)
    assert kind.by_parser(changed)
