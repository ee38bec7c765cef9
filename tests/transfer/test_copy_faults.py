"""`copy` when something fails: one image's fault stays its own, and nothing is named too early."""

from __future__ import annotations

import pytest

from tests.transfer.images import Tree, image, index, layer
from tests.transfer.memory import Fails, Lie, MemoryStore, Watch, faults_of
from tests.transfer.test_copy import bytes_of, check_holds, outcomes, want
from transfer.copy import copy
from transfer.delivery import Copied, Outcome
from transfer.descriptor import Descriptor
from transfer.digest import Digest
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    Incomplete,
    IntegrityError,
    NotFound,
    SizeMismatch,
    StorageError,
    TransferError,
    Unavailable,
)
from transfer.store import OpenContent

BASE, EXTRA = layer("base", size=500), layer("extra", size=300)
SHARED = Digest.of(BASE.raw)
DOWN = Unavailable("registry is down")


def error_of(copied: Copied, at: int = 0) -> TransferError:
    error = copied.deliveries[at].error
    assert error is not None
    return error


def test_a_shared_blob_reaches_the_second_target_when_the_first_fails() -> None:
    first, second = image(BASE), image(BASE, author="b")
    source, watch = MemoryStore(first, second), Watch()
    broken = MemoryStore(hook=Fails("push_blob", AccessDenied("no"), about=str(SHARED)))
    working = MemoryStore()
    images = [want(first, source, broken), want(second, source, working)]
    copied = copy(images, jobs=2, progress=watch)
    assert outcomes(copied) == [Outcome.FAILED, Outcome.COPIED]
    check_holds(working, second)
    assert broken.tags == {}
    assert working.count("mount_blob") == 0, "the broken one has nothing to mount"
    assert watch.done == watch.total


@pytest.mark.parametrize("step", ["open", "read"])
@pytest.mark.parametrize("turn", [1, -1])
def test_a_shared_blob_is_read_from_another_source_when_one_fails(step: str, turn: int) -> None:
    first, second = image(BASE), image(BASE, author="b")
    watch, about = Watch(), str(Digest.of(BASE.raw))
    bad = MemoryStore(first, hook=Fails(step, NotFound("gone"), about=about))
    target = MemoryStore()
    images = [want(first, bad, target, "1"), want(second, MemoryStore(second), target, "2")]
    copy(images[::turn], jobs=1, progress=watch).raise_for_failures()
    assert target.tags.keys() == {"1", "2"}
    assert target.wrongs == []
    assert watch.done == watch.total


def test_a_shared_blob_with_wrong_bytes_is_read_from_another_source() -> None:
    first, second = image(BASE), image(BASE, author="b")
    bad, target = MemoryStore(first), MemoryStore()
    bad.blobs[Digest.of(BASE.raw)] = b"x" * len(BASE.raw)
    images = [want(first, bad, target, "1"), want(second, MemoryStore(second), target, "2")]
    copy(images, jobs=1).raise_for_failures()
    assert target.blobs[Digest.of(BASE.raw)] == BASE.raw
    assert target.wrongs == []


def test_a_target_that_fails_is_not_asked_once_more_for_each_source() -> None:
    first, second = image(BASE), image(BASE, author="b")
    target = MemoryStore(
        hook=Fails("keep_blob", AccessDenied("no"), about=str(Digest.of(BASE.raw)))
    )
    images = [
        want(first, MemoryStore(first), target, "1"),
        want(second, MemoryStore(second), target, "2"),
    ]
    copied = copy(images, jobs=1)
    assert [delivery.outcome for delivery in copied.deliveries] == [Outcome.FAILED] * 2
    assert target.asked.count(("push_blob", str(Digest.of(BASE.raw)))) == 1


def test_a_target_that_lies_about_a_blob_is_found_out() -> None:
    first, second = image(BASE), image(BASE, author="b")
    source, watch = MemoryStore(first, second), Watch()
    liar = MemoryStore(hook=Fails("keep_blob", Lie(), about=str(SHARED)), description="liar")
    honest = MemoryStore()
    images = [want(first, source, liar), want(second, source, honest)]
    copied = copy(images, jobs=1, progress=watch)
    assert outcomes(copied) == [Outcome.FAILED, Outcome.COPIED]
    assert type(error_of(copied)) is IntegrityError
    assert str(error_of(copied)) == f"liar: acknowledged blob {SHARED} but does not have it"
    assert liar.tags == {}
    check_holds(honest, second)
    assert copied.blobs_sent == 3, "what did not arrive was not sent"
    assert watch.done == watch.total == watch.most


def test_a_target_that_lies_about_a_mount_is_found_out() -> None:
    first, second = image(BASE), image(BASE, author="b")
    source, honest = MemoryStore(first, second), MemoryStore()
    liar = MemoryStore(hook=Fails("mount_blob", Lie()))
    copied = copy([want(first, source, honest), want(second, source, liar)], jobs=1)
    assert outcomes(copied) == [Outcome.COPIED, Outcome.FAILED]
    assert "acknowledged" in str(error_of(copied, 1))
    assert (copied.blobs_mounted, liar.tags) == (0, {})


@pytest.mark.parametrize("about", ["v1", "sha256"], ids=["root", "child"])
def test_a_target_that_lies_about_a_manifest_is_found_out(about: str) -> None:
    child = image(BASE).root.digest
    tree = index(image(BASE))
    target = MemoryStore(hook=Fails("push_manifest", Lie(), about=about), description="liar")
    copied = copy([want(tree, MemoryStore(tree), target, "v1")], jobs=1)
    assert outcomes(copied) == [Outcome.FAILED]
    name, digest = (":v1", tree.root.digest) if about == "v1" else (f"@{child}", child)
    assert str(error_of(copied)) == f"liar{name}: read back nothing, expected {digest}"
    assert (target.tags, target.wrongs) == ({}, [])


def test_another_writer_is_found_out() -> None:
    tree, other = image(BASE), image(EXTRA)
    target = MemoryStore(description="busy")
    target.hook = lambda step, _: target.add(other, "1") if step == "kept_manifest" else None
    copied = copy([want(tree, MemoryStore(tree), target)], jobs=1)
    assert outcomes(copied) == [Outcome.FAILED]
    found = f"busy:1: read back {other.root.digest}, expected {tree.root.digest}"
    assert str(error_of(copied)) == found


@pytest.mark.parametrize(
    ("damaged", "error"),
    [
        (b"x" + BASE.raw[1:], DigestMismatch),
        (BASE.raw[:-1], SizeMismatch),
        (BASE.raw + b"x", SizeMismatch),
        (b"", SizeMismatch),
    ],
    ids=["changed", "short", "long", "empty"],
)
def test_wrong_bytes_are_kept_nowhere_and_cost_only_their_own_images(
    damaged: bytes, error: type[IntegrityError]
) -> None:
    hit, hit_too, well = image(BASE), index(image(BASE, EXTRA)), image(EXTRA)
    source, target, watch = MemoryStore(hit, hit_too, well), MemoryStore(), Watch()
    source.blobs[SHARED] = damaged
    trees = {"hit": hit, "hit too": hit_too, "well": well}
    images = [want(tree, source, target, name) for name, tree in trees.items()]
    copied = copy(images, jobs=2, progress=watch)
    assert outcomes(copied) == [Outcome.FAILED, Outcome.FAILED, Outcome.COPIED]
    assert type(error_of(copied)) is error
    assert f"memory: blob {SHARED}" in str(error_of(copied))
    check_holds(target, well, "well")
    assert SHARED not in target.blobs
    assert set(target.tags) == {"well"}
    assert (source.streams, target.wrongs) == (0, [])
    # Whether the rest of an image was on its way already when its first blob failed is chance.
    everything = bytes_of(hit, hit_too, well) - len(BASE.raw)
    assert bytes_of(well) <= watch.done <= everything


def test_a_blob_that_the_source_lacks_is_named() -> None:
    tree, well = image(BASE), image(EXTRA)
    source, target = MemoryStore(tree, well), MemoryStore()
    del source.blobs[SHARED]
    copied = copy([want(tree, source, target, "1"), want(well, source, target, "2")], jobs=1)
    assert outcomes(copied) == [Outcome.FAILED, Outcome.COPIED]
    with pytest.raises(Incomplete) as caught:
        copied.raise_for_failures()
    assert faults_of(caught.value) == [f"memory: has no {SHARED}"]


def test_an_image_whose_graph_cannot_be_read_leaves_no_trace() -> None:
    child = image(BASE)
    tree, gone, well = index(child), index(image(EXTRA, author="x")), image(EXTRA)
    source, target, watch = MemoryStore(tree, gone, well), MemoryStore(), Watch()
    source.manifests[child.root.digest] += b" "
    del source.manifests[next(iter(gone.manifests))]
    trees = {"damaged": tree, "gone": gone, "well": well}
    images = [want(one, source, target, name) for name, one in trees.items()]
    copied = copy(images, jobs=1, progress=watch)
    assert [type(d.error) for d in copied.deliveries] == [SizeMismatch, NotFound, type(None)]
    assert target.blobs == dict(well.blobs)
    assert watch.total == bytes_of(well)


def test_a_name_that_cannot_be_asked_for_fails_its_own_image() -> None:
    trees = [image(BASE), image(EXTRA)]
    source = MemoryStore(*trees)
    target = MemoryStore(hook=Fails("resolve", AccessDenied("not yours"), about="0"))
    copied = copy([want(t, source, target, str(i)) for i, t in enumerate(trees)], jobs=1)
    assert outcomes(copied) == [Outcome.FAILED, Outcome.COPIED]
    assert str(error_of(copied)) == "not yours"
    assert set(target.blobs) == set(trees[1].blobs)


@pytest.mark.parametrize("step", ["resolve", "push_manifest", "kept_manifest"])
def test_a_failure_while_naming_is_a_failure(step: str) -> None:
    tree = index(image(BASE))
    target = MemoryStore(hook=Fails(step, DOWN, after=1 if step == "resolve" else 0))
    copied = copy([want(tree, MemoryStore(tree), target)], jobs=1)
    assert [d.error for d in copied.deliveries] == [DOWN]
    assert copied.blobs_sent == len(tree.blobs), "the blobs stay for the next run"


@pytest.mark.parametrize("step", ["read", "keep_blob", "kept_blob"])
def test_bytes_sent_in_vain_are_taken_back_when_they_are_sent_again(step: str) -> None:
    tree, watch = image(BASE), Watch()
    hook = Fails(step, DOWN, about=str(SHARED), times=2, after=1 if step == "read" else 0)
    source, target = MemoryStore(tree), MemoryStore(retries=2)
    (source if step == "read" else target).hook = hook
    copied = copy([want(tree, source, target)], jobs=1, progress=watch)
    check_holds(target, tree)
    assert watch.backwards > 0
    assert watch.done == watch.total == watch.most == bytes_of(tree)
    assert copied.bytes_sent == bytes_of(tree)


@pytest.mark.parametrize("step", ["keep_blob", "kept_blob", "has_blob"])
def test_a_blob_that_failed_after_its_last_byte_is_not_counted(step: str) -> None:
    tree, watch = image(BASE), Watch()
    hook = Fails(step, DOWN, about=str(SHARED), after=1 if step == "has_blob" else 0)
    copied = copy([want(tree, MemoryStore(tree), MemoryStore(hook=hook))], jobs=1, progress=watch)
    assert outcomes(copied) == [Outcome.FAILED]
    assert watch.done == watch.total - len(BASE.raw)


class Frugal(MemoryStore):
    """Takes a blob without reading it, as a store that has it by now may do."""

    def push_blob(self, blob: Descriptor, content: OpenContent) -> None:
        with content():
            self.blobs[blob.digest] = self.kept[blob.digest]

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self.kept = tree.blobs


def test_progress_ends_at_the_total_when_a_target_needs_no_bytes() -> None:
    tree, watch = image(BASE), Watch()
    copied = copy([want(tree, MemoryStore(tree), Frugal(tree))], jobs=1, progress=watch)
    assert outcomes(copied) == [Outcome.COPIED]
    assert watch.done == watch.total == bytes_of(tree)


@pytest.mark.parametrize("error", [DOWN, StorageError("disk full")])
def test_a_side_that_stays_away_is_left_alone_after_three_failures(error: TransferError) -> None:
    trees = [image(layer(str(i))) for i in range(10)]
    source, target = MemoryStore(*trees), MemoryStore(hook=Fails("push_blob", error))
    copied = copy([want(t, source, target, str(i)) for i, t in enumerate(trees)], jobs=1)
    assert target.count("push_blob") == 3
    assert target.count("push_manifest") == 0
    assert outcomes(copied) == [Outcome.FAILED] * 10
    with pytest.raises(type(error)) as caught:
        copied.raise_for_failures()
    not_tried = "some were not tried: too many failures in a row before them"
    assert sorted(faults_of(caught.value)) == sorted([str(error), not_tried])
    assert caught.value.message == "10 of 10 images were not delivered"


def test_a_registry_that_is_down_from_the_start_is_asked_three_times() -> None:
    trees = [image(layer(str(i))) for i in range(10)]
    source, target = MemoryStore(*trees), MemoryStore(hook=Fails("resolve", DOWN))
    copied = copy([want(t, source, target, str(i)) for i, t in enumerate(trees)], jobs=1)
    assert target.asked == [("resolve", str(i)) for i in range(3)]
    with pytest.raises(Unavailable):
        copied.raise_for_failures()


def test_failures_that_say_nothing_about_a_side_do_not_stop_the_others() -> None:
    trees = [image(layer(str(i)), author=str(i)) for i in range(10)]
    source, target = MemoryStore(*trees), MemoryStore()
    for tree in trees[:9]:
        del source.blobs[list(tree.blobs)[-1]]
    copied = copy([want(t, source, target, str(i)) for i, t in enumerate(trees)], jobs=1)
    assert outcomes(copied) == [Outcome.FAILED] * 9 + [Outcome.COPIED]


def test_a_bug_in_a_store_is_not_swallowed_and_names_nothing() -> None:
    tree, watch = index(image(BASE), image(EXTRA)), Watch()
    target = MemoryStore(hook=Fails("has_blob", ZeroDivisionError("a bug"), after=2))
    with pytest.raises(ZeroDivisionError):
        copy([want(tree, MemoryStore(tree), target)], jobs=1, progress=watch)
    assert target.tags == {}
    assert watch.ended
