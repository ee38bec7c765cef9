"""The lock: a file to review in a diff, and read back to the very same values."""

from __future__ import annotations

import json

import pytest

from tests.transfer.memory import faults_of
from tests.transfer.test_contents import FULL
from transfer.digest import Digest
from transfer.errors import InvalidInput, UnsupportedVersion
from transfer.lock import BundleLock, LockedSource

SOURCE = LockedSource(
    entry="applications[0].releases[0].archive",
    source="https://downloads.example/harness.airgap",
    size=10,
    digest=Digest.of(b"airgap"),
    evidence="release API",
    notes=("checksum: 12", "of: this"),
)
LOCK = BundleLock(sources=(SOURCE,), contents=FULL, size=1234)


def test_a_lock_is_written_and_read_back() -> None:
    text = LOCK.dump()
    found = BundleLock.parse(text, "harness.lock.json")
    assert found == LOCK
    assert found.dump() == text


def test_a_lock_is_sorted_with_one_fact_a_line() -> None:
    text = LOCK.dump()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert '\n  "apiVersion": "airgap/v1",\n  "archives": [\n' in text
    assert '\n  "kind": "BundleLock",\n' in text
    assert f'\n      "digest": "{SOURCE.digest}",\n      "entry": "{SOURCE.entry}",\n' in text


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"kind": "BundleLock"', '"kind": "Lock"', "kind: expected 'BundleLock', found 'Lock'"),
        ('"apiVersion": "airgap/v1"', '"apiVersion": 1', "apiVersion: expected text, found"),
        (f'"entry": "{SOURCE.entry}"', '"entry": ""', "sources[0].entry: is empty"),
        (f'"source": "{SOURCE.source}"', '"origin": "x"', "sources[0].origin: unknown key"),
        ('"version": "2026.11"', '"version": null', "version: is missing"),
        ('"platform": "linux/amd64"', '"platform": 1', "plugins[0].platform: expected text"),
    ],
)
def test_a_changed_lock_is_refused_with_the_path_to_the_fault(
    old: str, new: str, fault: str
) -> None:
    text = LOCK.dump()
    assert text.count(old) == 1
    with pytest.raises(InvalidInput) as caught:
        BundleLock.parse(text.replace(old, new), "harness.lock.json")
    assert caught.value.message.startswith("harness.lock.json: ")
    assert faults_of(caught.value)[0].startswith(fault)


def test_every_fault_of_a_source_is_named() -> None:
    text = '{"apiVersion": "airgap/v1", "kind": "BundleLock", "name": "a", "sources": [{}]}'
    with pytest.raises(InvalidInput) as caught:
        BundleLock.parse(text, "a.lock.json")
    assert "airgap-bundler lock" in str(caught.value.hint)
    assert faults_of(caught.value) == [
        "sources[0].entry: is missing",
        "sources[0].source: is missing",
        "sources[0].size: is missing",
        "sources[0].digest: is missing",
        "version: is missing",
    ]


def test_a_lock_of_a_newer_toolkit_is_refused_as_such() -> None:
    newer = LOCK.dump().replace("airgap/v1", "airgap/v2")
    with pytest.raises(UnsupportedVersion, match="airgap/v2"):
        BundleLock.parse(newer, "harness.lock.json")


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"harness\.lock\.json: not valid JSON") as caught:
        BundleLock.parse(LOCK.dump()[:-3], "harness.lock.json")
    assert "airgap-bundler lock" in str(caught.value.hint)
