"""A download from nginx is killed, and then the machine goes down before its disk has all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bundler.downloads import Downloads, boot
from bundler.downloads.cache import Cache
from bundler.downloads.journal import read_journal
from bundler.downloads.upkeep import look
from tests.bundler.downloads.support import wait_until, wanted
from tests.real.test_downloads import CONTENT, DIGEST, MIB, finish, kill_at, site
from transfer.digest import Digest

pytestmark = pytest.mark.real


@pytest.fixture
def later() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.mark.parametrize("digest", [DIGEST, None])
@pytest.mark.parametrize("extra", [0, 5])
def test_killed_and_then_the_power_goes(
    later: ExitStack,
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    digest: Digest | None,
    extra: int,
) -> None:
    """The names and sizes had come to the disk, and of the bytes nothing that was not confirmed."""
    slow, after = site(later, tmp_path, "limit_rate 3m;"), site(later, tmp_path, name="after")
    with monkeypatch.context() as often:
        often.setenv("CONFIRM_EVERY", "0.2")
        kill_at(cache, slow.url, 3 * MIB, digest, extra)
    go_down(cache, tmp_path / "boot_id", monkeypatch)
    sure = sum(kept.size for kept in look(Cache(cache)))
    assert 0 < sure < len(CONTENT)
    with Downloads.connect(cache) as downloads:
        order = wanted(after.url, digest, identity="the file")
        assert downloads.fetch(order).path.read_bytes() == CONTENT
    wait_until(lambda: after.content() >= len(CONTENT) - sure)
    assert after.content() == len(CONTENT) - sure


@pytest.mark.parametrize("digest", [DIGEST, None])
def test_power_goes_after_the_last_byte(
    later: ExitStack,
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    digest: Digest | None,
) -> None:
    served = site(later, tmp_path)
    assert finish(cache, served.url, digest) == str(DIGEST)
    (cache / f"sha256/{DIGEST.encoded}").write_bytes(CONTENT[: 5 * MIB] + bytes(MIB))
    go_down(cache, tmp_path / "boot_id", monkeypatch)
    with Downloads.connect(cache) as downloads:
        order = wanted(served.url, digest, identity="the file")
        assert downloads.fetch(order).path.read_bytes() == CONTENT


def go_down(cache: Path, boot_id: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk did not confirm of parts becomes zeros, and the machine starts anew."""
    boot_id.write_text("another one\n")
    monkeypatch.setattr(boot, "_BOOT_ID", boot_id)
    for journal in (cache / "partial").glob("*.journal"):
        part = journal.with_suffix("")
        held, came = read_journal(journal, "x").here, part.read_bytes()
        found = bytearray(len(came))
        for start, end in held.pairs:
            found[start:end] = came[start:end]
        part.write_bytes(found)
