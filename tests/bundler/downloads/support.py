"""What the tests of downloads share: what is wanted, and what is in the cache afterwards."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bundler.downloads import Download, Downloads, Pace
from bundler.sources.protocol import Location
from tests.fakes.faulty import Exchange, close_after, status
from tests.fakes.web import web
from tests.processes import PATIENCE
from transfer.digest import Digest
from transfer.errors import Unavailable
from transfer.http.retry import RetryPolicy

CONTENT = os.urandom(300_000)
DIGEST = Digest.of(CONTENT)
COMPLETE = {f"sha256/{DIGEST.encoded}": len(CONTENT)}
PARTIAL = f"partial/{DIGEST.encoded}"
AT_ONCE = RetryPolicy(attempts=3, sleep=lambda _seconds: None)
WHAT = "archive harness.airgap"

EAGER = Pace(window=0.05, smallest=1000, extra=3)
"""Asks for help almost at once."""


def wanted(
    url: str,
    digest: Digest | None = DIGEST,
    *,
    size: int | None = None,
    identity: str = "release/harness.airgap",
    pinned: bool = False,
    what: str = WHAT,
) -> Download:
    """A file at an address that stays."""
    return Download(
        what=what,
        identity=identity,
        file_name="harness.airgap",
        digest=digest,
        size=size,
        locate=lambda: Location(url=url),
        pinned=pinned,
    )


def files(cache: Path) -> dict[str, int]:
    """What is in a cache but for what is noted: names and sizes."""
    found = (path for path in cache.rglob("*") if path.is_file())
    named = {path.relative_to(cache).as_posix(): path.stat().st_size for path in found}
    return {
        name: size
        for name, size in named.items()
        if not name.startswith(("remembered/", "unconfirmed/"))
    }


def leave(cache: Path, count: int, *, digest: Digest | None = DIGEST, etag: str = '"one"') -> None:
    """A part with the first `count` bytes, as an interrupted run leaves it."""
    with (
        web(CONTENT, [close_after(count), *[status(503)] * 3]) as server,
        Downloads.connect(cache, retry=AT_ONCE) as downloads,
    ):
        server.etag = etag or None
        with pytest.raises(Unavailable):
            downloads.fetch(wanted(server.url, digest))


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what is about to happen."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@dataclass(slots=True)
class Standstill:
    """A fault: sends the start of the body, and then nothing until it is let go."""

    count: int
    """Bytes that are sent before."""
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, exchange: Exchange) -> bool:
        stream: Any = exchange.wfile
        write = stream.write

        def slowly(block: bytes) -> None:
            if block.startswith(b"HTTP/1.1"):
                write(block)
                return
            write(block[: self.count])
            self.reached.set()
            self.go_on.wait(PATIENCE)
            write(block[self.count :])

        stream.write = slowly
        return False


@contextmanager
def standing_still(count: int) -> Iterator[Standstill]:
    """The same; let go on the way out."""
    still = Standstill(count)
    try:
        yield still
    finally:
        still.go_on.set()


def paced(exchange: Exchange) -> bool:
    """Send the body piece by piece, so that there is time for others to join."""
    stream: Any = exchange.wfile
    write = stream.write

    def slowly(block: bytes) -> None:
        if block.startswith(b"HTTP/1.1"):
            write(block)
            return
        for start in range(0, len(block), 5000):
            write(block[start : start + 5000])
            threading.Event().wait(0.01)

    stream.write = slowly
    exchange.changed["Accept-Ranges"] = "bytes"
    return False
