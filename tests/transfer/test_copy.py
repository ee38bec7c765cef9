"""`copy` when nothing goes wrong: what is moved, how often, in which order, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.transfer.images import (
    Layer,
    Tree,
    describe,
    every_kind,
    from_blobs,
    image,
    index,
    layer,
)
from tests.transfer.memory import MemoryStore, Watch, faults_of
from transfer.copy import copy
from transfer.delivery import Copied, ImageCopy, Outcome
from transfer.descriptor import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from transfer.digest import Digest
from transfer.errors import Conflict

BASE, EXTRA = layer("base", size=500), layer("extra", size=300)


def want(tree: Tree, source: MemoryStore, target: MemoryStore, name: str = "1") -> ImageCopy:
    return ImageCopy(root=tree.root, source=source, target=target, name=name)


def outcomes(copied: Copied) -> list[Outcome]:
    return [delivery.outcome for delivery in copied.deliveries]


def check_holds(target: MemoryStore, tree: Tree, name: str = "1") -> None:
    """The whole image is there under its name, its bytes as they were."""
    assert target.tags[name] == tree.root.digest
    assert {digest: target.manifests[digest] for digest in tree.manifests} == tree.manifests
    assert {digest: target.blobs[digest] for digest in tree.blobs} == tree.blobs
    assert target.wrongs == []


def bytes_of(*trees: Tree) -> int:
    return sum(map(len, {digest: b for tree in trees for digest, b in tree.blobs.items()}.values()))


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("tree", every_kind().values(), ids=every_kind())
def test_every_kind_of_image_arrives_as_it_was(tree: Tree, jobs: int) -> None:
    source, target, watch = MemoryStore(tree), MemoryStore(), Watch()
    copied = copy([want(tree, source, target)], jobs=jobs, progress=watch)
    assert outcomes(copied) == [Outcome.COPIED]
    check_holds(target, tree)
    assert source.streams == 0
    assert (copied.blobs_sent, copied.bytes_sent) == (len(tree.blobs), bytes_of(tree))
    assert (copied.blobs_present, copied.blobs_mounted) == (0, 0)
    assert (watch.total, watch.done, watch.ended) == (bytes_of(tree), bytes_of(tree), True)
    copied.raise_for_failures()


def test_children_go_before_parents_and_the_name_comes_last() -> None:
    inner = index(image(BASE), image(EXTRA))
    outer = index(inner, image(BASE, EXTRA))
    target = MemoryStore()
    copy([want(outer, MemoryStore(outer), target, "v1")], jobs=2)
    pushed = [name for step, name in target.asked if step == "push_manifest"]
    assert pushed[-1] == "v1"
    assert pushed.index(str(inner.root.digest)) == 2
    assert len(pushed) == len(outer.manifests) == 5
    assert target.asked[-1] == ("resolve", "v1"), "the name is read back"


def test_a_second_copy_asks_for_the_names_and_nothing_else() -> None:
    trees = list(every_kind().values())
    source, target = MemoryStore(*trees), MemoryStore()
    images = [want(tree, source, target, str(i)) for i, tree in enumerate(trees)]
    copy(images, jobs=2)
    target.asked.clear()
    source.asked.clear()
    copied = copy(images, jobs=2)
    assert outcomes(copied) == [Outcome.PRESENT] * len(trees)
    assert sorted(target.asked) == [("resolve", str(i)) for i in range(len(trees))]
    assert source.asked == []
    assert (copied.blobs_sent, copied.bytes_sent, copied.blobs_present) == (0, 0, 0)


def test_only_what_is_missing_is_sent() -> None:
    tree, watch = image(BASE, EXTRA), Watch()
    target = MemoryStore()
    target.blobs[Digest.of(BASE.raw)] = BASE.raw
    copied = copy([want(tree, MemoryStore(tree), target)], jobs=1, progress=watch)
    check_holds(target, tree)
    assert (copied.blobs_sent, copied.blobs_present) == (2, 1)
    assert copied.bytes_sent == bytes_of(tree) - len(BASE.raw)
    assert watch.done == watch.total == bytes_of(tree), "what is there counts as done"


def test_a_blob_is_sent_once_and_mounted_wherever_else_it_is_wanted() -> None:
    first, second, third = image(BASE), image(BASE, author="b"), image(BASE, author="c")
    source, watch = MemoryStore(first, second, third), Watch()
    one, two = MemoryStore(description="one"), MemoryStore(description="two")
    images = [want(first, source, one), want(second, source, two), want(third, source, one, "3")]
    copied = copy(images, jobs=3, progress=watch)
    for tree, target, name in ((first, one, "1"), (second, two, "1"), (third, one, "3")):
        check_holds(target, tree, name)
    assert source.asked.count(("open", str(Digest.of(BASE.raw)))) == 1
    assert (copied.blobs_sent, copied.blobs_mounted, copied.blobs_present) == (4, 1, 0)
    assert watch.done == watch.total == bytes_of(first, second, third)


def test_what_cannot_be_mounted_is_sent_again_and_counts_as_progress_once() -> None:
    trees = [image(BASE, author=str(i)) for i in range(3)]
    source, watch = MemoryStore(*trees), Watch()
    targets = [MemoryStore(mounts=False) for _ in trees]
    images = [want(tree, source, target) for tree, target in zip(trees, targets, strict=True)]
    copied = copy(images, jobs=2, progress=watch)
    assert outcomes(copied) == [Outcome.COPIED] * 3
    assert (copied.blobs_sent, copied.blobs_mounted) == (6, 0)
    assert copied.bytes_sent == bytes_of(*trees) + 2 * len(BASE.raw), "what really went over"
    assert watch.done == watch.total == watch.most == bytes_of(*trees)


def test_a_blob_that_only_the_second_target_has_counts_as_progress_once() -> None:
    first, second = image(BASE), image(BASE, author="b")
    source, watch = MemoryStore(first, second), Watch()
    one, two = MemoryStore(), MemoryStore()
    two.blobs[Digest.of(BASE.raw)] = BASE.raw
    copied = copy([want(first, source, one), want(second, source, two)], jobs=1, progress=watch)
    assert (copied.blobs_sent, copied.blobs_present, copied.blobs_mounted) == (3, 1, 0)
    assert watch.done == watch.total == bytes_of(first, second)


@pytest.mark.parametrize(
    ("config", "layers"),
    [
        (b"config", [b"layer", b"layer"]),
        (b"the same", [b"the same"]),
        (b"the same", [b"layer", b"the same", b"layer"]),
        (b"config", [b"", b""]),
    ],
    ids=["layer twice", "config is a layer", "both", "empty"],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_digest_that_stands_twice_is_moved_once(
    config: bytes, layers: Sequence[bytes], *, wrapped: bool
) -> None:
    tree = from_blobs(config, *layers)
    tree = index(tree, from_blobs(b"another", *layers)) if wrapped else tree
    target = MemoryStore()
    copied = copy([want(tree, MemoryStore(tree), target)], jobs=3)
    assert outcomes(copied) == [Outcome.COPIED]
    check_holds(target, tree)
    assert copied.blobs_sent == len(tree.blobs) == target.count("push_blob")
    assert target.count("push_manifest") == len(tree.manifests)


def test_two_indexes_may_share_an_image() -> None:
    shared = image(BASE)
    one, two = index(shared, image(EXTRA)), index(shared, image(BASE, EXTRA))
    source, target = MemoryStore(one, two), MemoryStore()
    images = [want(one, source, target, "1"), want(two, source, target, "2")]
    copied = copy(images, jobs=4)
    assert outcomes(copied) == [Outcome.COPIED, Outcome.COPIED]
    check_holds(target, one, "1")
    check_holds(target, two, "2")


@pytest.mark.parametrize("jobs", [1, 4])
def test_the_same_image_may_be_wanted_twice_under_one_name(jobs: int) -> None:
    tree = index(image(BASE), image(EXTRA))
    source, target = MemoryStore(tree), MemoryStore()
    one = want(tree, source, target)
    copied = copy([one, one, want(tree, source, target)], jobs=jobs)
    assert outcomes(copied) == [Outcome.COPIED] * 3
    check_holds(target, tree)
    assert copied.blobs_sent == len(tree.blobs)


@pytest.mark.parametrize("overwrite", [False, True])
def test_two_images_under_one_name_are_refused_before_anything_is_asked(*, overwrite: bool) -> None:
    first, second, third = image(BASE), image(EXTRA), image(BASE, EXTRA)
    source, target = MemoryStore(first, second, third), MemoryStore(description="site/redis")
    elsewhere = MemoryStore()
    images = [
        want(first, source, target),
        want(second, source, target),
        want(third, source, target),
        want(second, source, elsewhere),
        want(second, source, target, "2"),
    ]
    with pytest.raises(Conflict) as caught:
        copy(images, jobs=1, overwrite=overwrite)
    kept = first.root.digest
    assert faults_of(caught.value) == [
        f"site/redis:1: wanted for {kept} and for {second.root.digest}",
        f"site/redis:1: wanted for {kept} and for {third.root.digest}",
    ]
    assert target.asked == elsewhere.asked == []


def test_names_with_other_content_are_refused_all_at_once_and_nothing_is_written() -> None:
    wanted, other = image(BASE), image(EXTRA)
    source, target = MemoryStore(wanted), MemoryStore(description="site/redis")
    target.add(other, "1")
    target.add(other, "3")
    before = dict(target.blobs)
    images = [want(wanted, source, target, name) for name in ("1", "2", "3")]
    with pytest.raises(Conflict) as caught:
        copy(images, jobs=2)
    assert faults_of(caught.value) == [
        f"site/redis:{name}: holds {other.root.digest}, expected {wanted.root.digest}"
        for name in ("1", "3")
    ]
    assert "--overwrite" in str(caught.value.hint)
    assert {step for step, _ in target.asked} == {"resolve"}
    assert (target.blobs, set(target.tags)) == (before, {"1", "3"})


def test_overwrite_moves_names_and_leaves_right_ones_alone() -> None:
    wanted, other = image(BASE), image(EXTRA)
    source, target = MemoryStore(wanted), MemoryStore()
    target.add(other, "1")
    target.add(wanted, "2")
    images = [want(wanted, source, target, name) for name in ("1", "2")]
    copied = copy(images, jobs=2, overwrite=True)
    assert outcomes(copied) == [Outcome.COPIED, Outcome.PRESENT]
    check_holds(target, wanted, "1")
    assert ("push_manifest", "2") not in target.asked


def test_repair_brings_what_is_missing_below_a_right_name() -> None:
    tree = index(image(BASE), image(EXTRA))
    source, target = MemoryStore(tree), MemoryStore()
    target.add(tree, "1")
    lost = next(iter(target.blobs))
    del target.blobs[lost]
    images = [want(tree, source, target, "1")]
    assert copy(images, jobs=2).blobs_sent == 0
    assert target.lacks(tree.root.digest)
    copied = copy(images, jobs=2, repair=True)
    assert (outcomes(copied), copied.blobs_sent) == ([Outcome.PRESENT], 1)
    check_holds(target, tree, "1")


def test_an_image_may_go_without_a_tag() -> None:
    tree = index(image(BASE))
    target = MemoryStore()
    images = [want(tree, MemoryStore(tree), target, str(tree.root.digest))]
    assert outcomes(copy(images, jobs=1)) == [Outcome.COPIED]
    assert target.tags == {}
    assert target.lacks(tree.root.digest) == []
    assert outcomes(copy(images, jobs=1)) == [Outcome.PRESENT]


def test_nothing_to_do_is_done() -> None:
    watch = Watch()
    copied = copy([], jobs=1, progress=watch)
    assert (copied.deliveries, watch.ended) == ((), True)
    copied.raise_for_failures()


@pytest.mark.parametrize("nested", [False, True])
def test_manifests_keep_the_algorithm_they_are_known_by(*, nested: bool) -> None:
    """An index may name its images by SHA-512; they must be found there under that digest."""
    tree = image(BASE)
    (raw,) = tree.manifests.values()
    root = describe(OCI_MANIFEST, raw, "sha512")
    manifests = {root.digest: raw}
    if nested:
        outer = json.dumps({"schemaVersion": 2, "manifests": [root.to_json()]}).encode()
        root = describe(OCI_INDEX, outer, "sha512")
        manifests[root.digest] = outer
    tree = Tree(root=root, manifests=manifests, blobs=tree.blobs)
    target = MemoryStore()
    assert outcomes(copy([want(tree, MemoryStore(tree), target)], jobs=1)) == [Outcome.COPIED]
    check_holds(target, tree)


def test_a_manifest_that_lies_about_a_size_fails_alone() -> None:
    honest, liar = image(BASE), lying(BASE)
    source, target = MemoryStore(honest, liar), MemoryStore()
    images = [want(liar, source, target, "liar"), want(honest, source, target, "honest")]
    copied = copy(images, jobs=1)
    assert outcomes(copied) == [Outcome.FAILED, Outcome.COPIED]
    check_holds(target, honest, "honest")
    assert "liar" not in target.tags


def lying(layer: Layer) -> Tree:
    """An image whose layer is one byte longer than its manifest says."""
    config = b"{}"
    value = {
        "schemaVersion": 2,
        "config": describe(OCI_CONFIG, config).to_json(),
        "layers": [{**describe("layer", layer.raw).to_json(), "size": len(layer.raw) - 1}],
    }
    raw = json.dumps(value).encode()
    root = describe(OCI_MANIFEST, raw)
    blobs = {Digest.of(blob): blob for blob in (config, layer.raw)}
    return Tree(root=root, manifests={root.digest: raw}, blobs=blobs)
