"""The page on findings names every one of them, each in the table where it belongs."""

from __future__ import annotations

import re
from pathlib import Path

from bundler.check import ALLOWABLE
from transfer.kots.finding import WARNINGS, Rule

PAGE = (Path(__file__).parents[1] / "docs/check.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[str]:
    """The names in the first column of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| [^|]+ \|$", section, re.MULTILINE)


def test_every_finding_is_in_its_table_in_the_order_of_the_command_line() -> None:
    assert rows("Findings") == list(ALLOWABLE)
    assert set(rows("Warnings")) == WARNINGS
    assert f"(`{Rule.DESTINATION_COLLISION}`)" in PAGE
    assert {*ALLOWABLE, *WARNINGS, Rule.DESTINATION_COLLISION} == set(Rule)
