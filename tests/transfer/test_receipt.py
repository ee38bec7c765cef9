from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.descriptor import ACCEPTED_TYPES, MAX_SIZE, OCI_INDEX, Descriptor
from transfer.digest import Digest
from transfer.errors import InvalidInput, UnsupportedVersion
from transfer.receipt import AppliedSource, Arrival, HeldBlob, HeldImage, Receipt, SourceKind

A = Digest.of(b"a")
ROOT = Descriptor(
    media_type=OCI_INDEX, digest=A, size=7, annotations={"org.example/not": "carried"}
)
RECEIPT = Receipt(
    target="registry.example:5000/harness",
    time="2026-11-22T17:00:00Z",
    tool="0.1.0",
    sources=(AppliedSource(kind=SourceKind.BUNDLE, name="harness", fingerprint=A),),
    images=(
        HeldImage(
            source="docker.io/a/b:1",
            repository="harness/b",
            tag="1",
            root=ROOT,
            outcome=Arrival.COPIED,
        ),
        HeldImage(source=f"c@{A}", repository="c", tag=None, root=ROOT, outcome=Arrival.PRESENT),
    ),
    blobs=(HeldBlob(digest=A, size=3),),
)

digests = st.binary(max_size=4).map(Digest.of)
words = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
roots = st.builds(
    Descriptor,
    media_type=st.sampled_from(ACCEPTED_TYPES),
    digest=digests,
    size=st.integers(0, MAX_SIZE),
)
receipts = st.builds(
    Receipt,
    target=words,
    time=words,
    tool=words,
    sources=st.lists(
        st.builds(AppliedSource, kind=st.sampled_from(SourceKind), name=words, fingerprint=digests),
        max_size=2,
    ).map(tuple),
    images=st.lists(
        st.builds(
            HeldImage,
            source=words,
            repository=st.lists(words, min_size=1, max_size=3).map("/".join),
            tag=st.none() | words,
            root=roots,
            outcome=st.sampled_from(Arrival),
        ),
        max_size=3,
    ).map(tuple),
    blobs=st.lists(
        st.builds(HeldBlob, digest=digests, size=st.integers(0, MAX_SIZE)), max_size=3
    ).map(tuple),
)


@given(receipts)
def test_a_receipt_reads_as_it_was_written(receipt: Receipt) -> None:
    text = receipt.dump()
    assert Receipt.parse(text, "r.json") == receipt
    assert Receipt.parse(text, "r.json").dump() == text


def test_the_text_is_the_documented_form() -> None:
    value = json.loads(RECEIPT.dump())
    assert value["apiVersion"] == "airgap/v1"
    assert value["kind"] == "Receipt"
    assert value["images"][0] == {
        "source": "docker.io/a/b:1",
        "repository": "harness/b",
        "tag": "1",
        "mediaType": OCI_INDEX,
        "digest": str(A),
        "size": 7,
        "outcome": "copied",
    }
    assert "tag" not in value["images"][1]
    assert value["blobs"] == [{"digest": str(A), "size": 3}]
    assert [image.name for image in RECEIPT.images] == ["1", str(A)]


def spoiled(**changes: object) -> str:
    value = json.loads(RECEIPT.dump())
    value["images"][0].update(changes)
    return json.dumps(value)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"outcome": "failed"}, "images[0].outcome: expected one of copied, present"),
        ({"repository": "../../etc"}, "images[0]: not a repository and a tag: '../../etc'"),
        ({"tag": "a b"}, "images[0]: not a repository and a tag: 'harness/b', 'a b'"),
        ({"digest": "sha256:1"}, "images[0].digest: not a SHA-256"),
        ({"mediaType": "text/plain"}, "images[0].mediaType: not the type of a manifest"),
        ({"password": "x"}, "images[0].password: unknown key"),
    ],
)
def test_a_fault_has_its_path(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Receipt.parse(spoiled(**changes), "r.json")
    assert any(str(found).startswith(fault) for found in caught.value.faults)


def test_every_fault_is_told() -> None:
    with pytest.raises(InvalidInput, match=r"r\.json: 2 mistakes"):
        Receipt.parse(spoiled(outcome="x", size=-1), "r.json")


def test_a_newer_receipt_is_told_apart() -> None:
    text = RECEIPT.dump().replace("airgap/v1", "airgap/v2")
    with pytest.raises(UnsupportedVersion):
        Receipt.parse(text, "r.json")
