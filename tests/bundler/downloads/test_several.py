"""Several files at once: one that fails stops no other, and the next run fetches only that."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundler.downloads import Download, Downloads
from bundler.downloads.limits import Limiter, Trickle
from bundler.downloads.space import free_space
from bundler.sources.protocol import Location
from tests.bundler.downloads.support import (
    AT_ONCE,
    CONTENT,
    DIGEST,
    PARTIAL,
    WHAT,
    files,
    standing_still,
    wait_until,
    wanted,
)
from tests.disks import small_disk
from tests.fakes.faulty import FOREVER, Exchange, close_after, status
from tests.fakes.web import WebServer, web
from tests.processes import PATIENCE
from tests.transfer.memory import Watch
from transfer.digest import Digest
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    Incomplete,
    NotFound,
    StorageError,
    Unavailable,
)
from transfer.interrupt import ctrl_c_heard

OTHERS = [os.urandom(10_000 + number) for number in range(3)]


def order(server: WebServer, content: bytes, *, size: bool = True) -> Download:
    digest = Digest.of(content)
    name = f"file {digest.encoded[:8]}"
    return wanted(server.url, digest, size=len(content) if size else None, what=name)


def test_failing_one_does_not_stop_the_others(cache: Path, downloads: Downloads) -> None:
    with (
        web(OTHERS[0]) as first,
        web(b"another file", [close_after(0)]) as wrong,
        web(OTHERS[1]) as gone,
        web(OTHERS[2]) as last,
    ):
        gone.fail("GET", "", 1, status(404))
        orders = [
            order(first, OTHERS[0]),
            order(wrong, b"not this one"),
            order(gone, OTHERS[1]),
            order(last, OTHERS[2]),
        ]
        with pytest.raises(Incomplete) as caught:
            downloads.fetch_all(orders)
        assert caught.value.message == "2 of 4 files could not be fetched"
        assert [type(fault) for fault in caught.value.faults] == [DigestMismatch, NotFound]
        assert caught.value.faults[1].message.startswith(
            f"{orders[2].what}: answered 404 Not Found"
        )
        assert caught.value.hint
        for server in (first, last):
            assert len(server.requests) == 1
            server.requests.clear()
        wrong.content = b"not this one"
        found = downloads.fetch_all(orders)
        assert not first.requests
        assert not last.requests
    expected = [OTHERS[0], b"not this one", OTHERS[1], OTHERS[2]]
    assert [one.path.read_bytes() for one in found] == expected
    assert len(files(cache)) == 4


def test_one_reason_for_all_is_what_it_ends_with(downloads: Downloads) -> None:
    with web(b"") as server:
        server.fail("GET", "", FOREVER, status(403))
        orders = [order(server, content) for content in OTHERS]
        with pytest.raises(AccessDenied) as caught:
            downloads.fetch_all(orders)
        assert caught.value.message == f"none of {len(orders)} files could be fetched"
        assert len(caught.value.faults) == len(orders)


def test_nothing_wanted(downloads: Downloads) -> None:
    assert downloads.fetch_all([]) == ()


def test_same_file_twice_is_fetched_once(downloads: Downloads) -> None:
    with web(CONTENT) as server:
        one, other = downloads.fetch_all([wanted(server.url), wanted(server.url, what="again")])
    assert one == other
    assert len(server.requests) == 1


def test_several_are_under_way_at_the_same_time(downloads: Downloads) -> None:
    together = threading.Barrier(4)

    def meet(_exchange: Exchange) -> bool:
        together.wait(PATIENCE)
        return False

    with web(b"") as server:
        contents = {f"/{number}": bytes([number]) for number in range(4)}

        def serve(exchange: Exchange) -> bool:
            meet(exchange)
            exchange.answer(200, {}, contents[exchange.path])
            return True

        server.fail("GET", "", FOREVER, serve)
        orders = [
            wanted(f"http://{server.host}{path}", Digest.of(content))
            for path, content in contents.items()
        ]
        found = downloads.fetch_all(orders)
    assert [one.path.read_bytes() for one in found] == list(contents.values())


def test_progress_is_one_phase(cache: Path) -> None:
    watch = Watch()
    with (
        web(OTHERS[0], [close_after(100)]) as one,
        web(OTHERS[1]) as other,
        Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads,
    ):
        downloads.fetch_all([order(one, OTHERS[0]), order(other, OTHERS[1])])
        assert (watch.label, watch.total) == ("2 downloads", len(OTHERS[0]) + len(OTHERS[1]))
        assert watch.done == watch.total
        assert watch.ended
        watch.label = ""
        downloads.fetch_all([order(one, OTHERS[0])])
    assert not watch.label


def nowhere() -> Location:
    raise Unavailable("the portal is down")


def test_locate_that_fails_is_the_fault(downloads: Downloads) -> None:
    lost = Download(
        what=WHAT, identity="x", file_name="x", digest=DIGEST, size=None, locate=nowhere
    )
    with pytest.raises(Unavailable, match=r"the portal is down \(tried 3 times\)"):
        downloads.fetch(lost)


@pytest.mark.real
def test_room_is_looked_for_before_the_first_byte(tmp_path: Path) -> None:
    large = os.urandom(60_000)
    with (
        small_disk(tmp_path / "disk", "64k") as disk,
        Downloads.connect(disk, retry=AT_ONCE) as downloads,
        web(OTHERS[0]) as server,
        web(large, [close_after(0)]) as other,
    ):
        orders = [order(server, OTHERS[0]), order(other, large)]
        needed = len(OTHERS[0]) + len(large)
        assert downloads.missing(orders) == needed
        with pytest.raises(StorageError) as caught:
            downloads.fetch_all(orders)
        assert not server.requests
        assert caught.value.message.startswith(
            f"cache {disk}: 70 kB ({needed} bytes) more are needed for 2 downloads "
            f"(60 kB of it for {orders[1].what})"
        )
        assert "(65536 bytes) are free" in caught.value.message
        # What is there, complete or not, needs no more room.
        downloads.fetch(orders[0])
        assert downloads.missing(orders) == len(large)


@pytest.mark.real
def test_room_for_a_file_whose_size_only_the_server_knows(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "200k") as disk,
        Downloads.connect(disk, retry=AT_ONCE) as downloads,
        web(CONTENT) as server,
    ):
        with pytest.raises(StorageError, match=f"300 kB .* more are needed for {WHAT}"):
            downloads.fetch(wanted(server.url))
        assert files(disk) == {}


def test_free_space_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert free_space(tmp_path / "a/b/c", "x") > 0


def test_two_at_once_download_once(cache: Path) -> None:
    found = list[Path]()
    with standing_still(1000) as still, web(CONTENT, [still]) as server:

        class Waits(Watch):
            def say(self, line: str) -> None:
                super().say(line)
                still.go_on.set()

        first, second = Watch(), Waits()

        def fetch(watch: Watch) -> None:
            with Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads:
                found.append(downloads.fetch(wanted(server.url, None)).path)

        threads = [threading.Thread(target=fetch, args=(watch,)) for watch in (first, second)]
        threads[0].start()
        assert still.reached.wait(PATIENCE)
        threads[1].start()
        for thread in threads:
            thread.join()
    assert "another process is at it; waiting" in second.lines[0]
    assert found[0] == found[1]
    # The second one only asked whether it is still the same.
    assert server.ranges() == [None, "bytes=0-0"]


def test_ctrl_c_leaves_a_part_for_the_next_run(cache: Path) -> None:
    watch = Watch()
    with standing_still(200_000) as still, web(CONTENT, [still]) as server:
        with (
            ctrl_c_at(cache, 200_000),
            Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads,
        ):
            downloads.fetch(wanted(server.url))
        settle()
        assert watch.lines == []  # the server is not blamed for what somebody here wanted
        assert not still.go_on.is_set()  # nobody waited for the server
        with Downloads.connect(cache, retry=AT_ONCE) as downloads:
            assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert server.ranges() == [None, "bytes=200000-"]


@contextmanager
def ctrl_c_at(cache: Path, count: int) -> Iterator[None]:
    """The body is interrupted when the part has so many bytes."""
    part = cache / PARTIAL

    def interrupt() -> None:
        wait_until(lambda: part.exists() and part.stat().st_size >= count)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt), ctrl_c_heard():
        yield
    interrupter.join()


def settle() -> None:
    """Wait until the threads of an interrupted download have found out about it."""
    for thread in threading.enumerate():
        if thread.name.startswith(("download_", "range_", "hash")):
            thread.join(PATIENCE)
            assert not thread.is_alive(), f"{thread.name} did not end"


class Time:
    """A clock that goes on only when it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_limit_holds_for_all_connections_together() -> None:
    time = Time()
    limiter = Limiter(1000, time)
    assert limiter.take(500) == 0.5
    assert limiter.take(500) == 1.0  # another connection, at the same moment
    time.now = 5.0
    assert limiter.take(100) == pytest.approx(0.1)  # what was not used is not saved up
    assert limiter.block(1 << 20) == 125
    assert Limiter(1).block(1 << 20) == 1
    assert (Limiter(None).take(1 << 30), Limiter(None).block(99)) == (0.0, 99)


def test_limited_download_takes_little_of_what_is_sent(cache: Path) -> None:
    """A block of 1000 bytes eight times a second, while the server has long sent everything."""
    with web(CONTENT) as server:
        with ctrl_c_at(cache, 1000), Downloads.connect(cache, limit_rate=8000) as downloads:
            downloads.fetch(wanted(server.url))
        settle()
    assert 1000 <= files(cache)[PARTIAL] < 100_000


def test_trickle_is_given_up() -> None:
    time = Time()
    trickle = Trickle("file x", 1000, 60.0, time)
    time.now = 59.0
    trickle.came(1)
    time.now = 60.0
    trickle.came(60_000)  # enough: the next minute is another one
    time.now = 121.0
    with pytest.raises(Unavailable, match="file x: only 999 bytes in 61 s"):
        trickle.came(999)


def test_our_own_pauses_are_not_its_fault() -> None:
    time = Time()
    trickle = Trickle("file x", 1000, 60.0, time)
    time.now = 100.0
    trickle.excuse(99.0)
    trickle.came(1)
