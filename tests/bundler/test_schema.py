"""`airgap-bundler schema`, and the lock of a real build held against it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator as Validator

from bundler.schema import SCHEMAS
from tests.bundler.commands import EVERYTHING, Workplace
from transfer.fields import dump_json
from transfer.schema import key_table


def test_the_lock_of_a_build_is_what_its_schema_says(workplace: Workplace) -> None:
    assert workplace.build(workplace.spec(EVERYTHING)).code == 0
    lock = json.loads(workplace.lock.read_text())
    validator = Validator(SCHEMAS["lock"]())
    assert list(validator.iter_errors(lock)) == []
    lock["archives"][0]["size"] = "large"
    assert not validator.is_valid(lock)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_printed(workplace: Workplace, kind: str) -> None:
    ran = workplace.run("schema", kind)
    assert (ran.code, ran.json()) == (0, SCHEMAS[kind]())
    assert ran.out == dump_json(SCHEMAS[kind]())
    assert workplace.run("schema", kind, "--keys").out == key_table(SCHEMAS[kind]())


def test_a_spec_is_meant_where_nothing_is_said(workplace: Workplace) -> None:
    assert workplace.run("schema").out == workplace.run("schema", "spec").out


def test_a_schema_is_written_beside_a_spec(workplace: Workplace, tmp_path: Path) -> None:
    target = tmp_path / "bundle-spec.schema.json"
    target.write_text("an older one")
    ran = workplace.run("schema", "spec", "-o", target)
    assert (ran.code, ran.out) == (0, "")
    assert json.loads(target.read_text()) == SCHEMAS["spec"]()
    assert workplace.run("schema", "-o", tmp_path / "nowhere" / "schema.json").code == 5


def test_the_table_has_a_line_for_every_key() -> None:
    lines = key_table(SCHEMAS["spec"]()).splitlines()
    assert len(lines) == len(set(lines))
    assert "| `kots.version` | required | The version of KOTS. For example `v1.131.4`. |" in lines
    assert any(line.startswith("| `images[].engine` | |") for line in lines)
    site = key_table(SCHEMAS["site"]()).splitlines()
    assert any(line.startswith("| `applications.NAME.licenseFile` | required |") for line in site)
