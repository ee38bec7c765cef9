"""A cache that a bad disk has changed, or somebody else: nothing that is in it is believed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.downloads import Downloads
from bundler.downloads.cache import Cache
from bundler.downloads.upkeep import look
from tests.bundler.downloads.support import CONTENT, DIGEST, PARTIAL, files, leave, wanted
from tests.fakes.web import web
from transfer.errors import StorageError, UnsafePath

WHOLE = f"sha256/{DIGEST.encoded}"
DEEP = b"[" * 100_000
"""JSON that Python's own reader cannot read: it is nested too deeply."""


def head(size: str, etag: str = "") -> bytes:
    """The first line of a journal."""
    return f'{{"what":"","fileName":"","size":{size},"etag":"{etag}","lastModified":""}}\n'.encode()


JOURNALS = [
    DEEP,
    head("300000") + DEEP,
    head("-5"),
    head("true") + b'{"synced":[[0,1]]}\n',
    head("1e999"),
    head("1" + "0" * 30) + b'{"synced":[[0,5]]}\n',
    head("300000", '\\"a\\r\\nX-Other: b\\"') + b'{"synced":[[0,5]]}\n',
]


@pytest.mark.parametrize("journal", JOURNALS, ids=range(len(JOURNALS)))
def test_damaged_journal_costs_what_it_told_of(
    cache: Path, downloads: Downloads, journal: bytes
) -> None:
    leave(cache, 100_000)
    (cache / f"{PARTIAL}.journal").write_bytes(journal)
    assert [kept.size for kept in look(Cache(cache))] == [0]
    with web(CONTENT) as server:
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
    assert server.ranges() == [None]


@pytest.mark.parametrize(
    "change",
    [
        lambda _: DEEP,
        lambda _: b"null",
        lambda note: note.replace(b"300000", b"1e999"),
        lambda note: note.replace(b"300000", b"-1"),
        lambda note: note.replace(b'"\\"one\\""', b'"\\"one\\r\\nX-Other: b\\""'),
    ],
    ids=["deep", "null", "infinite", "negative", "line break"],
)
def test_damaged_note_is_none(
    cache: Path, downloads: Downloads, change: Callable[[bytes], bytes]
) -> None:
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url, None))
        (note,) = (cache / "remembered").iterdir()
        before = note.read_bytes()
        note.write_bytes(change(before))
        assert note.read_bytes() != before
        assert downloads.fetch(wanted(server.url, None)).digest == DIGEST
        assert server.ranges() == [None, None]
        assert note.read_bytes() == before


@pytest.mark.parametrize(
    "place", [PARTIAL, f"{PARTIAL}.journal", WHOLE], ids=["part", "journal", "whole"]
)
def test_no_link_leads_out_of_the_cache(cache: Path, downloads: Downloads, place: str) -> None:
    """Whoever may write into a shared cache must not reach what only we may write."""
    other = cache.parent / "of-somebody-else"
    other.write_bytes(CONTENT)
    link = cache / place
    link.parent.mkdir(parents=True)
    link.symlink_to(other)
    with web(CONTENT[::-1]) as server, pytest.raises(UnsafePath, match="not a plain file"):
        downloads.fetch(wanted(server.url))
    assert other.read_bytes() == CONTENT
    assert look(Cache(cache)) == []


@pytest.mark.parametrize("place", [PARTIAL, WHOLE], ids=["part", "whole"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_holds_nobody_up(
    cache: Path, downloads: Downloads, place: str, make: Callable[[Path], None]
) -> None:
    (cache / place).parent.mkdir(parents=True)
    make(cache / place)
    with web(CONTENT) as server, pytest.raises((UnsafePath, StorageError)):
        downloads.fetch(wanted(server.url))
    assert files(cache) == {}
