"""The page that walks through a crossing does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crossing import PAGE, comparable, play, site


@pytest.mark.real
def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    page = PAGE.read_text()
    with site(tmp_path) as crossing:
        played = play(page, crossing)
    assert comparable(played) == comparable(page), "python -m tests.crossing writes it anew"
