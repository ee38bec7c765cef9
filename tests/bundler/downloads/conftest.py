"""A cache, and downloads into it that try again at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.downloads import Downloads
from tests.bundler.downloads.support import AT_ONCE


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def downloads(cache: Path) -> Iterator[Downloads]:
    with Downloads.connect(cache, retry=AT_ONCE) as made:
        yield made
