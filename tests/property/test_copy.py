"""`copy`, whatever it moves and whatever goes wrong: no name on something that is not whole.

Each example moves some images between stores in memory while faults happen at some of the steps,
the death of the process among them, and then runs the same copy again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tests.transfer.images import Tree, from_blobs, index
from tests.transfer.memory import Killed, Lie, MemoryStore, Script, Watch, nothing, settle
from transfer.copy import copy
from transfer.delivery import Copied, ImageCopy, Outcome
from transfer.errors import AccessDenied, IntegrityError, StorageError, Unavailable

FAULTS: list[type[BaseException]] = [
    Unavailable,
    StorageError,
    AccessDenied,
    IntegrityError,
    Lie,  # where nobody can be lied to it is a bug in a store
    Killed,
]

contents = st.sampled_from([b"", b"a", b"b" * 100, b"c" * 200, b"d" * 300])
images = st.builds(
    lambda config, layers, docker: from_blobs(config, *layers, docker=docker),
    contents,
    st.lists(contents, max_size=3),
    st.booleans(),
)
trees = st.recursive(
    images,
    lambda below: st.builds(lambda some: index(*some), st.lists(below, max_size=3)),
    max_leaves=5,
)


@dataclass(frozen=True)
class Work:
    """Some images, and the targets that want them; the first is also an origin of blobs."""

    source: MemoryStore
    targets: Sequence[MemoryStore]
    images: Sequence[ImageCopy]
    trees: Sequence[Tree]
    jobs: int

    def run(self, watch: Watch) -> Copied:
        return copy(self.images, jobs=self.jobs, progress=watch)

    def script(self, *faults: Script) -> None:
        def hook(step: str, subject: str) -> None:
            for fault in faults:
                fault(step, subject)

        for store in (self.source, *self.targets):
            store.hook = hook if faults else nothing


@st.composite
def works(draw: st.DrawFn) -> Work:
    forest = draw(st.lists(trees, min_size=1, max_size=4))
    source = MemoryStore(*forest)
    some = st.builds(MemoryStore, mounts=st.booleans(), retries=st.integers(0, 2))
    targets = draw(st.lists(some, min_size=1, max_size=3))
    wanted = st.tuples(st.sampled_from(forest), st.sampled_from(targets), st.booleans())
    copies = [
        ImageCopy(
            root=tree.root,
            source=source,
            target=target,
            name=f"t{tree.root.digest.encoded}" if tagged else str(tree.root.digest),
        )
        for tree, target, tagged in draw(st.lists(wanted, min_size=1, max_size=6))
    ]
    return Work(source, targets, copies, forest, draw(st.integers(1, 3)))


faults = st.lists(st.tuples(st.integers(0, 80), st.sampled_from(FAULTS)), min_size=1, max_size=3)


@given(works())
def test_what_is_copied_is_whole_and_a_second_time_there_is_nothing_to_do(work: Work) -> None:
    watch = Watch()
    copied = work.run(watch)
    assert {delivery.outcome for delivery in copied.deliveries} == {Outcome.COPIED}
    check_delivered(work, copied)
    assert watch.done == watch.total == watch.most
    assert watch.backwards == 0
    pairs = {(id(one.target), digest) for one in work.images for digest in blobs_of(work, one)}
    assert copied.blobs_sent + copied.blobs_mounted + copied.blobs_present == len(pairs)
    assert copied.blobs_sent == sum(target.count("push_blob") for target in work.targets)
    check_nothing_to_do(work)


@given(works(), faults)
def test_whatever_goes_wrong_no_name_is_on_something_incomplete(
    work: Work, plan: list[tuple[int, type[BaseException]]]
) -> None:
    scripts = [Script(at, fault("scripted")) for at, fault in plan]
    work.script(*scripts)
    watch = Watch()
    with suppress(Killed, Lie):
        copied = work.run(watch)
        check_delivered(work, copied)
        if not any(script.happened for script in scripts):
            copied.raise_for_failures()
    settle()
    check_whole(work)
    assert watch.done <= watch.most <= max(watch.total, 0)

    work.script()
    watch = Watch()
    copied = work.run(watch)
    copied.raise_for_failures()
    check_delivered(work, copied)
    assert watch.done == watch.total == watch.most
    check_nothing_to_do(work)


def blobs_of(work: Work, wanted: ImageCopy) -> set[str]:
    (tree, *_) = [tree for tree in work.trees if tree.root == wanted.root]
    return {str(digest) for digest in tree.blobs}


def check_whole(work: Work) -> None:
    """Whatever a target names is there in full, and it is what was wanted under that name."""
    for target in work.targets:
        assert target.wrongs == []
        for name, digest in target.tags.items():
            assert name == f"t{digest.encoded}"
            assert target.lacks(digest) == []
        for digest in target.manifests:
            assert target.lacks(digest) == []
    assert work.source.streams == 0


def check_delivered(work: Work, copied: Copied) -> None:
    """What is called delivered is there, and what is not has a reason."""
    assert [delivery.image for delivery in copied.deliveries] == list(work.images)
    for delivery in copied.deliveries:
        assert (delivery.outcome is Outcome.FAILED) == (delivery.error is not None)
        if delivery.error is None:
            target, root = delivery.image.target, delivery.image.root.digest
            assert isinstance(target, MemoryStore)
            assert target.lacks(root) == []
            assert target.tags.get(delivery.image.name, root) == root
            assert delivery.image.name in {*target.tags, str(root)}
    check_whole(work)


def check_nothing_to_do(work: Work) -> None:
    for store in (work.source, *work.targets):
        store.asked.clear()
    copied = work.run(Watch())
    assert {delivery.outcome for delivery in copied.deliveries} == {Outcome.PRESENT}
    assert work.source.asked == []
    assert {step for target in work.targets for step, _ in target.asked} == {"resolve"}
