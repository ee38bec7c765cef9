"""The graph below an image: all of it, each part once, children first, and no traps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.transfer.images import Tree, describe, every_kind, image, index, layer
from tests.transfer.memory import MemoryStore
from transfer import graph
from transfer.descriptor import MAX_MANIFEST_SIZE, OCI_INDEX
from transfer.digest import Digest
from transfer.errors import DigestMismatch, IntegrityError, NotFound, SizeMismatch, TransferError
from transfer.graph import MAX_DEPTH, MAX_MANIFESTS, successors


@pytest.mark.parametrize("tree", every_kind().values(), ids=every_kind())
def test_children_come_before_parents_and_the_root_last(tree: Tree) -> None:
    source = MemoryStore(tree)
    found = successors(source, tree.root)
    digests = [manifest.descriptor.digest for manifest in found]
    assert sorted(digests) == sorted(tree.manifests)
    assert digests[-1] == tree.root.digest
    for at, manifest in enumerate(found):
        assert {child.digest for child in manifest.manifests} <= set(digests[:at])
    assert source.streams == 0


def test_what_stands_twice_is_read_once() -> None:
    shared = image(layer("a"))
    tree = index(shared, index(shared, shared), image(layer("b")))
    source = MemoryStore(tree)
    assert len(successors(source, tree.root)) == 4
    assert source.count("open") == 4


def nested(depth: int) -> Tree:
    tree = image()
    for _ in range(depth):
        tree = index(tree)
    return tree


def test_indexes_may_nest_but_not_for_ever() -> None:
    deepest = nested(MAX_DEPTH)
    assert len(successors(MemoryStore(deepest), deepest.root)) == MAX_DEPTH + 1
    trap = nested(MAX_DEPTH + 1)
    with pytest.raises(IntegrityError, match="indexes nest more than 8 deep"):
        successors(MemoryStore(trap), trap.root)


def test_an_image_may_not_be_made_of_manifests_without_end() -> None:
    trap = index(*(image(author=str(i)) for i in range(MAX_MANIFESTS)))
    with pytest.raises(IntegrityError, match="an image with more than 1000 manifests"):
        successors(MemoryStore(trap), trap.root)


def test_nor_of_more_bytes_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = index(image(author="a"), image(author="b"))
    total = sum(map(len, tree.manifests.values()))
    monkeypatch.setattr(graph, "MAX_BYTES", total)
    assert len(successors(MemoryStore(tree), tree.root)) == 3
    monkeypatch.setattr(graph, "MAX_BYTES", total - 1)
    with pytest.raises(IntegrityError, match=f"more than {total - 1} bytes of manifests"):
        successors(MemoryStore(tree), tree.root)


@pytest.mark.parametrize("below", [False, True], ids=["root", "child"])
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda raw: raw + b" ", SizeMismatch),
        (lambda raw: raw[:-1], SizeMismatch),
        (lambda raw: raw.replace(b"2", b"3", 1), DigestMismatch),
        (lambda _: None, NotFound),
    ],
    ids=["long", "short", "changed", "missing"],
)
def test_a_manifest_is_proven_before_it_is_believed(
    change: Callable[[bytes], bytes | None], kind: type[TransferError], *, below: bool
) -> None:
    child = image(layer("a"))
    tree = index(child)
    source = MemoryStore(tree, description="bundle b")
    digest = child.root.digest if below else tree.root.digest
    raw = change(source.manifests.pop(digest))
    if raw is not None:
        source.manifests[digest] = raw
    with pytest.raises(kind) as caught:
        successors(source, tree.root)
    assert "bundle b" in str(caught.value)
    assert str(digest) in str(caught.value)
    assert source.streams == 0


def test_what_is_not_a_manifest_is_named() -> None:
    raw = b"no manifest"
    root = describe(OCI_INDEX, raw)
    source = MemoryStore(Tree(root=root, manifests={root.digest: raw}, blobs={}))
    with pytest.raises(IntegrityError, match=f"memory: manifest {root.digest}: not JSON"):
        successors(source, root)


def test_a_manifest_larger_than_any_is_not_even_opened() -> None:
    tree = image()
    source = MemoryStore(tree)
    with pytest.raises(IntegrityError, match="4194305 bytes are more than a manifest may have"):
        successors(source, replace(tree.root, size=MAX_MANIFEST_SIZE + 1))
    assert source.asked == []


def test_the_algorithm_of_a_digest_is_kept() -> None:
    (raw,) = image().manifests.values()
    child = describe(image().root.media_type, raw, "sha512")
    outer = json.dumps({"schemaVersion": 2, "manifests": [child.to_json()]}).encode()
    root = describe(OCI_INDEX, outer)
    source = MemoryStore()
    source.manifests = {child.digest: raw, root.digest: outer}
    found = successors(source, root)
    assert [m.descriptor.digest for m in found] == [child.digest, Digest.of(outer)]
