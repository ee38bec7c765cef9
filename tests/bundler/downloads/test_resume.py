"""What arrived once stays, through drops, kills and reboots; what cannot be trusted does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundler.downloads import Downloads, Pace, boot, journal
from bundler.downloads.journal import Journal, Validator, read_journal
from tests.bundler.downloads.support import (
    AT_ONCE,
    COMPLETE,
    CONTENT,
    DIGEST,
    PARTIAL,
    files,
    leave,
    paced,
    standing_still,
    wanted,
)
from tests.fakes.faulty import Action, Exchange, close_after, header, status
from tests.fakes.web import web
from tests.transfer.memory import Watch
from transfer.digest import Digest
from transfer.errors import DigestMismatch, Unavailable

DOWN = status(503)


def test_broken_connection_continues_where_it_was(downloads: Downloads) -> None:
    # Seven breaks, more than there are tries: as long as bytes arrive, it goes on.
    with web(CONTENT, [close_after(40_000)] * 7) as server:
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert server.ranges() == [None, *(f"bytes={i * 40_000}-" for i in range(1, 8))]
    assert {request.headers.get("if-range") for request in server.requests[1:]} == {'"one"'}


@pytest.mark.parametrize("digest", [DIGEST, None])
def test_next_run_continues(cache: Path, downloads: Downloads, digest: Digest | None) -> None:
    leave(cache, 100_000, digest=digest)
    (part,) = (size for name, size in files(cache).items() if "journal" not in name)
    assert part == 100_000
    with web(CONTENT) as server:
        found = downloads.fetch(wanted(server.url, digest))
    assert (found.path.read_bytes(), found.digest) == (CONTENT, DIGEST)
    assert server.ranges() == ["bytes=100000-"]
    assert server.requests[0].headers["if-range"] == '"one"'
    assert files(cache) == COMPLETE


def test_next_run_tells_what_was_there(cache: Path) -> None:
    leave(cache, 100_000)
    watch = Watch()
    with (
        web(CONTENT) as server,
        Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads,
    ):
        assert downloads.missing([wanted(server.url)]) == 200_000
        downloads.fetch(wanted(server.url))
    assert watch.total == watch.done == len(CONTENT)
    assert watch.backwards == 0


def test_complete_part_needs_no_request(cache: Path, downloads: Downloads) -> None:
    """The process was killed when everything was there, before the file got its name."""
    leave(cache, 100_000)
    (cache / PARTIAL).write_bytes(CONTENT)
    note(cache, [[0, len(CONTENT)]])
    with web(CONTENT, [DOWN] * 9) as server:
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert server.requests == []


def test_complete_part_of_another_size_than_promised_now(cache: Path) -> None:
    leave(cache, 100_000, digest=None)
    longer = CONTENT + b"and more"
    (path,) = (cache / "partial").glob("*.journal")
    path.with_suffix("").write_bytes(CONTENT)
    with path.open("a") as lines:
        lines.write(f"[[0,{len(CONTENT)}]]\n")
    with web(longer) as server, Downloads.connect(cache, retry=AT_ONCE) as downloads:
        found = downloads.fetch(wanted(server.url, None, size=len(longer)))
    assert found.digest == Digest.of(longer)


def note(cache: Path, line: object) -> None:
    """Write a line into the journal of the part."""
    with (cache / f"{PARTIAL}.journal").open("a") as lines:
        lines.write(json.dumps(line) + "\n")


def test_bytes_without_a_journal_count_for_nothing(cache: Path, downloads: Downloads) -> None:
    (cache / "partial").mkdir(parents=True)
    (cache / PARTIAL).write_bytes(CONTENT[:1000])
    with web(CONTENT) as server:
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert server.ranges() == [None]


def test_bytes_behind_the_end_are_cut_off(cache: Path, downloads: Downloads) -> None:
    leave(cache, 100_000)
    with (cache / PARTIAL).open("r+b") as part:
        part.truncate(len(CONTENT) + 5)
    with web(CONTENT) as server:
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT


@pytest.mark.parametrize("digest", [DIGEST, None])
def test_hole_is_not_taken_for_data(
    cache: Path, downloads: Downloads, digest: Digest | None
) -> None:
    """Two connections had been at work: the file is as long as the second had come."""
    leave(cache, 100_000, digest=digest)
    (path,) = (cache / "partial").glob("*.journal")
    with path.with_suffix("").open("r+b") as part:
        part.seek(200_000)
        part.write(CONTENT[200_000:250_000])
    with path.open("a") as lines:
        lines.write("[[0,100000],[200000,250000]]\n")
    with web(CONTENT) as server:
        found = downloads.fetch(wanted(server.url, digest))
    assert found.path.read_bytes() == CONTENT
    assert found.digest == DIGEST
    assert server.ranges() == ["bytes=100000-199999", "bytes=250000-"]


def test_after_a_reboot_only_what_the_disk_confirmed_counts(
    cache: Path, downloads: Downloads, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was only written may be zeros now, and without a digest nobody would notice."""
    leave(cache, 100_000, digest=None)
    (path,) = (cache / "partial").glob("*.journal")
    path.with_suffix("").write_bytes(CONTENT[:100_000] + bytes(100_000))
    with path.open("a") as lines:
        lines.write("[[0,200000]]\n")
    assert read_journal(path, "x").here.total == 200_000
    another = tmp_path / "boot_id"
    another.write_text("another one\n")
    monkeypatch.setattr(boot, "_BOOT_ID", another)
    with web(CONTENT) as server:
        assert downloads.fetch(wanted(server.url, None)).digest == DIGEST
    assert server.ranges() == ["bytes=100000-"]


@pytest.mark.parametrize("torn", [b"[[0,1234", b"\0\0\0\0\n", b'{"synced":5}\n', b"[[5,true]]\n"])
def test_line_that_was_being_written(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "x.journal"
    kept = Journal(path, "x")
    kept.begin(journal.Content(size=10, validator=Validator(etag='"x"')), ((0, 3),))
    kept.note(((0, 7),))
    kept.close()
    whole = read_journal(path, "x")
    path.write_bytes(path.read_bytes() + torn)
    assert read_journal(path, "x").here.pairs == whole.here.pairs == ((0, 7),)
    assert whole.content.validator.if_range == '"x"'


@pytest.mark.parametrize("head", [b"", b"{}\n", b"[]\n", b'{"what":1,"size":"x"}\n', b"\xff\n"])
def test_journal_that_is_none(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "x.journal"
    path.write_bytes(head + b"[[0,7]]\n")
    assert read_journal(path, "x").here.total == 0


def test_long_journal_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_MOST_LINES", 10)
    kept = Journal(tmp_path / "x.journal", "x")
    kept.begin(journal.Content(), ())
    for size in range(100):
        kept.note(((0, size),))
    kept.close()
    assert len((tmp_path / "x.journal").read_bytes().splitlines()) < 15
    assert read_journal(tmp_path / "x.journal", "x").here.total == 99


def test_damaged_part_of_an_earlier_run_is_thrown_away(cache: Path) -> None:
    leave(cache, 1000)
    (cache / PARTIAL).write_bytes(b"x" * 1000)
    watch = Watch()
    with (
        web(CONTENT) as server,
        Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads,
    ):
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert server.ranges() == ["bytes=1000-", None]
    assert "starting over" in watch.lines[-1]


def test_wrong_content_is_not_fetched_for_ever(cache: Path, downloads: Downloads) -> None:
    leave(cache, 1000)
    with web(CONTENT[::-1]) as server, pytest.raises(DigestMismatch):
        downloads.fetch(wanted(server.url))
    assert len(server.requests) == 2
    assert files(cache) == {}


def test_part_that_is_longer_than_the_file_now(downloads: Downloads, cache: Path) -> None:
    """A range behind the end is answered 416."""
    leave(cache, 200_000)
    shorter = CONTENT[:150_000]
    with web(shorter) as server:
        found = downloads.fetch(wanted(server.url, None))
        assert found.digest == Digest.of(shorter)
        (cache / PARTIAL).rename(cache / f"partial/{found.digest.encoded}")
        (cache / f"{PARTIAL}.journal").rename(cache / f"partial/{found.digest.encoded}.journal")
        downloads.forget(found.digest)
        server.requests.clear()
        assert downloads.fetch(wanted(server.url, found.digest)).path.read_bytes() == shorter
    assert server.ranges() == ["bytes=200000-", None]


def elsewhere(exchange: Exchange) -> bool:
    """Answer a range with another one."""
    exchange.answer(206, {"Content-Range": f"bytes 0-4/{len(CONTENT)}"}, CONTENT[:5])
    return True


def changed(exchange: Exchange) -> bool:
    """Answer a range with the whole, as If-Range wants it for other content."""
    exchange.answer(200, {"ETag": '"two"'}, CONTENT)
    return True


def unconditional(exchange: Exchange) -> bool:
    """Answer with the range of other content, as a server does that does not know If-Range."""
    exchange.changed["ETag"] = '"two"'
    return False


def grown(exchange: Exchange) -> bool:
    """The same, and only its size shows it."""
    total = len(CONTENT) + 1
    headers = {"Content-Range": f"bytes 100000-{total - 1}/{total}"}
    exchange.answer(206, headers, CONTENT[100_000:] + b"x")
    return True


@pytest.mark.parametrize(
    ("step", "requests"), [(elsewhere, 3), (changed, 2), (unconditional, 3), (grown, 3)]
)
@pytest.mark.parametrize("digest", [DIGEST, None])
def test_content_that_changed_starts_over(
    cache: Path, step: Action, requests: int, digest: Digest | None
) -> None:
    watch = Watch()
    with (
        web(CONTENT, [close_after(100_000), step]) as server,
        Downloads.connect(cache, retry=AT_ONCE, progress=watch) as downloads,
    ):
        found = downloads.fetch(wanted(server.url, digest))
    assert found.path.read_bytes() == CONTENT
    assert len(server.requests) == requests
    assert watch.done == watch.total == len(CONTENT)


def test_halves_of_unknown_content_are_not_put_together(downloads: Downloads) -> None:
    """No validator and no digest: nothing could tell that the file changed in between."""
    with web(CONTENT, [close_after(100_000)]) as server:
        server.etag = None
        assert downloads.fetch(wanted(server.url, None)).digest == DIGEST
        assert server.ranges() == [None, None]
        server.requests.clear()
        server.fail("GET", "", 1, close_after(100_000))
        # Where the source promises never to change it, or the digest decides, it continues.
        downloads.forget(DIGEST)
        downloads.fetch(wanted(server.url, None, pinned=True))
        assert server.ranges() == [None, "bytes=100000-"]
        assert "if-range" not in server.requests[1].headers


@pytest.mark.parametrize(
    ("headers", "condition"),
    [
        ({"ETag": 'W/"weak"'}, None),
        ({"ETag": '"caf\u00e9"'}, None),
        ({"ETag": None, "Last-Modified": "Sun, 01 Nov 2026 08:00:00 GMT"}, "Sun, 01 Nov"),
        ({"ETag": None, "Last-Modified": "Fri, 01 Jan 2100 08:00:00 GMT"}, None),
        ({"ETag": None, "Last-Modified": "yesterday"}, None),
    ],
)
def test_only_what_stands_for_the_very_bytes_is_a_condition(
    downloads: Downloads, headers: dict[str, str | None], condition: str | None
) -> None:
    def first(exchange: Exchange) -> bool:
        exchange.changed.update(headers)
        return close_after(100_000)(exchange)

    with web(CONTENT, [first]) as server:
        server.etag = None
        downloads.fetch(wanted(server.url))
        sent = server.requests[1].headers.get("if-range")
    assert (sent or "").startswith(condition or "")
    assert (sent is None) == (condition is None)


def test_server_that_breaks_off_at_the_same_place_for_ever(downloads: Downloads) -> None:
    """It does not take ranges either: bytes arrive, but not one more than before."""

    def cut(exchange: Exchange) -> bool:
        exchange.cut = 100_000
        exchange.answer(200, {}, CONTENT)
        return True

    with (
        web(CONTENT, [cut] * 9) as server,
        pytest.raises(Unavailable, match=r"\(tried 3 times\)"),
    ):
        downloads.fetch(wanted(server.url))
    assert len(server.requests) == 3


def test_range_that_ends_too_early(downloads: Downloads) -> None:
    """Content-Length says less than was asked for, and all of that came."""
    with web(CONTENT, [close_after(100_000), header("Content-Length", "10")]) as server:
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert server.ranges() == [None, "bytes=100000-", "bytes=100010-"]


def nothing(exchange: Exchange) -> bool:
    """Announce the range, and send none of it."""
    total = len(CONTENT)
    exchange.answer(206, {"ETag": '"one"', "Content-Range": f"bytes 1000-{total - 1}/{total}"})
    return True


def test_ranges_that_bring_nothing(downloads: Downloads) -> None:
    with (
        web(CONTENT, [close_after(1000), *[nothing] * 9]) as server,
        pytest.raises(Unavailable, match=r"ended before its end \(tried 3 times\)"),
    ):
        downloads.fetch(wanted(server.url))
    assert len(server.requests) == 3


def test_silent_server_is_left_and_the_file_continues(cache: Path) -> None:
    with (
        standing_still(100_000) as still,
        web(CONTENT, [still]) as server,
        Downloads.connect(cache, retry=AT_ONCE, pace=Pace(stall=0.2)) as downloads,
    ):
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
        assert server.ranges() == [None, "bytes=100000-"]


def test_trickling_server_is_left_and_the_file_continues(cache: Path) -> None:
    watch, pace = Watch(), Pace(stall=0.1, trickle=10**12)
    with (
        web(CONTENT, [paced]) as server,
        Downloads.connect(cache, retry=AT_ONCE, pace=pace, progress=watch) as downloads,
    ):
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert "; dropped the connection; trying again" in watch.lines[0]
    assert server.ranges()[0] is None
    assert server.ranges()[1] not in (None, "bytes=0-")


def test_server_that_does_not_even_begin(cache: Path) -> None:
    with (
        standing_still(0) as still,
        web(CONTENT, [still]) as server,
        Downloads.connect(cache, retry=AT_ONCE, pace=Pace(stall=0.2)) as downloads,
    ):
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert server.ranges() == [None, None]
