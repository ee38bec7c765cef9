"""Uploads of a run that ends before its time: none of them stays open at the registry."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any, Self

import pytest

from tests.fakes.faulty import FOREVER, Exchange, status
from tests.fakes.registry import FakeRegistry
from tests.transfer.images import from_blobs
from tests.transfer.memory import MemoryStore, settle
from tests.transfer.registry.support import Content, connect, noise
from tests.transfer.registry.test_stream import CONTENT, PIECE, Made
from transfer.copy import copy
from transfer.delivery import ImageCopy
from transfer.errors import AccessDenied
from transfer.registry import RegistryClient

UPLOADS = "/blobs/uploads/"
TREE = from_blobs(b"config", noise(8_000_000))


class CtrlC:
    """Presses Ctrl-C once, and goes on when that was heard; used with `with`."""

    def __init__(self) -> None:
        self._heard = threading.Event()
        self._pressing = threading.Lock()
        self._before: Any = None

    def press(self) -> None:
        main = threading.main_thread().ident
        assert main is not None
        with self._pressing:
            while not self._heard.wait(0.02):
                signal.pthread_kill(main, signal.SIGINT)

    def hear(self, _number: int, _frame: object) -> None:
        if not self._heard.is_set():
            self._heard.set()
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        """Listen."""
        self._before = signal.signal(signal.SIGINT, self.hear)
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Listen no more, when it is not pressed any more."""
        with self._pressing:
            signal.signal(signal.SIGINT, self._before)


@pytest.fixture
def ctrl_c() -> Iterator[CtrlC]:
    with CtrlC() as pressed:
        yield pressed


def open_instead(exchange: Exchange) -> bool:
    """Open an upload, whatever there is to mount."""
    exchange.path = exchange.path.partition("?")[0]
    return False


def wanted(client: RegistryClient, source: MemoryStore, *paths: str) -> list[ImageCopy]:
    return [
        ImageCopy(root=TREE.root, source=source, target=client.repository(path), name="1")
        for path in paths
    ]


@pytest.mark.parametrize("step", ["open", "read"])
def test_ctrl_c_in_the_middle_of_a_blob(fake: FakeRegistry, ctrl_c: CtrlC, step: str) -> None:
    source = MemoryStore(TREE)

    def press(asked: str, name: str) -> None:
        if asked == step and name != str(TREE.root.digest):
            ctrl_c.press()

    def push() -> None:
        with connect(fake) as client:
            images = wanted(client, source, "a", "b")
            source.hook = press
            copy(images, jobs=3)

    with pytest.raises(KeyboardInterrupt):
        push()
    assert fake.count("POST", UPLOADS)
    assert not fake.open_uploads, "when the client is closed, all is done"
    settle()
    assert (fake.open_uploads, fake.tags) == (set(), {})


@pytest.mark.parametrize("before", [True, False], ids=["before-the-answer", "after-it"])
def test_ctrl_c_where_a_mount_opened_an_upload(
    fake: FakeRegistry, ctrl_c: CtrlC, *, before: bool
) -> None:
    def mount(exchange: Exchange) -> bool:
        if before:
            ctrl_c.press()
        return open_instead(exchange)

    fake.fail("POST", "mount=", FOREVER, mount)
    content = Content(noise(9))
    asking: list[threading.Thread] = []

    def ask() -> None:
        with connect(fake) as client:
            here, there = client.repository("a"), client.repository("b")
            here.push_blob(content.blob, content.open)
            asking.append(threading.Thread(target=there.mount_blob, args=(content.blob, here)))
            asking[0].start()
            if not before:
                asking[0].join()
                ctrl_c.press()
            threading.Event().wait(30)

    with pytest.raises(KeyboardInterrupt):
        ask()
    assert fake.count("POST", "mount=") == 1
    assert not fake.open_uploads
    asking[0].join()
    assert fake.count("DELETE") == 1


def test_an_upload_by_a_mount_that_is_not_used_is_cancelled(fake: FakeRegistry) -> None:
    fake.fail("POST", "mount=", FOREVER, open_instead)
    contents = [Content(noise(size)) for size in (9, 10, 11)]
    with connect(fake) as client:
        here, there = client.repository("a"), client.repository("b")
        for content in contents:
            here.push_blob(content.blob, content.open)
            assert not there.mount_blob(content.blob, here)
        assert not there.mount_blob(contents[0].blob, here), "and its first upload is not lost"
        there.push_blob(contents[2].blob, contents[2].open)
        assert len(fake.open_uploads) == 2
    assert not fake.open_uploads


def test_a_registry_that_takes_nothing_back_is_left_alone(fake: FakeRegistry) -> None:
    fake.fail("POST", "mount=", FOREVER, open_instead)
    fake.fail("DELETE", UPLOADS, FOREVER, status(503))
    contents = [Content(noise(size)) for size in (9, 10, 11)]
    with connect(fake) as client:
        for number, content in enumerate(contents):
            client.repository("a").push_blob(content.blob, content.open)
            client.repository(f"b{number}").mount_blob(content.blob, client.repository("a"))
    assert fake.count("DELETE") == 1


def test_ctrl_c_while_a_blob_is_made(fake: FakeRegistry, ctrl_c: CtrlC) -> None:
    class Interrupted(Made):
        def __iter__(self) -> Iterator[bytes]:
            yield CONTENT[:PIECE]
            signal.raise_signal(signal.SIGINT)

    del ctrl_c
    with connect(fake) as client, pytest.raises(KeyboardInterrupt):
        client.repository("a").stream_blob(Interrupted())
    assert fake.count("PATCH") == 1
    assert not fake.open_uploads


def test_what_a_registry_refuses_is_not_left_open(fake: FakeRegistry) -> None:
    fake.fail("PUT", UPLOADS, FOREVER, status(403))
    with connect(fake) as client:
        (failed,) = copy(wanted(client, MemoryStore(TREE), "a"), jobs=2).deliveries
    assert isinstance(failed.error, AccessDenied)
    assert not fake.open_uploads
