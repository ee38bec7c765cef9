"""The machine goes down: what its disk did not get in time may be zeros, or not there at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.downloads import Downloads, boot, confirming
from bundler.downloads.cache import Cache
from bundler.downloads.upkeep import look, prune
from tests.bundler.downloads.support import (
    AT_ONCE,
    COMPLETE,
    CONTENT,
    DIGEST,
    files,
    leave,
    wanted,
)
from tests.fakes.web import web
from transfer.digest import Digest
from transfer.errors import StorageError, UnsafePath

WHOLE = f"sha256/{DIGEST.encoded}"
THIS_BOOT = Path("/proc/sys/kernel/random/boot_id")
NOTE = f"unconfirmed/{DIGEST.encoded}"


@pytest.fixture
def restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Starts the machine anew, as far as a program can tell."""
    starts: list[str] = []

    def start() -> None:
        starts.append("another")
        (tmp_path / "boot_id").write_text(f"{len(starts)}\n")
        monkeypatch.setattr(boot, "_BOOT_ID", tmp_path / "boot_id")

    return start


def zeros(path: Path) -> None:
    """The size had come to the disk, and not all of the bytes."""
    path.write_bytes(CONTENT[:-70_000] + bytes(70_000))


def short(path: Path) -> None:
    """Neither had."""
    path.write_bytes(CONTENT[:1000])


def empty(path: Path) -> None:
    """Nothing had but the name."""
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [zeros, short, empty])
@pytest.mark.parametrize("digest", [DIGEST, None])
def test_complete_file_that_the_disk_did_not_get(
    cache: Path, restart: Callable[[], None], harm: Callable[[Path], None], digest: Digest | None
) -> None:
    with web(CONTENT) as server:
        with Downloads.connect(cache, retry=AT_ONCE) as downloads:
            downloads.fetch(wanted(server.url, digest))
        harm(cache / WHOLE)
        restart()
        server.requests.clear()
        with Downloads.connect(cache, retry=AT_ONCE) as downloads:
            assert downloads.missing([wanted(server.url, size=len(CONTENT))]) == len(CONTENT)
            found = downloads.fetch(wanted(server.url, digest))
        assert server.ranges() == [None]
    assert (found.path.read_bytes(), found.digest) == (CONTENT, DIGEST)
    assert files(cache) == COMPLETE


def test_complete_file_that_the_disk_got(cache: Path, restart: Callable[[], None]) -> None:
    with web(CONTENT) as server:
        with Downloads.connect(cache, retry=AT_ONCE) as downloads:
            downloads.fetch(wanted(server.url))
        assert (cache / NOTE).exists()
        restart()
        with Downloads.connect(cache, retry=AT_ONCE) as downloads:
            assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
        assert len(server.requests) == 1
    assert not (cache / NOTE).exists()  # it was read from the disk


def test_file_is_proven_anew_after_a_restart_only(
    cache: Path, downloads: Downloads, restart: Callable[[], None]
) -> None:
    restart()
    with web(CONTENT) as server:
        path = downloads.fetch(wanted(server.url)).path
    zeros(path)
    assert downloads.present(wanted(server.url))
    restart()
    assert downloads.present(wanted(server.url)) is None
    assert files(cache) == {}
    assert not (cache / NOTE).exists()


def test_slow_file_waits_for_the_disk(
    cache: Path, downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be a pity to fetch that again."""
    monkeypatch.setattr(confirming, "CONFIRM_EVERY", 0)
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url))
    assert files(cache) == COMPLETE
    assert not (cache / NOTE).exists()


def test_continued_file_waits_for_the_disk(cache: Path, downloads: Downloads) -> None:
    """Nobody knows how long the rest of it took."""
    leave(cache, 100_000)
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url))
    assert server.ranges() == ["bytes=100000-"]
    assert not (cache / NOTE).exists()


def test_restart_that_nobody_could_tell(
    cache: Path, downloads: Downloads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot, "_BOOT_ID", tmp_path / "none")
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url))
    assert not (cache / NOTE).exists()


def test_file_that_waits_leaves_no_older_note(
    cache: Path, downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url))
        (cache / WHOLE).unlink()
        monkeypatch.setattr(confirming, "CONFIRM_EVERY", 0)
        downloads.fetch(wanted(server.url))
    assert not (cache / NOTE).exists()


@pytest.mark.parametrize("harm", [zeros, short, empty])
@pytest.mark.parametrize("digest", [DIGEST, None])
def test_part_that_the_disk_did_not_get(
    cache: Path, restart: Callable[[], None], harm: Callable[[Path], None], digest: Digest | None
) -> None:
    """Its journal tells of all, and of 1000 bytes that the disk has confirmed."""
    leave(cache, 1000, digest=digest)
    (journal,) = (cache / "partial").glob("*.journal")
    harm(journal.with_suffix(""))
    with journal.open("a") as lines:
        lines.write(f"[[0,{len(CONTENT)}]]\n")
    restart()
    with web(CONTENT) as server, Downloads.connect(cache, retry=AT_ONCE) as downloads:
        found = downloads.fetch(wanted(server.url, digest))
        assert server.ranges() == [None if harm is empty else "bytes=1000-"]
    assert (found.path.read_bytes(), found.digest) == (CONTENT, DIGEST)


@pytest.mark.parametrize("digest", [DIGEST, None])
@pytest.mark.parametrize("earlier", [0, 1000])
def test_disk_that_refuses_at_the_end(
    cache: Path, monkeypatch: pytest.MonkeyPatch, digest: Digest | None, earlier: int
) -> None:
    """It says so once: afterwards the kernel takes what it could not write for written."""
    monkeypatch.setattr(confirming, "CONFIRM_EVERY", 0)
    if earlier:
        leave(cache, earlier, digest=digest)
    with web(CONTENT) as server:
        with Downloads.connect(cache, retry=AT_ONCE) as downloads, monkeypatch.context() as disk:
            disk.setattr(os, "fdatasync", refusing(after=cache, size=len(CONTENT)))
            with pytest.raises(StorageError, match="Input/output error"):
                downloads.fetch(wanted(server.url, digest))
        assert not (cache / "sha256").exists()
        sure = 0  # as far as the disk was asked on the way
        for kept in look(Cache(cache)):
            sure = kept.size
            kept.path.write_bytes(CONTENT[:sure] + bytes(len(CONTENT) - sure))
        assert earlier <= sure < len(CONTENT)
        server.requests.clear()
        with Downloads.connect(cache, retry=AT_ONCE) as downloads:
            found = downloads.fetch(wanted(server.url, digest))
        assert server.ranges() == [f"bytes={sure}-" if sure else None]
    assert (found.path.read_bytes(), found.digest) == (CONTENT, DIGEST)


def refusing(after: Path, size: int) -> Callable[[int], None]:
    """An fdatasync that fails, once, for a part that is complete."""
    failed: list[int] = []
    ask = os.fdatasync

    def fdatasync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        whole = path.parent == after / "partial" and os.fstat(handle).st_size == size
        if whole and not failed:
            failed.append(handle)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        ask(handle)

    return fdatasync


@pytest.mark.parametrize("digest", [DIGEST, None])
def test_disk_that_refuses_when_it_is_continued(
    cache: Path, monkeypatch: pytest.MonkeyPatch, digest: Digest | None
) -> None:
    leave(cache, 1000, digest=digest)
    (journal,) = (cache / "partial").glob("*.journal")
    zeros(journal.with_suffix(""))
    with journal.open("a") as lines:
        lines.write(f"[[0,{len(CONTENT)}]]\n")
    with web(CONTENT) as server:
        with Downloads.connect(cache, retry=AT_ONCE) as downloads, monkeypatch.context() as disk:
            disk.setattr(os, "fdatasync", refusing(after=cache, size=len(CONTENT)))
            with pytest.raises(StorageError, match="Input/output error"):
                downloads.fetch(wanted(server.url, digest))
        with Downloads.connect(cache, retry=AT_ONCE) as downloads:
            found = downloads.fetch(wanted(server.url, digest))
        assert server.ranges() == ["bytes=1000-"]
    assert (found.path.read_bytes(), found.digest) == (CONTENT, DIGEST)


def test_notes_go_with_their_files(
    cache: Path, downloads: Downloads, restart: Callable[[], None]
) -> None:
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url))
        downloads.forget(DIGEST)
        assert not (cache / NOTE).exists()
        downloads.fetch(wanted(server.url))
    downloads.__exit__()
    (cache / WHOLE).with_name("0" * 64).touch()
    (cache / "unconfirmed" / ("1" * 64)).write_text("long ago")
    prune(Cache(cache), lambda kept: kept.digest == DIGEST)
    assert list((cache / "unconfirmed").iterdir()) == []


def test_note_that_is_a_link(cache: Path, downloads: Downloads) -> None:
    """Whoever may write into a shared cache must not have us believe that all is well."""
    with web(CONTENT) as server:
        downloads.fetch(wanted(server.url))
        (cache / NOTE).unlink()
        (cache / NOTE).symlink_to(THIS_BOOT)
        with pytest.raises(UnsafePath, match="not a plain file"):
            downloads.fetch(wanted(server.url))
