"""Files that are kept in use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bundler.downloads.cache import Cache
from transfer.digest import Digest

DIGEST = Digest.of(b"the same")


def test_one_content_may_arrive_from_several_places_at_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"the same")
    cache = Cache(tmp_path / "cache")

    def hold(_number: int) -> None:
        cache.hold(DIGEST, path.open("rb"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, range(4000)))
    cache.release()
