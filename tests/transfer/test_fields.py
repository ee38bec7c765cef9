"""Strict reading: every fault with its path, all of them at once, and no foreign exception."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest

from tests.transfer.memory import faults_of
from transfer.digest import Digest
from transfer.errors import InvalidInput, UnsupportedVersion
from transfer.fields import (
    API_VERSION,
    MAX_MISTAKES,
    Faults,
    Fields,
    dump_json,
    read_json,
)
from transfer.yamlfile import read_yaml

DIGEST = Digest.of(b"")
NOT_A_DIGEST = "not a SHA-256: '{}'; expected 64 lower-case hexadecimal digits"


def fields(value: object, *allowed: str) -> Fields:
    return Fields(value, "", Faults("spec.yaml"), allowed or ("a", "b"))


def faults(found: Fields) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        found.faults.raise_all()
    return faults_of(caught.value)


def test_all_faults_come_at_once_each_with_its_path() -> None:
    text = """
    name: ""
    applications:
      - slug: harness
        releases:
          - {sha256: abc, size: -1}
      - {slug: 7, relaeses: []}
      - none
    images: [a, 1, ""]
    """
    top = read_yaml(text, "spec.yaml", "name", "version", "applications", "images")
    top.text("name")
    top.text("version")
    for application in top.children("applications", "slug", "releases"):
        application.text("slug")
        for release in application.children("releases", "sha256", "size"):
            release.digest("sha256", bare_sha256=True)
            release.integer("size")
    assert top.texts("images") == ("a",)
    with pytest.raises(InvalidInput) as caught:
        top.faults.raise_all()
    assert caught.value.message == "spec.yaml: 10 mistakes"
    assert sorted(faults_of(caught.value)) == [
        f"applications[0].releases[0].sha256: {NOT_A_DIGEST.format('abc')}",
        "applications[0].releases[0].size: expected a whole number, found -1",
        "applications[1].relaeses: unknown key; known here: slug, releases",
        "applications[1].slug: expected text, found a number; put it in quotes",
        "applications[2].slug: is missing",
        "applications[2]: expected a mapping, found text",
        "images[1]: expected text, found a number; put it in quotes",
        "images[2]: is empty",
        "name: is empty",
        "version: is missing",
    ]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({}, "a: is missing"),
        ({"a": None}, "a: is missing"),
        ({"a": ""}, "a: is empty"),
        ({"a": 1}, "a: expected text, found a number; put it in quotes"),
        ({"a": True}, "a: expected text, found true or false"),
        ({"a": 1.5}, "a: expected text, found a number; put it in quotes"),
        ({"a": date(2026, 11, 1)}, "a: expected text, found date"),
        ({"a": []}, "a: expected text, found a list"),
        ({"a": {}}, "a: expected text, found a mapping"),
    ],
)
def test_text_is_text(value: object, fault: str) -> None:
    found = fields(value)
    assert found.text("a") == ""
    assert faults(found) == [fault]


def test_right_values_are_returned_and_no_fault_is_raised() -> None:
    found = fields(
        {"text": "x", "number": 0, "flag": True, "list": ["x", "y"], "digest": str(DIGEST)},
        *("text", "number", "flag", "list", "digest", "absent"),
    )
    assert found.text("text") == found.optional_text("text") == "x"
    assert found.integer("number") == 0
    assert found.boolean("flag") is True
    assert found.texts("list") == ("x", "y")
    assert found.digest("digest") == DIGEST
    found.faults.raise_all()


def test_what_is_absent_has_its_default() -> None:
    found = fields({"b": None})
    assert (found.text("a", "x"), found.optional_text("a"), found.optional_text("b")) == (
        "x",
        None,
        None,
    )
    assert found.integer("a", 3) == 3
    assert [found.integer("a", None)] == [None]
    assert (found.boolean("a"), found.boolean("a", default=True)) == (False, True)
    assert (found.texts("a"), found.children("a"), list(found.named_children("a"))) == ((), [], [])
    assert found.child("a") is None
    assert "a" not in found
    assert "b" not in found
    found.faults.raise_all()


@pytest.mark.parametrize(
    ("value", "found"),
    [(True, "True"), (False, "False"), (-1, "-1"), ("1", "text"), (1.0, "a number")],
)
def test_a_whole_number_is_one(value: object, found: str) -> None:
    one = fields({"a": value})
    assert one.integer("a") == 0
    assert faults(one) == [f"a: expected a whole number, found {found}"]


@pytest.mark.parametrize("value", [1, 0, "true", []])
def test_true_and_false_are_written_so(value: object) -> None:
    one = fields({"a": value})
    assert one.boolean("a") is False
    assert faults(one)[0].startswith("a: expected true or false, found ")


@pytest.mark.parametrize(
    ("text", "bare", "expected"),
    [
        (str(DIGEST), False, DIGEST),
        (str(DIGEST), True, DIGEST),
        (DIGEST.encoded, True, DIGEST),
        (DIGEST.encoded, False, None),
        (DIGEST.encoded.upper(), True, None),
        ("sha256:", True, None),
    ],
)
def test_a_digest_is_written_with_or_without_its_algorithm(
    text: str, expected: Digest | None, *, bare: bool
) -> None:
    one = fields({"a": text})
    assert one.digest("a", bare_sha256=bare) == expected
    if expected is None:
        assert faults(one) == [f"a: {NOT_A_DIGEST.format(text)}"]
    else:
        one.faults.raise_all()


def test_a_missing_digest_is_one_fault() -> None:
    one = fields({})
    assert one.digest("a") is None
    assert faults(one) == ["a: is missing"]


@pytest.mark.parametrize("value", ["x", {"x": 1}, 1, True])
@pytest.mark.parametrize("read", [Fields.texts, Fields.children])
def test_a_list_is_a_list(read: Callable[[Fields, str], object], value: object) -> None:
    one = fields({"a": value})
    assert not read(one, "a")
    assert faults(one)[0].startswith("a: expected a list, found ")


def test_named_children_are_mappings_in_a_mapping() -> None:
    one = fields({"a": {"x": {"y": 1}, 2: {}, "z": []}})
    found = [(name, below.where) for name, below in one.named_children("a", "y")]
    assert found == [("x", "a.x"), ("2", "a.2"), ("z", "a.z")]
    assert faults(one) == ["a.z: expected a mapping, found a list"]
    other = fields({"a": [1]})
    assert list(other.named_children("a")) == []
    assert faults(other) == ["a: expected a mapping, found a list"]


def test_a_child_is_strict_too() -> None:
    one = fields({"a": {"x": 1, "y": 2}, "b": "x"})
    child = one.child("a", "x")
    assert child is not None
    assert (child.integer("x"), child.at("x"), "x" in child) == (1, "a.x", True)
    child.fault("x", "is odd")
    child.fault("", "is odd too")
    other = one.child("b", "x")
    assert other is not None
    assert other.optional_text("x") is None
    assert faults(one) == [
        "a.y: unknown key; known here: x",
        "a.x: is odd",
        "a: is odd too",
        "b: expected a mapping, found text",
    ]


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_a_file_is_a_mapping(value: object) -> None:
    assert faults(fields(value))[0].startswith("expected a mapping, found ")


def test_one_mistake_is_not_called_mistakes() -> None:
    one = fields({"c": 1})
    with pytest.raises(InvalidInput) as caught:
        one.faults.raise_all()
    assert caught.value.message == "spec.yaml: 1 mistake"


def test_a_file_says_what_it_is() -> None:
    header = ("apiVersion", "kind")
    fields({"apiVersion": API_VERSION, "kind": "Site"}, *header).expect("Site")
    wrong = fields({"apiVersion": "v1", "kind": "Pod"}, *header)
    wrong.expect("Site")
    assert faults(wrong) == [
        "apiVersion: expected 'airgap/v1', found 'v1'",
        "kind: expected 'Site', found 'Pod'",
    ]
    empty = fields({}, *header)
    empty.expect("Site")
    assert faults(empty) == ["apiVersion: is missing", "kind: is missing"]


def test_a_file_of_a_newer_toolkit_is_refused_for_that_alone() -> None:
    newer = fields({"apiVersion": "airgap/v2", "news": 1}, "apiVersion", "kind")
    with pytest.raises(UnsupportedVersion, match="'airgap/v2' is not known here") as caught:
        newer.expect("Site")
    assert "newer" in str(caught.value.hint)


def test_another_file_of_ours_is_refused_for_that_alone() -> None:
    other = fields({"apiVersion": API_VERSION, "kind": "Site", "news": 1}, "apiVersion", "kind")
    with pytest.raises(InvalidInput, match="expected a BundleSpec, found a Site"):
        other.expect("BundleSpec")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [", "expected the node content"),
        ("a: b: c", "mapping values are not allowed here"),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' stands here twice"),
        ("a:\n  - {x: 1, x: 2}", "line 2: the key 'x' stands here twice"),
        ("1: a\n1: b", "line 2: the key '1' stands here twice"),
        ("? [a]\n: b", "found unhashable key"),
        ("? {a: b}\n: c", "found unhashable key"),
        ("a: 2026-13-45", "month must be in 1..12"),
        ("a: " + "9" * 5000, "integer string conversion"),
        ("a: !!int x", "invalid literal for int"),
        ("a: !!timestamp x", "groupdict"),
        ("a: !!bool x", "x"),
        ("a: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("[" * 5000, "recursion"),
        ("a: \0", "special characters are not allowed"),
        ("a: 1\n---\nb: 2", "expected a single document"),
    ],
)
def test_what_is_not_yaml_is_named(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_yaml(text, "spec.yaml", "a", "b")
    assert str(caught.value).startswith("spec.yaml: not valid YAML: ")
    assert "correct that file" in str(caught.value.hint)
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_yaml_is_read_with_anchors_and_merges() -> None:
    text = "a: {x: &x {a: 1}, y: &y {<<: *x, b: 1}}\nb: {<<: *y, a: 2}"
    below = read_yaml(text, "f", "a", "b").child("b", "a", "b")
    assert below is not None
    assert (below.integer("a"), below.integer("b")) == (2, 1)


def test_a_number_and_its_text_are_two_keys() -> None:
    found = read_yaml("1: a\n'1': b", "f", "a")
    assert len(faults(found)) == 2


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "Expecting value"),
        ('{"a": 1} x', "Extra data"),
        ('{"a": 1, "b": 2, "a": 1}', "the key 'a' stands twice in one object"),
        ('{"a": {"x": 1, "x": 1}}', "the key 'x' stands twice in one object"),
        ("[" * 100_000, "recursion"),
        ('{"a": ' + "9" * 5000 + "}", "integer string conversion"),
    ],
)
def test_what_is_not_json_is_named(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_json(text, "x.lock.json", "a", "b")
    assert str(caught.value).startswith("x.lock.json: not valid JSON: ")
    assert fault in str(caught.value)


def test_json_is_read_strictly() -> None:
    found = read_json('{"a": "x", "c": 1}', "f", "a")
    assert found.text("a") == "x"
    assert faults(found) == ["c: unknown key; known here: a"]


def test_json_is_written_in_one_form() -> None:
    text = dump_json({"b": [1, "ü"], "a": {"z": None, "y": True}})
    assert text == (
        '{\n  "a": {\n    "y": true,\n    "z": null\n  },\n  "b": [\n    1,\n    "ü"\n  ]\n}\n'
    )
    assert json.loads(text) == {"a": {"y": True, "z": None}, "b": [1, "ü"]}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("a\nerror: all is well", "a: expected one line, without control characters"),
        ("\x1b[2J", "a: expected one line, without control characters"),
        ("\u202egnp.exe", "a: expected one line, without control characters"),
        ("\ud800", "a: expected one line, without control characters"),
        (["b", "c\r"], "a[1]: expected one line, without control characters"),
    ],
)
def test_a_text_that_would_not_be_shown_as_it_is(value: object, fault: str) -> None:
    found = fields({"a": value})
    if isinstance(value, list):
        assert found.texts("a") == ("b",)
    else:
        found.text("a")
    (message,) = faults(found)
    assert message.startswith(fault)


@pytest.mark.parametrize("number", [1 << 63, 10**5000, -(10**5000)], ids=["64", "+", "-"])
def test_a_number_that_no_size_can_be(number: int) -> None:
    found = fields({"a": number})
    assert found.integer("a") == 0
    (message,) = faults(found)
    assert message == "a: expected a whole number, found one that is too large"


def test_mistakes_without_end_are_not_all_kept() -> None:
    found = fields({f"key\n{i}": 1 for i in range(5000)})
    messages = faults(found)
    assert len(messages) == MAX_MISTAKES
    assert messages[0] == "key\\n0: unknown key; known here: a, b"


def test_a_key_that_stands_twice_is_found_among_many() -> None:
    keys = ", ".join(f'"{i}": 1' for i in range(200_000))
    with pytest.raises(InvalidInput, match="the key '7' stands twice"):
        read_json(f'{{{keys}, "7": 1}}', "lock.json")


@pytest.mark.parametrize(
    "text",
    [
        'a: "\\UFFFFFFFF"',
        "a: " + "[" * 5000,
        "a: &a {b: 1}\nc: {<<: [*a, *a]}",  # twice as much with every line
    ],
)
def test_yaml_that_is_made_to_harm(text: str) -> None:
    with pytest.raises(InvalidInput, match="not valid YAML"):
        read_yaml(text, "spec.yaml", "a", "c")


def test_yaml_may_share_what_is_alike() -> None:
    found = read_yaml("a: &a {x: one}\nb: {<<: *a, y: two}", "spec.yaml", "a", "b")
    below = found.child("b", "x", "y")
    assert below is not None
    assert (below.text("x"), below.text("y")) == ("one", "two")


def test_json_of_ours_holds_no_character_that_is_not_seen() -> None:
    value = {"ä 日本 🚀": "\x1b[31m\x7f\x9b\u202e\u00ad\ud800\U000e0001\n"}
    text = dump_json(value)
    assert text == (
        '{\n  "ä 日本 🚀": "\\u001b[31m\\u007f\\u009b\\u202e\\u00ad\\ud800\\udb40\\udc01\\n"\n}\n'
    )
    assert json.loads(text) == value
