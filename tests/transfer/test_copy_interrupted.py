"""Ctrl-C in the middle of `copy`: it comes back at once, and nothing is named afterwards."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from tests.transfer.images import image, index, layer
from tests.transfer.memory import MemoryStore, Watch, nothing, settle
from tests.transfer.test_copy import check_holds, outcomes, want
from transfer.copy import copy
from transfer.delivery import Outcome
from transfer.digest import Digest

BASE, EXTRA = layer("base", size=500), layer("extra", size=300)
TREE = index(image(BASE), image(BASE, EXTRA))


@pytest.fixture(autouse=True)
def sigint() -> Iterator[None]:
    """Put the handler back, and have one even where a test runner ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupt:
    """A hook that presses Ctrl-C at one step, and holds that step until the copy is over."""

    def __init__(self, step: str, about: str = "", after: int = 0) -> None:
        self.released = threading.Event()
        self._heard = threading.Event()
        self._step = step
        self._about = about
        self._left = after + 1
        self._lock = threading.Lock()

    def __call__(self, step: str, subject: str) -> None:
        if step != self._step or self._about not in subject:
            return
        with self._lock:
            self._left -= 1
            if self._left:
                return
        self._press()
        assert self.released.wait(30), "the copy did not come back"

    def _press(self) -> None:
        """Until it is heard: a thread that is just falling asleep on a lock may miss a signal."""
        main = threading.main_thread().ident
        assert main is not None
        while not self._heard.wait(0.02):
            signal.pthread_kill(main, signal.SIGINT)

    def hear(self, _number: int, _frame: object) -> None:
        """The signal handler: one KeyboardInterrupt, however often it was pressed."""
        if not self._heard.is_set():
            self._heard.set()
            raise KeyboardInterrupt


def interrupt(hook: Interrupt, source: MemoryStore, target: MemoryStore, jobs: int) -> Watch:
    watch = Watch()
    signal.signal(signal.SIGINT, hook.hear)
    with pytest.raises(KeyboardInterrupt):
        copy([want(TREE, source, target, "v1")], jobs=jobs, progress=watch)
    hook.released.set()
    settle()
    return watch


def check_continues(source: MemoryStore, target: MemoryStore) -> None:
    source.hook = target.hook = nothing
    assert outcomes(copy([want(TREE, source, target, "v1")], jobs=2)) == [Outcome.COPIED]
    check_holds(target, TREE, "v1")


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("step", ["resolve", "open", "read", "has_blob", "push_blob", "kept_blob"])
def test_nothing_is_named_after_ctrl_c(step: str, jobs: int) -> None:
    hook = Interrupt(step)
    source, target = MemoryStore(TREE, hook=hook), MemoryStore(hook=hook)
    watch = interrupt(hook, source, target, jobs)
    assert target.count("push_manifest") == 0
    assert (target.tags, target.wrongs, source.streams) == ({}, [], 0)
    assert watch.ended == (watch.label != "")
    check_continues(source, target)


def test_a_blob_in_the_middle_is_stopped_at_its_next_block() -> None:
    digest = Digest.of(BASE.raw)
    hook = Interrupt("read", about=str(digest), after=1)
    source, target = MemoryStore(TREE, hook=hook), MemoryStore()
    interrupt(hook, source, target, jobs=1)
    assert source.asked.count(("read", str(digest))) == 2
    assert digest not in target.blobs
    assert target.asked[-1] == ("push_blob", str(digest)), "and no other was begun"


@pytest.mark.parametrize("step", ["push_manifest", "kept_manifest"])
@pytest.mark.parametrize("before", [0, 1])
def test_an_image_that_is_being_named_gets_no_name(step: str, before: int) -> None:
    hook = Interrupt(step, about="sha256", after=before)
    source, target = MemoryStore(TREE), MemoryStore(hook=hook)
    interrupt(hook, source, target, jobs=2)
    assert target.tags == {}
    assert target.count("push_manifest") == before + 1
    check_continues(source, target)


def test_a_name_that_was_on_its_way_names_something_whole() -> None:
    hook = Interrupt("push_manifest", about="v1")
    source, target = MemoryStore(TREE), MemoryStore(hook=hook)
    interrupt(hook, source, target, jobs=2)
    check_holds(target, TREE, "v1")
