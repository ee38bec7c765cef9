"""Where no server says how much comes, the disk is looked at on the way."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from bundler.downloads import Downloads, fetching
from tests.bundler.downloads.support import AT_ONCE, CONTENT, WHAT, files, wanted
from tests.bundler.downloads.test_fetch import chunks
from tests.disks import small_disk
from tests.fakes.faulty import Exchange
from tests.fakes.web import web
from transfer.errors import StorageError

MIB = 1 << 20


def endless(exchange: Exchange) -> bool:
    """Send chunks for as long as somebody takes them."""
    exchange.send_response(200)
    exchange.send_header("Transfer-Encoding", "chunked")
    exchange.end_headers()
    with suppress(OSError):
        while True:
            exchange.wfile.write(b"%x\r\n%s\r\n" % (len(CONTENT), CONTENT))
    exchange.close_connection = True
    return True


@pytest.mark.real
def test_endless_body_does_not_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_STEP", MIB)
    monkeypatch.setattr(fetching, "_RESERVE", 4 * MIB)
    with small_disk(tmp_path / "disk", "16m") as disk, web(CONTENT, [endless]) as server:
        with (
            Downloads.connect(disk, retry=AT_ONCE) as downloads,
            pytest.raises(StorageError) as caught,
        ):
            downloads.fetch(wanted(server.url, None))
        assert f"needed for {WHAT}, whose size the server does not say" in caught.value.message
        assert shutil.disk_usage(disk).free > 2 * MIB
        assert sum(files(disk).values()) > 10 * MIB  # not at the first sight of it


def test_promised_size_has_its_room_already(
    downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_STEP", 100_000)
    monkeypatch.setattr(fetching, "_RESERVE", 1 << 60)
    with web(CONTENT, [chunks, chunks]) as server:
        with pytest.raises(StorageError, match="whose size the server does not say"):
            downloads.fetch(wanted(server.url))
        found = downloads.fetch(wanted(server.url, size=len(CONTENT)))
    assert found.path.read_bytes() == CONTENT


def test_short_file_of_unknown_size_needs_no_reserve(
    downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_RESERVE", 1 << 60)
    with web(CONTENT, [chunks]) as server:
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
