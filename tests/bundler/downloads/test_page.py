"""The page about downloads that keep failing quotes only what is really said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bundler.downloads import Download, Downloads, Pace, fetching
from bundler.downloads.answers import EXPIRED
from bundler.downloads.limits import Trickle
from tests.bundler.downloads.support import (
    AT_ONCE,
    CONTENT,
    PARTIAL,
    Standstill,
    leave,
    wanted,
)
from tests.bundler.downloads.test_fetch import unframed
from tests.bundler.downloads.test_several import Time
from tests.bundler.downloads.test_signed import URL, Portal
from tests.disks import small_disk
from tests.fakes.faulty import FOREVER, Action, close_after, status
from tests.fakes.web import WebServer, web
from tests.processes import free_port
from tests.servers import Certificate
from tests.transfer.memory import Watch
from transfer.disk import lock_file
from transfer.errors import TransferError, Unavailable
from transfer.http.answers import TEMPORARY

pytest_plugins = ["tests.server_fixtures"]

PAGE = (Path(__file__).parents[3] / "docs/downloads.md").read_text()


def plain(line: str) -> str:
    """A line without what differs from one download to the next."""
    line = re.sub(r"(downloads\.example\.com|127\.0\.0\.1)(:\d+)?", "HOST", line)
    line = re.sub(r"cache /\S+:", "cache FOLDER:", line.removeprefix("error: "))
    line = re.sub(r"sha256:[0-9a-f]+…?", "DIGEST", line)
    line = re.sub(r"\d+(\.\d+)?( [kMGT]?B\b)?", "N", line)
    return re.sub(r" \(/\S+\)$", "", line)


def quoted() -> list[str]:
    """Every message on the page."""
    blocks = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@dataclass(slots=True)
class Said:
    """What was said in one download after another, as `plain` has it."""

    folder: Path
    lines: set[str]

    def fetch(self, *orders: Download, cache: Path | None = None, **settings: object) -> None:
        """Fetch something, and remember whatever is said of it."""
        watch = Watch()
        options: dict[str, object] = {"retry": AT_ONCE, "progress": watch, **settings}
        folder = cache or self.folder / str(len(self.lines))
        try:
            with Downloads.connect(folder, **options) as downloads:  # type: ignore[arg-type]
                downloads.fetch_all(orders)
        except TransferError as error:
            self.lines.add(plain(error.message))
        self.lines |= set(map(plain, watch.lines))

    def of(self, *script: Action, order: Callable[[WebServer], Download] | None = None) -> None:
        """The same from a server that does this."""
        with web(CONTENT, script) as server:
            self.fetch(order(server) if order else wanted(server.url))


@pytest.fixture
def said(tmp_path: Path) -> Said:
    return Said(tmp_path, set())


def hear_servers(said: Said) -> None:
    for script in ([status(503)] * 3, [close_after(0)] * 3, [status(403)], [status(404)]):
        said.of(*script)
    said.of(*[status(403)] * 9, order=lambda server: Portal(server).order())
    said.of(unframed, order=lambda server: wanted(server.url, None))
    for size in (10, len(CONTENT) + 1):
        said.of(order=lambda server, size=size: wanted(server.url, size=size))  # type: ignore[misc]
    with web(b"other") as server:
        said.fetch(wanted(server.url))
    still = [Standstill(0) for _ in range(3)]
    with web(CONTENT, still) as server:
        said.fetch(wanted(server.url), pace=Pace(stall=0.1))
        for one in still:
            one.go_on.set()
    said.fetch(wanted(f"http://127.0.0.1:{free_port()}/x"))
    with web(CONTENT, [status(407)]) as proxy:
        said.fetch(wanted(URL), environ={"http_proxy": f"http://{proxy.host}"})
    time = Time()
    trickle = Trickle("archive harness.airgap", 1000, 60.0, time)
    time.now = 60.0
    with pytest.raises(Unavailable) as caught:
        trickle.came(5120)
    said.lines.add(plain(caught.value.message))


def hear_disks(said: Said) -> None:
    large = (wanted("http://127.0.0.1/", size=10**15), wanted("http://127.0.0.1/", None, size=1))
    said.fetch(*large)
    cache = said.folder / "damaged"
    leave(cache, 1000)
    (cache / PARTIAL).write_bytes(b"x" * 1000)
    with web(CONTENT) as server:
        said.fetch(wanted(server.url), cache=cache)
    shared = said.folder / "shared"
    (shared / "partial").mkdir(parents=True)
    held = lock_file(shared / PARTIAL, "")

    class LetsGo(Watch):
        def say(self, line: str) -> None:
            said.lines.add(plain(line))
            held.close()

    with web(CONTENT) as server:
        said.fetch(wanted(server.url), cache=shared, progress=LetsGo())
    with small_disk(said.folder / "disk", "200k") as disk, web(CONTENT) as server:
        server.fail("GET", "", FOREVER, unframed)
        said.fetch(wanted(server.url), cache=disk)


@pytest.mark.real
def test_what_is_quoted_is_said(
    said: Said, tls: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear_servers(said)
    hear_disks(said)
    monkeypatch.setattr(fetching, "_STEP", 100_000)
    monkeypatch.setattr(fetching, "_RESERVE", 1 << 48)
    said.of(unframed)
    with WebServer(tls=tls, content=CONTENT) as server:
        said.fetch(wanted(server.url.replace("http:", "https:")))
    assert [line for line in quoted() if plain(line) not in said.lines] == []


def test_statuses_of_the_table_are_those_of_the_code() -> None:
    table = PAGE.partition("## Not enough room")[0]
    assert set(map(int, re.findall(r"\b[45]\d\d\b", table))) == {*EXPIRED, *TEMPORARY}
