"""What came once is not fetched again as long as its server says that it is still the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.downloads import Downloads
from tests.bundler.downloads.support import AT_ONCE, CONTENT, DIGEST, wanted
from tests.fakes.faulty import Action, Exchange, header, status
from tests.fakes.web import web
from transfer.digest import Digest
from transfer.errors import Unavailable

MODIFIED = "Sun, 01 Nov 2026 08:00:00 GMT"
OTHER = CONTENT[::-1]


def no_etag(modified: str, code: int | None = None) -> Action:
    """Answer with a Last-Modified; with a status of its own, or the file."""

    def act(exchange: Exchange) -> bool:
        exchange.changed["Last-Modified"] = modified
        if code:
            exchange.answer(code)
        return code is not None

    return act


def test_unchanged_file_is_only_asked_for(downloads: Downloads) -> None:
    with web(CONTENT) as server:
        first = downloads.fetch(wanted(server.url, None))
        assert downloads.fetch(wanted(f"{server.url}?signature=2", None)) == first
        asked = server.requests[1].headers
        assert (asked["if-none-match"], asked["range"]) == ('"one"', "bytes=0-0")
        assert len(server.requests) == 2


def test_digest_of_a_lock_makes_it_known_too(downloads: Downloads) -> None:
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url))
        downloads.fetch(wanted(server.url, None))
        assert server.ranges() == [None, "bytes=0-0"]


def test_server_that_knows_no_conditions(downloads: Downloads) -> None:
    """It sends the first byte, or all: what its headers say is enough."""

    def ignore(exchange: Exchange) -> bool:
        del exchange.headers["If-None-Match"]
        return False

    def ignore_all(exchange: Exchange) -> bool:
        del exchange.headers["Range"]
        return ignore(exchange)

    with web(CONTENT, [header("X", "1"), ignore, ignore_all]) as server:
        found = [downloads.fetch(wanted(server.url, None)) for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert len(server.requests) == 3


def test_last_modified_will_do(downloads: Downloads) -> None:
    script = [no_etag(MODIFIED), no_etag(MODIFIED, 304), no_etag(MODIFIED)]
    with web(CONTENT, script) as server:
        server.etag = None
        for _ in range(3):
            assert downloads.fetch(wanted(server.url, None)).digest == DIGEST
        assert server.requests[1].headers["if-modified-since"] == MODIFIED
        assert server.ranges() == [None, "bytes=0-0", "bytes=0-0"]


def test_same_date_and_another_size_is_another_file(downloads: Downloads) -> None:
    with web(CONTENT, [no_etag(MODIFIED)] * 3) as server:
        server.etag = None
        downloads.fetch(wanted(server.url, None))
        server.content = OTHER[:-1]
        assert downloads.fetch(wanted(server.url, None)).digest == Digest.of(OTHER[:-1])


def test_changed_file_is_fetched(downloads: Downloads) -> None:
    with web(CONTENT) as server:
        first = downloads.fetch(wanted(server.url, None))
        server.content, server.etag = OTHER, '"two"'
        second = downloads.fetch(wanted(server.url, None))
        assert second.digest == Digest.of(OTHER)
        assert first.path.read_bytes() == CONTENT


@pytest.mark.parametrize("modified", [None, "Fri, 01 Jan 2100 08:00:00 GMT"])
def test_without_a_validator_it_is_fetched_again(
    downloads: Downloads, modified: str | None
) -> None:
    with web(CONTENT, [header("Last-Modified", modified)] * 2) as server:
        server.etag = None
        downloads.fetch(wanted(server.url, None))
        downloads.fetch(wanted(server.url, None))
        assert server.ranges() == [None, None]


def test_pinned_identity_needs_no_request(downloads: Downloads) -> None:
    with web(CONTENT) as server:
        pinned = wanted(server.url, None, pinned=True)
        assert downloads.present(pinned) is None
        first = downloads.fetch(pinned)
        assert downloads.fetch(pinned) == downloads.present(pinned) == first
        assert downloads.present(wanted(server.url, None)) is None
        assert len(server.requests) == 1


def test_another_identity_is_another_file(downloads: Downloads) -> None:
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url, None))
        downloads.fetch(wanted(server.url, None, identity="another"))
        assert server.ranges() == [None, None]


def test_what_is_remembered_and_gone_is_fetched(downloads: Downloads) -> None:
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url, None))
        downloads.forget(DIGEST)
        downloads.fetch(wanted(server.url, None))
        assert server.ranges() == [None, None]


@pytest.mark.parametrize("code", [403, 404, 503])
def test_server_that_does_not_answer_the_question(
    cache: Path, downloads: Downloads, code: int
) -> None:
    """Whether that is an error, fetching the file will tell."""
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url, None))
        server.fail("GET", "", 1, status(code))
        assert downloads.fetch(wanted(server.url, None)).digest == DIGEST
        assert server.ranges() == [None, "bytes=0-0", None]
        with (
            server.away(),
            Downloads.connect(cache, retry=AT_ONCE) as later,
            pytest.raises(Unavailable),
        ):
            later.fetch(wanted(server.url, None))


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff", b'{"identity": 5, "digest": "x"}'])
def test_damaged_memory_is_none(cache: Path, downloads: Downloads, raw: bytes) -> None:
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url, None))
        (path,) = (cache / "remembered").iterdir()
        path.write_bytes(raw)
        downloads.fetch(wanted(server.url, None))
        assert server.ranges() == [None, None]


def test_no_secret_is_remembered(cache: Path) -> None:
    with web(CONTENT) as server, Downloads.connect(cache, retry=AT_ONCE) as downloads:
        downloads.fetch(wanted(f"{server.url}?signature=secret", None))
    kept = b"".join(p.read_bytes() for p in (cache / "remembered").iterdir())
    assert b"secret" not in kept
