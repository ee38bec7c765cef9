"""When one more connection is asked for, and when it was the last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from bundler.downloads import Downloads, Fetched, Pace
from bundler.downloads.crew import Crew
from bundler.downloads.limits import Limiter
from bundler.downloads.means import Means
from bundler.downloads.stop import Stop
from tests.bundler.downloads.support import (
    AT_ONCE,
    CONTENT,
    EAGER,
    files,
    paced,
    standing_still,
    wait_until,
    wanted,
)
from tests.bundler.downloads.test_several import Time
from tests.fakes.faulty import FOREVER, Action, Exchange, status
from tests.fakes.web import WebServer, web
from tests.processes import PATIENCE
from tests.transfer.memory import Watch
from transfer.errors import Unavailable
from transfer.http.retry import RetryPolicy
from transfer.http.transport import Transport
from transfer.http.trust import load_trust

PACE = Pace(window=1.0, fast=1000, gain=1.15, extra=3)


class Bench(Executor):
    """Threads that start when they are told."""

    def __init__(self) -> None:
        self.asked = 0

    def submit(self, work: Any, /, *_: Any, **__: Any) -> Future[Any]:  # noqa: ANN401 - inherited
        self.asked += 1
        self.work: Callable[[], None] = work
        return Future()


class Line:
    """A first connection, and the crew that watches how fast the file comes."""

    def __init__(self, *, rate: int | None = None, ranges: bool = True) -> None:
        self.time, self.bench = Time(), Bench()
        self.arrived = 0
        self.means = Means(
            transport=Transport(load_trust(), {}),
            retry=RetryPolicy(),
            limiter=Limiter(rate),
            pace=PACE,
            helpers=self.bench,
            stop=Stop(),
            require_room=lambda *_: None,
        )
        self.crew = Crew(self.means, lambda: None, self.time)
        self.crew.possible = ranges

    def second(self, speed: int) -> int:
        """A second goes by at some speed; how many helpers there are then."""
        self.time.now += 1
        self.arrived += speed
        self.crew.consider(self.arrived)
        return self.bench.asked


def test_each_one_that_pays_is_followed_by_another() -> None:
    line = Line()
    assert [line.second(speed) for speed in (100, 200, 300, 400, 400)] == [1, 2, 3, 3, 3]


def test_one_that_brings_nothing_was_the_last() -> None:
    line = Line()
    assert [line.second(speed) for speed in (100, 110, 500, 500)] == [1, 1, 1, 1]


def test_fast_enough_is_left_alone() -> None:
    line = Line()
    assert [line.second(speed) for speed in (1000, 5000, 999)] == [0, 0, 1]


def test_one_that_fails_was_the_last() -> None:
    line = Line()
    line.crew = Crew(line.means, fail, line.time)
    line.crew.possible = True
    line.second(100)
    line.bench.work()
    assert [line.second(speed) for speed in (200, 300)] == [1, 1]


def fail() -> None:
    raise Unavailable("one connection for each client")


def test_between_two_measurements_nothing_happens() -> None:
    line = Line()
    for _ in range(100):
        line.crew.consider(1)
    assert line.bench.asked == 0


@pytest.mark.parametrize(("rate", "asked"), [(100, 0), (200, 1)])
def test_rate_that_is_not_to_be_exceeded_is_fast_enough(rate: int, asked: int) -> None:
    assert Line(rate=rate).second(90) == asked


def test_server_without_ranges_gets_no_further_connection() -> None:
    assert Line(ranges=False).second(1) == 0


# With a server that lets each connection have little.


def slow(server: WebServer, *more: Action) -> WebServer:
    """Each connection of the server is slow; the ranges meet these faults first."""
    server.fail("GET", "", 1, paced)
    for action in more:
        server.fail("GET", "", 1, action)
    server.fail("GET", "", FOREVER, paced)
    return server


def test_file_comes_in_ranges_from_a_slow_server(cache: Path) -> None:
    with web(CONTENT) as server, Downloads.connect(cache, pace=EAGER) as downloads:
        found = downloads.fetch(wanted(slow(server).url, None))
    assert found.path.read_bytes() == CONTENT
    first, *ranges = server.ranges()
    assert first is None
    assert ranges
    assert {seen.headers["if-range"] for seen in server.requests[1:]} == {'"one"'}


@pytest.mark.parametrize("code", [200, 403, 429, 503])
def test_refused_helper_leaves_the_first_connection_alone(cache: Path, code: int) -> None:
    """A server that takes one connection of each client, or sends helpers the whole file."""
    refused = threading.Event()

    def refuse(exchange: Exchange) -> bool:
        answered = status(code)(exchange)
        refused.set()
        return answered

    def first(exchange: Exchange) -> bool:
        """Slow, and once a helper has asked for something, still until it has its answer."""
        answered = paced(exchange)
        stream: Any = exchange.wfile
        write = stream.write

        def halting(block: bytes) -> None:
            for start in range(0, len(block), 5000):
                if len(server.requests) > 1:
                    refused.wait(PATIENCE)
                write(block[start : start + 5000])

        stream.write = halting
        return answered

    with web(CONTENT) as server, Downloads.connect(cache, pace=EAGER, retry=AT_ONCE) as downloads:
        for action in (first, refuse):
            server.fail("GET", "", 1, action)
        server.fail("GET", "", FOREVER, paced)
        found = downloads.fetch(wanted(server.url, None))
    assert found.path.read_bytes() == CONTENT
    assert server.ranges()[0] is None
    # No further ones are sent for; those that were on their way may help.
    assert len(server.requests) <= 2 + EAGER.extra


def test_first_connection_waits_for_the_last_range(cache: Path) -> None:
    watch, found = Watch(), list[Fetched]()
    pace = Pace(window=0.05, smallest=100_000, extra=1)
    with (
        standing_still(1000) as still,
        web(CONTENT, [paced, still]) as server,
        Downloads.connect(cache, pace=pace, progress=watch) as downloads,
    ):
        fetching = threading.Thread(
            target=lambda: found.append(downloads.fetch(wanted(server.url)))
        )
        fetching.start()
        assert still.reached.wait(PATIENCE)
        middle = int(str(server.ranges()[1]).partition("=")[2].rstrip("-"))
        wait_until(lambda: watch.done == middle + 1000)
        still.go_on.set()
        fetching.join()
    assert found[0].path.read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_file_that_changes_while_helpers_are_at_work(cache: Path) -> None:
    """A helper hears of it first, then the first connection, which starts over."""
    other = CONTENT[::-1]
    with web(CONTENT) as server, Downloads.connect(cache, pace=EAGER, retry=AT_ONCE) as downloads:

        def change(exchange: Exchange) -> bool:
            server.content, server.etag = other, '"two"'
            return False

        found = downloads.fetch(wanted(slow(server, change).url, None))
    assert found.path.read_bytes() == other
    assert len(server.requests) >= 3


def test_helpers_end_with_the_first_connection(cache: Path) -> None:
    """Whatever ended it: the file is let go, and nobody writes into it any more."""
    with web(CONTENT) as server:
        gone: list[bool] = []

        def cut(exchange: Exchange) -> bool:
            """The range comes to its middle; from then on everything is refused."""
            exchange.cut = 1000
            gone.append(True)
            return False

        server.fail("GET", "", 1, paced)
        server.fail("GET", "", 1, cut)
        server.fail("GET", "", FOREVER, lambda exchange: bool(gone) and status(503)(exchange))
        order = wanted(server.url, size=len(CONTENT))
        with (
            Downloads.connect(cache, pace=EAGER, retry=AT_ONCE) as downloads,
            pytest.raises(Unavailable),
        ):
            downloads.fetch(order)
        with Downloads.connect(cache) as downloads:
            missing = downloads.missing([order])
    assert 0 < missing < len(CONTENT)
    assert len(files(cache)) == 2
