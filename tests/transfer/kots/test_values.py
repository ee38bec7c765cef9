"""Configuration values against what a release asks; no value is ever repeated."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from transfer.errors import InvalidInput
from transfer.kots.config import Config
from transfer.kots.values import ConfigValues, check_values
from transfer.yamlfile import load_texts

SECRET = "s3cret-s3cret"


def config(*items: str, when: str = "") -> Config:
    group = f"{{name: g, {when}items: [{', '.join(items)}]}}"
    return Config.read(load_texts(f"spec: {{groups: [{group}]}}"))


def values(text: str) -> ConfigValues:
    return ConfigValues.parse(f"kind: ConfigValues\nspec: {{values: {text}}}", "values.yaml")


def found(given: str, *asked: Config) -> list[str]:
    releases = [(f"app {number}", one) for number, one in enumerate(asked, start=1)]
    return [str(one) for one in check_values(values(given), releases)]


@pytest.mark.parametrize(
    ("item", "given"),
    [
        ("{name: a}", "{a: {value: x}}"),
        ("{name: a, type: text}", '{a: {value: "1"}}'),
        ("{name: a, type: bool}", '{a: {value: "1"}}'),
        ("{name: a, type: bool}", '{a: {value: "true"}}'),
        ("{name: a, type: bool}", '{a: {value: ""}}'),
        ("{name: a, type: bool}", "{a: {value: }}"),
        ("{name: a, type: bool}", "{a: {value: 'repl{{ ConfigOption \"b\" }}'}}"),
        ("{name: a, type: radio, items: [{name: x}, {name: y}]}", "{a: {value: y}}"),
        ("{name: a, type: dropdown, items: []}", "{a: {value: y}}"),
        ("{name: a, type: select_many, items: [{name: x}]}", '{x: {value: "1"}}'),
        ("{name: a, type: file}", "{a: {value: eA==, filename: x}}"),
        ("{name: a, type: file}", '{a: {data: "eHh4\\neHh4"}}'),
        ("{name: a, type: file}", "{a: {dataPlaintext: no base64!}}"),
        ("{name: a, type: password}", f"{{a: {{valuePlaintext: {SECRET}}}}}"),
        ("{name: a, repeatable: true}", "{a-1: {value: x, repeatableItem: a}}"),
        ("{name: a, required: true}", "{a: {value: x}}"),
        ("{name: a, required: true}", "{a: {valuePlaintext: x}}"),
        ("{name: a, required: true, type: file}", "{a: {data: eA==}}"),
        ("{name: a, required: true, default: x}", "{}"),
        ("{name: a, required: true, value: x}", "{}"),
        ("{name: a, required: true, hidden: true}", "{}"),
        ("{name: a, required: true, when: false}", "{}"),
        ("{name: a, required: true, when: 'repl{{ x }}'}", "{}"),
        ("{name: a, required: true, repeatable: true}", "{}"),
        ("{name: a, required: false}", "{}"),
        ("{name: a}", "{}"),
    ],
)
def test_an_answer_that_may_be_one(item: str, given: str) -> None:
    assert found(given, config(item)) == []


@pytest.mark.parametrize(
    ("item", "given", "message"),
    [
        ("{name: a}", "{b: {value: x}}", "config-unknown: values.yaml: b: app 1 asks for no such"),
        (
            "{name: a}",
            "{b-1: {value: x, repeatableItem: a}}",
            "config-unknown: values.yaml: b-1: app 1 asks for no such",
        ),
        ("{name: a, required: true}", "{}", "config-missing: values.yaml: a: app 1 requires it"),
        (
            "{name: a, required: true, default: ''}",
            "{a: {value: }}",
            "config-missing: values.yaml: a: app 1 requires it",
        ),
        (
            "{name: a, required: true, when: true}",
            "{a: {default: x}}",
            "config-missing: values.yaml: a: app 1 requires it",
        ),
        (
            "{name: a, required: true}",
            "{a: {value: null}}",
            "config-missing: values.yaml: a: app 1 requires it",
        ),
        (
            "{name: a, required: true}",
            "{a: {value: [x]}}",
            "config-type: values.yaml: a (text): expected text, found a list or mapping",
        ),
        ("{name: a}", "{a: {value: 1}}", "config-type: values.yaml: a (text): expected text, foun"),
        ("{name: a}", "{a: {value: 1.5}}", "config-type: values.yaml: a (text): expected text, fo"),
        ("{name: a}", "{a: {value: yes}}", "config-type: values.yaml: a (text): expected text, fo"),
        ("{name: a}", "{a: {value: 2026-01-01}}", "config-type: values.yaml: a (text): expected"),
        ("{name: a}", "{a: {value: [x]}}", "config-type: values.yaml: a (text): expected text, fo"),
        (
            "{name: a, type: bool}",
            f"{{a: {{value: {SECRET}}}}}",
            'config-type: values.yaml: a (bool): expected "0" or "1"',
        ),
        (
            "{name: a, type: radio, items: [{name: x}, {name: y}]}",
            f"{{a: {{value: {SECRET}}}}}",
            "config-type: values.yaml: a (radio): expected one of x, y",
        ),
        (
            "{name: a, type: file}",
            f"{{a: {{value: {SECRET}}}}}",
            "config-type: values.yaml: a (file): expected a file's content in base64",
        ),
        (
            "{name: a, type: label}",
            f"{{a: {{value: {SECRET}}}}}",
            "config-type: values.yaml: a (label): it is a label, which takes no value",
        ),
    ],
)
def test_an_answer_that_is_none(item: str, given: str, message: str) -> None:
    [line] = found(given, config(item))
    assert line.startswith(message)
    assert SECRET not in line


def test_a_group_that_is_not_always_asked_needs_no_answer() -> None:
    assert found("{}", config("{name: a, required: true}", when="when: 'repl{{ x }}', ")) == []
    assert len(found("{}", config("{name: a, required: true}", when="when: true, "))) == 1


def test_an_answer_is_known_if_one_of_the_releases_asks() -> None:
    old, new = config("{name: a}"), config("{name: b}")
    assert found("{a: {value: x}, b: {value: x}}", old, new) == []
    [line] = found("{c: {value: x}}", old, new)
    assert "c: app 1 and app 2 asks for no such item" in line


def test_a_fault_of_several_releases_is_told_once() -> None:
    asked = config("{name: a, required: true}")
    assert len(found("{}", asked, asked)) == 1
    other = config("{name: a, type: bool}")
    assert len(found(f"{{a: {{value: {SECRET}}}}}", other, other)) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kind: [ConfigValues", "not valid YAML"),
        ("kind: Config\nspec: {}\n", "no configuration values"),
        ("- kind: ConfigValues\n", "no configuration values"),
        ("", "no configuration values"),
        ("kind: " + "[" * 5000, "not valid YAML"),
        ("kind: ConfigValues\n---\nkind: ConfigValues\n", "not valid YAML"),
    ],
)
def test_what_is_no_file_of_answers(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput, match=f"values.yaml: {fault}") as caught:
        ConfigValues.parse(f"{text}# {SECRET}", "values.yaml")
    assert SECRET not in str(caught.value)
    assert SECRET not in (caught.value.hint or "")


def test_no_answer_is_shown_by_chance() -> None:
    given = values(f"{{a: {{value: {SECRET}}}}}")
    assert SECRET not in repr(given)


def test_the_questions_are_read_leniently() -> None:
    text = "spec: {groups: [x, {items: y}, {items: [z, {type: text}, {name: [a]}, {name: b}]}]}"
    document: Any = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only
    assert [item.name for item in Config.read(document).items] == ["b"]
    assert Config.read({}).items == ()
