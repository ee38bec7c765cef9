"""Blobs in the order in which they lie, the largest before the others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.transfer.images import from_blobs
from tests.transfer.memory import MemoryStore
from transfer.copy import copy
from transfer.delivery import ImageCopy
from transfer.descriptor import OCI_LAYER_GZIP, Descriptor
from transfer.digest import Digest
from transfer.layout import OciLayout
from transfer.layout.extent import place_on_medium
from transfer.order import in_order
from transfer.store import Source


class Disk(MemoryStore):
    """A store that knows where its blobs lie: by their first byte, none before `0`."""

    def place(self, descriptor: Descriptor) -> int | None:
        return self.blobs[descriptor.digest][0] - ord("0")


@dataclass(frozen=True, slots=True)
class Blob:
    raw: bytes
    sources: Sequence[Source] = field(default_factory=lambda: [MemoryStore()])

    @property
    def descriptor(self) -> Descriptor:
        return Descriptor(media_type=OCI_LAYER_GZIP, digest=Digest.of(self.raw), size=len(self.raw))


def on(source: MemoryStore, *contents: bytes) -> list[Blob]:
    source.blobs.update({Digest.of(raw): raw for raw in contents})
    return [Blob(raw, [source]) for raw in contents]


def test_a_source_is_read_forward_and_one_after_the_other() -> None:
    first, second = on(Disk(), b"3", b"1", b"2"), on(Disk(), b"2b", b"0b")
    mixed = [first[0], second[0], first[1], second[1], first[2]]
    assert [blob.raw for blob in in_order(mixed, 1)] == [b"1", b"2", b"3", b"0b", b"2b"]


def test_without_places_the_order_stays() -> None:
    blobs = on(MemoryStore(), b"3", b"1", b"2")
    assert in_order(blobs, 1) == blobs


@pytest.mark.parametrize(("jobs", "expected"), [(1, "123456"), (4, "461235")])
def test_large_blobs_do_not_wait_behind_small_ones(jobs: int, expected: str) -> None:
    sizes = {"1": 9, "2": 9, "3": 9, "4": 500, "5": 9, "6": 400}
    blobs = on(Disk(), *(name.encode() * size for name, size in sizes.items()))
    assert "".join(blob.raw[:1].decode() for blob in in_order(blobs, jobs)) == expected


def test_a_copy_reads_in_this_order() -> None:
    tree = from_blobs(b"9 config", b"3 layer", b"1 layer", b"2 layer")
    source, target = Disk(tree), MemoryStore()
    copy([ImageCopy(root=tree.root, source=source, target=target, name="1")], jobs=1)
    read = [digest for step, digest in source.asked if step == "open"]
    contents = [source.blobs[Digest.parse(digest)] for digest in read[1:]]  # the manifest first
    assert [raw[:1] for raw in contents] == [b"1", b"2", b"3", b"9"]


def test_a_file_system_tells_or_does_not(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(100_000))
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
    place = place_on_medium(file)
    assert place is None or place > 0
    assert place_on_medium(file) == place
    assert place_on_medium(tmp_path / "absent") is None
    assert place_on_medium(Path("/proc/self/status")) is None


def test_a_layout_knows_what_its_file_system_knows(tmp_path: Path) -> None:
    tree = from_blobs(b"config", b"layer")
    with OciLayout.create(tmp_path / "layout", "layout") as layout:
        image = ImageCopy(root=tree.root, source=MemoryStore(tree), target=layout, name="1")
        copy([image], jobs=1)
    for digest, raw in tree.blobs.items():
        blob = Descriptor(media_type=OCI_LAYER_GZIP, digest=digest, size=len(raw))
        assert layout.place(blob) == place_on_medium(layout.path_of(digest))
