"""A download arrives whole and proven, however often it breaks, or nothing of it is kept."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bundler.downloads import Downloads
from tests.disks import small_disk
from tests.fakes.faulty import Action, Exchange, close_after, status
from tests.fakes.web import web
from tests.processes import PATIENCE, free_port
from tests.servers import Certificate, nginx
from tests.transfer.memory import Watch
from transfer.digest import Digest
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    InvalidInput,
    NotFound,
    StorageError,
    TransferError,
    Unavailable,
)
from transfer.http.retry import RetryPolicy

pytest_plugins = ["tests.server_fixtures"]

CONTENT = os.urandom(300_000)
DIGEST = Digest.of(CONTENT)
AT_ONCE = RetryPolicy(attempts=3, sleep=lambda _seconds: None)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def downloads(cache: Path) -> Iterator[Downloads]:
    with Downloads.connect(cache, retry=AT_ONCE) as made:
        yield made


def files(cache: Path) -> dict[str, int]:
    found = (path for path in cache.rglob("*") if path.is_file())
    return {path.relative_to(cache).as_posix(): path.stat().st_size for path in found}


COMPLETE = {f"sha256/{DIGEST.encoded}": len(CONTENT)}
PARTIAL = f"partial/{DIGEST.encoded}"


def test_file_is_fetched_once(downloads: Downloads, cache: Path) -> None:
    with web(CONTENT) as server:
        path = downloads.fetch(server.url, DIGEST)
        assert path.read_bytes() == CONTENT
        assert downloads.fetch(server.url, DIGEST) == path
    assert len(server.requests) == 1
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert files(cache) == COMPLETE
    downloads.forget(DIGEST)
    assert files(cache) == {}


def test_empty_file_is_a_file(downloads: Downloads) -> None:
    with web(b"") as server:
        assert downloads.fetch(server.url, Digest.of(b"")).read_bytes() == b""


def test_progress_tells_every_byte(cache: Path) -> None:
    watch = Watch()
    with (
        web(CONTENT, [close_after(100_000)]) as server,
        Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads,
    ):
        downloads.fetch(f"{server.url}?signature=secret", DIGEST)
    assert watch.label == f"download {server.url}"
    assert watch.total == watch.done == len(CONTENT)
    assert watch.ended
    (line,) = watch.lines
    assert "trying again" in line
    assert "secret" not in line


def test_broken_connection_continues_where_it_was(downloads: Downloads) -> None:
    # Seven breaks, more than there are tries: as long as bytes arrive, it goes on.
    with web(CONTENT, [close_after(40_000)] * 7) as server:
        assert downloads.fetch(server.url, DIGEST).read_bytes() == CONTENT
    assert server.ranges() == [None, *(f"bytes={i * 40_000}-" for i in range(1, 8))]
    assert {request.headers.get("if-range") for request in server.requests[1:]} == {'"one"'}


def test_next_run_continues_and_proves_the_part_again(cache: Path) -> None:
    for script, asked in ([close_after(100_000), *[status(503)] * 9], None), ([], "bytes=100000-"):
        with web(CONTENT, script) as server, Downloads.connect(cache, retry=AT_ONCE) as downloads:
            if asked is None:
                with pytest.raises(Unavailable):
                    downloads.fetch(server.url, DIGEST)
                assert files(cache)[PARTIAL] == 100_000
            else:
                assert downloads.fetch(server.url, DIGEST).read_bytes() == CONTENT
            assert server.ranges()[0] == asked
    assert files(cache) == COMPLETE


def test_damaged_part_of_an_earlier_run_is_thrown_away(cache: Path) -> None:
    (cache / "partial").mkdir(parents=True)
    (cache / PARTIAL).write_bytes(b"x" * 1000)
    watch = Watch()
    with (
        web(CONTENT) as server,
        Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads,
    ):
        assert downloads.fetch(server.url, DIGEST).read_bytes() == CONTENT
    assert server.ranges() == ["bytes=1000-", None]
    assert "starting over" in watch.lines[-1]


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) + 5], ids=["complete", "too-long"])
def test_part_that_has_all_or_too_much(downloads: Downloads, cache: Path, size: int) -> None:
    """A range behind the end is answered 416."""
    (cache / "partial").mkdir(parents=True)
    (cache / PARTIAL).write_bytes(CONTENT.ljust(size, b"x"))
    with web(CONTENT) as server:
        assert downloads.fetch(server.url, DIGEST).read_bytes() == CONTENT
    assert len(server.requests) == (1 if size == len(CONTENT) else 2)


def elsewhere(exchange: Exchange) -> bool:
    """Answer a range with another one."""
    exchange.answer(206, {"Content-Range": f"bytes 0-4/{len(CONTENT)}"}, CONTENT[:5])
    return True


def changed(exchange: Exchange) -> bool:
    """Answer a range with the whole, as If-Range wants it for other content."""
    exchange.answer(200, {"ETag": '"two"'}, CONTENT)
    return True


@pytest.mark.parametrize(("step", "requests"), [(elsewhere, 3), (changed, 2)])
def test_wrong_range_starts_over(cache: Path, step: Action, requests: int) -> None:
    watch = Watch()
    with (
        web(CONTENT, [close_after(100_000), step]) as server,
        Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads,
    ):
        assert downloads.fetch(server.url, DIGEST).read_bytes() == CONTENT
    assert len(server.requests) == requests
    assert watch.done == watch.total == len(CONTENT)


@pytest.mark.parametrize(
    ("script", "requests"),
    [
        ([status(500)], 2),
        ([status(429, {"Retry-After": "3"})] * 2, 3),
        ([status(503), close_after(10)], 3),
    ],
)
def test_what_is_temporary_is_tried_again(
    downloads: Downloads, script: list[Action], requests: int
) -> None:
    with web(CONTENT, script) as server:
        assert downloads.fetch(server.url, DIGEST).read_bytes() == CONTENT
    assert len(server.requests) == requests


def test_server_says_how_long_to_wait(cache: Path) -> None:
    waited: list[float] = []
    policy = RetryPolicy(sleep=waited.append, random=lambda: 0.0)
    with (
        web(CONTENT, [status(429, {"Retry-After": "7"})]) as server,
        Downloads.connect(cache, retry=policy) as downloads,
    ):
        downloads.fetch(server.url, DIGEST)
    assert waited == [7.0]


@pytest.mark.parametrize(
    ("code", "error", "requests"),
    [
        (404, NotFound, 1),
        (410, NotFound, 1),
        (401, AccessDenied, 1),
        (403, AccessDenied, 1),
        (400, InvalidInput, 1),
        (500, Unavailable, 3),
        (429, Unavailable, 3),
    ],
)
def test_refusal_names_the_address_without_its_query(
    downloads: Downloads, cache: Path, code: int, error: type[TransferError], requests: int
) -> None:
    with web(CONTENT, [status(code)] * 9) as server, pytest.raises(error) as caught:
        downloads.fetch(f"{server.url}?X-Signature=secret", DIGEST)
    assert caught.value.message.startswith(f"download {server.url}: the server answered {code}")
    assert "secret" not in str(caught.value.__cause__)
    assert caught.value.hint
    assert len(server.requests) == requests
    assert files(cache) == {}


def test_wrong_content_is_named_and_removed(downloads: Downloads, cache: Path) -> None:
    with web(b"<html>please log in</html>") as server, pytest.raises(DigestMismatch) as caught:
        downloads.fetch(f"{server.url}?X-Signature=secret", DIGEST)
    found = Digest.of(b"<html>please log in</html>")
    assert caught.value.message == (
        f"download {server.url}: expected {DIGEST}, found {found}; it was removed"
    )
    assert len(server.requests) == 1
    assert files(cache) == {}


def test_nobody_there(downloads: Downloads) -> None:
    with pytest.raises(Unavailable) as caught:
        downloads.fetch(f"http://127.0.0.1:{free_port()}/x", DIGEST)
    assert "the download continues" in str(caught.value.hint)


@pytest.mark.real
def test_full_disk_keeps_what_arrived(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "200k") as disk, web(CONTENT) as server:
        with (
            Downloads.connect(disk, retry=AT_ONCE) as downloads,
            pytest.raises(StorageError, match=r"download .*: No space left") as caught,
        ):
            downloads.fetch(server.url, DIGEST)
        assert "free some space" in str(caught.value.hint)
        assert not (disk / "sha256").exists()


def test_two_at_once_download_once(cache: Path) -> None:
    begun, waiting = threading.Event(), threading.Event()

    def slowly(_exchange: Exchange) -> bool:
        begun.set()
        assert waiting.wait(PATIENCE)
        return False

    class Waits(Watch):
        def say(self, line: str) -> None:
            super().say(line)
            waiting.set()

    first, second, found = Watch(), Waits(), list[Path]()
    with web(CONTENT, [slowly]) as server:

        def fetch(watch: Watch) -> None:
            with Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads:
                found.append(downloads.fetch(server.url, DIGEST))

        one = threading.Thread(target=fetch, args=(first,))
        one.start()
        assert begun.wait(PATIENCE)
        fetch(second)
        one.join()
    assert "another process is at it; waiting" in second.lines[0]
    assert found[0] == found[1]
    assert len(server.requests) == 1
    assert files(cache) == COMPLETE


# Real nginx.


def sent(access: Path) -> list[tuple[int, int]]:
    """Status and bytes of the body for every request of ours."""
    found = re.findall(r'"GET (?!\S*\?probe)\S+ HTTP/1.1" (\d+) (\d+) ', access.read_text())
    return [(int(code), int(size)) for code, size in found]


FETCH = """
import sys
from pathlib import Path
from bundler.downloads import Downloads
from transfer.digest import Digest
with Downloads.connect(Path(sys.argv[1])) as downloads:
    print(downloads.fetch(sys.argv[2], Digest.parse(sys.argv[3])))
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.real
def test_killed_download_continues(tmp_path: Path, cache: Path) -> None:
    content = os.urandom(8_000_000)
    digest = Digest.of(content)
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(content)
    part = cache / "partial" / digest.encoded
    with nginx(tmp_path / "nginx", root, "limit_rate 4m;") as server:
        argv = [sys.executable, "-c", FETCH, str(cache), f"http://{server.host}/file", str(digest)]
        with subprocess.Popen(argv) as process:
            wait_until(lambda: part.exists() and part.stat().st_size > 1_000_000)
            process.kill()
        kept = part.stat().st_size
        assert 1_000_000 < kept < len(content)
        done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert Path(done.stdout.strip()).read_bytes() == content
    assert sent(server.access)[-1] == (206, len(content) - kept)


@pytest.mark.real
def test_server_that_ignores_ranges(tmp_path: Path, cache: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(CONTENT)
    (cache / "partial").mkdir(parents=True)
    (cache / PARTIAL).write_bytes(CONTENT[:1000])
    with (
        nginx(tmp_path / "nginx", root, "max_ranges 0;") as server,
        Downloads.connect(cache) as downloads,
    ):
        path = downloads.fetch(f"http://{server.host}/file", DIGEST)
        assert path.read_bytes() == CONTENT
    assert sent(server.access) == [(200, len(CONTENT))]


@pytest.mark.real
def test_file_that_changed_meanwhile_starts_over(tmp_path: Path, cache: Path) -> None:
    root, other = tmp_path / "root", CONTENT[::-1]
    root.mkdir()
    (root / "file").write_bytes(CONTENT)
    with (
        nginx(tmp_path / "nginx", root, "location /moved { return 302 /file; }") as server,
        Downloads.connect(cache, retry=AT_ONCE) as downloads,
    ):
        with pytest.raises(DigestMismatch):
            downloads.fetch(f"http://{server.host}/file", Digest.of(other))
        assert files(cache) == {}
        (root / "file").write_bytes(other)
        path = downloads.fetch(f"http://{server.host}/moved", Digest.of(other))
        assert path.read_bytes() == other
        with pytest.raises(NotFound):
            downloads.fetch(f"http://{server.host}/gone", DIGEST)


@pytest.mark.real
def test_only_trusted_servers(
    tmp_path: Path, cache: Path, tls: Certificate, other_tls: Certificate
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(CONTENT)
    with nginx(tmp_path / "nginx", root, tls=tls) as server:
        url = f"https://{server.host}/file"
        for ca_file in (None, other_tls.ca):
            with (
                Downloads.connect(cache, ca_file=ca_file, retry=AT_ONCE) as downloads,
                pytest.raises(AccessDenied, match="certificate is not trusted"),
            ):
                downloads.fetch(url, DIGEST)
        with Downloads.connect(cache, ca_file=tls.ca) as downloads:
            assert downloads.fetch(url, DIGEST).read_bytes() == CONTENT
