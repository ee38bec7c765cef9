"""A file arrives whole and proven, or nothing of it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundler.downloads import Downloads
from tests.bundler.downloads.support import (
    AT_ONCE,
    COMPLETE,
    CONTENT,
    DIGEST,
    WHAT,
    files,
    wait_until,
    wanted,
)
from tests.disks import small_disk
from tests.fakes.faulty import Action, Exchange, close_after, header, status
from tests.fakes.web import web
from tests.processes import free_port
from tests.transfer.memory import Watch
from transfer.digest import Digest
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    InvalidInput,
    NotFound,
    SizeMismatch,
    StorageError,
    TransferError,
    Unavailable,
)
from transfer.http.retry import RetryPolicy


def test_file_is_fetched_once(downloads: Downloads, cache: Path) -> None:
    with web(CONTENT) as server:
        found = downloads.fetch(wanted(server.url))
        assert found.path.read_bytes() == CONTENT
        assert (found.digest, found.size) == (DIGEST, len(CONTENT))
        assert downloads.fetch(wanted(server.url)) == found
    assert len(server.requests) == 1
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert files(cache) == COMPLETE
    downloads.forget(DIGEST)
    assert files(cache) == {}
    assert downloads.present(wanted(server.url)) is None


def test_digest_is_found_where_nobody_said_one(downloads: Downloads, cache: Path) -> None:
    with web(CONTENT) as server:
        found = downloads.fetch(wanted(server.url, None))
    assert found.digest == DIGEST
    assert files(cache) == COMPLETE


def test_empty_file_is_a_file(downloads: Downloads) -> None:
    with web(b"") as server:
        assert downloads.fetch(wanted(server.url, Digest.of(b""))).path.read_bytes() == b""


def test_damaged_file_in_the_cache_is_fetched_again(downloads: Downloads, cache: Path) -> None:
    with web(CONTENT) as server:
        order = wanted(server.url, size=len(CONTENT))
        downloads.fetch(order).path.write_bytes(CONTENT[:-1])
        assert downloads.present(order) is None
        assert downloads.fetch(order).path.read_bytes() == CONTENT


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_progress_tells_every_byte(cache: Path, size: int | None) -> None:
    watch = Watch()
    with (
        web(CONTENT, [close_after(100_000)]) as server,
        Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads,
    ):
        downloads.fetch(wanted(f"{server.url}?signature=secret", size=size))
    assert watch.label == WHAT
    assert watch.total == watch.done == watch.most == len(CONTENT)
    assert watch.ended
    (line,) = watch.lines
    assert "trying again" in line
    assert "secret" not in line


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
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert len(server.requests) == requests


def test_server_says_how_long_to_wait(cache: Path) -> None:
    waited: list[float] = []
    policy = RetryPolicy(sleep=waited.append, random=lambda: 0.0)
    with (
        web(CONTENT, [status(429, {"Retry-After": "7"})]) as server,
        Downloads.connect(cache, retry=policy) as downloads,
    ):
        downloads.fetch(wanted(server.url))
    assert waited == [7.0]


def test_status_without_a_name(downloads: Downloads) -> None:
    with (
        web(CONTENT, [status(599)] * 3) as server,
        pytest.raises(Unavailable, match=f"^{WHAT}: answered 599 "),
    ):
        downloads.fetch(wanted(server.url))


@pytest.mark.parametrize(
    ("code", "error", "requests"),
    [
        (404, NotFound, 1),
        (410, NotFound, 1),
        (401, AccessDenied, 1),
        (403, AccessDenied, 1),
        (407, AccessDenied, 1),
        (400, InvalidInput, 1),
        (500, Unavailable, 3),
        (429, Unavailable, 3),
    ],
)
def test_refusal_is_told_without_the_query(
    downloads: Downloads, cache: Path, code: int, error: type[TransferError], requests: int
) -> None:
    with web(CONTENT, [status(code)] * 9) as server, pytest.raises(error) as caught:
        downloads.fetch(wanted(f"{server.url}?X-Signature=secret"))
    assert caught.value.message.startswith(f"{WHAT}: ")
    assert f"answered {code}" in caught.value.message
    assert "secret" not in str(caught.value.__cause__)
    assert caught.value.hint
    assert len(server.requests) == requests
    assert files(cache) == {}


def test_wrong_content_is_named_and_removed(downloads: Downloads, cache: Path) -> None:
    page = b"<html>please log in</html>"
    with web(page) as server, pytest.raises(DigestMismatch) as caught:
        downloads.fetch(wanted(server.url))
    assert caught.value.message == (
        f"{WHAT}: expected {DIGEST}, found {Digest.of(page)}; it was removed"
    )
    assert len(server.requests) == 1
    assert files(cache) == {}


def chunks(exchange: Exchange) -> bool:
    """Send the file in chunks, which leaves its size open."""
    exchange.send_response(200)
    exchange.send_header("Transfer-Encoding", "chunked")
    exchange.end_headers()
    for start in range(0, len(CONTENT), 70_000):
        block = CONTENT[start : start + 70_000]
        exchange.wfile.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
    exchange.wfile.write(b"0\r\n\r\n")
    return True


def unframed(exchange: Exchange) -> bool:
    """Send the file and close the connection, which is all that tells its end."""
    exchange.close_connection = True
    exchange.send_response(200)
    exchange.end_headers()
    exchange.wfile.write(CONTENT)
    return True


def whole(_exchange: Exchange) -> bool:
    """Nothing is wrong."""
    return False


@pytest.mark.parametrize("step", [whole, chunks, unframed])
def test_more_than_declared_is_refused_and_not_kept(
    downloads: Downloads, cache: Path, step: Action
) -> None:
    with web(CONTENT, [step]) as server, pytest.raises(SizeMismatch) as caught:
        downloads.fetch(wanted(server.url, size=len(CONTENT) - 1))
    assert f"expected {len(CONTENT) - 1}; nothing of it was kept" in caught.value.message
    assert len(server.requests) == 1
    assert files(cache) == {}


def test_more_than_declared_is_refused_while_it_arrives(downloads: Downloads, cache: Path) -> None:
    """A body without an end must not fill the disk."""
    left: list[Exception] = []

    def endless(exchange: Exchange) -> bool:
        exchange.send_response(200)
        exchange.send_header("Transfer-Encoding", "chunked")
        exchange.end_headers()
        try:
            for _ in range(500):
                exchange.wfile.write(b"186a0\r\n" + bytes(100_000) + b"\r\n")
        except OSError as error:
            left.append(error)
        exchange.close_connection = True
        return True

    with web(CONTENT, [endless]) as server, pytest.raises(SizeMismatch):
        downloads.fetch(wanted(server.url, size=len(CONTENT)))
    wait_until(lambda: bool(left))
    assert files(cache) == {}


@pytest.mark.parametrize("step", [whole, chunks, unframed])
def test_fewer_than_declared_may_still_come(downloads: Downloads, step: Action) -> None:
    longer = CONTENT + b"and more"
    with web(longer) as server:

        def cut(exchange: Exchange) -> bool:
            server.content = CONTENT
            return step(exchange)

        def mend(_exchange: Exchange) -> bool:
            server.content = longer
            return False

        server.fail("GET", "", 1, cut)
        server.fail("GET", "", 1, mend)
        order = wanted(server.url, Digest.of(longer), size=len(longer))
        assert downloads.fetch(order).path.read_bytes() == longer


def test_fewer_than_declared_for_good(downloads: Downloads) -> None:
    with web(CONTENT) as server, pytest.raises(Unavailable) as caught:
        downloads.fetch(wanted(server.url, size=len(CONTENT) + 1))
    assert f"{len(CONTENT)} bytes of it, expected {len(CONTENT) + 1}" in caught.value.message


def test_size_that_nobody_tells(downloads: Downloads) -> None:
    with web(CONTENT, [chunks]) as server:
        assert downloads.fetch(wanted(server.url, None)).digest == DIGEST
    assert len(server.requests) == 1


def test_end_that_nobody_tells_needs_a_digest(downloads: Downloads, cache: Path) -> None:
    with web(CONTENT, [unframed] * 2) as server:
        with pytest.raises(InvalidInput, match="a cut would not be noticed"):
            downloads.fetch(wanted(server.url, None))
        assert files(cache) == {}
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["Date", "Last-Modified"])
def test_no_date_is_too_strange(downloads: Downloads, name: str) -> None:
    strange = "Mon, 01 Jan 99999999999 00:00:00 GMT"
    both = {
        "Date": "Sun, 01 Nov 2026 08:00:00 GMT",
        "Last-Modified": "Sun, 01 Nov 2026 07:00:00 GMT",
    }

    def dated(exchange: Exchange) -> bool:
        exchange.send_response_only(200)
        for header_name, value in {**both, name: strange}.items():
            exchange.send_header(header_name, value)
        exchange.send_header("Content-Length", str(len(CONTENT)))
        exchange.end_headers()
        exchange.wfile.write(CONTENT)
        return True

    with web(CONTENT, [dated]) as server:
        assert downloads.fetch(wanted(server.url)).digest == DIGEST


def test_encoding_is_never_undone(downloads: Downloads) -> None:
    """A server that calls a .gz file encoded would have it unpacked."""
    with web(CONTENT, [header("Content-Encoding", "gzip")]) as server:
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT


def test_encoding_is_told_where_no_digest_would(downloads: Downloads, cache: Path) -> None:
    """It would be carried, and locked, in place of the file."""
    with web(CONTENT, [header("Content-Encoding", "gzip")] * 2) as server:
        guide = replace(wanted(server.url, None), file_name="guide.pdf")
        with pytest.raises(InvalidInput, match=r"comes encoded \(gzip\), and not as the file"):
            downloads.fetch(guide)
        assert files(cache) == {}
        archive = replace(guide, file_name="platform_images.tgz", identity="another")
        assert downloads.fetch(archive).digest == DIGEST


def test_only_sha256(downloads: Downloads) -> None:
    with pytest.raises(InvalidInput, match="expected a SHA-256, found sha512"):
        downloads.fetch(wanted("http://127.0.0.1/x", Digest.of(b"", "sha512")))


def test_nobody_there(downloads: Downloads) -> None:
    with pytest.raises(Unavailable) as caught:
        downloads.fetch(wanted(f"http://127.0.0.1:{free_port()}/x"))
    assert "the download continues" in str(caught.value.hint)


@pytest.mark.real
def test_full_disk_keeps_what_arrived(tmp_path: Path) -> None:
    # Nobody says how long it is, so nobody can see beforehand that there is no room.
    with small_disk(tmp_path / "disk", "200k") as disk, web(CONTENT, [chunks]) as server:
        with (
            Downloads.connect(disk, retry=AT_ONCE) as downloads,
            pytest.raises(StorageError, match=f"{WHAT}: No space left") as caught,
        ):
            downloads.fetch(wanted(server.url))
        assert "free some space" in str(caught.value.hint)
        assert not (disk / "sha256").exists()
