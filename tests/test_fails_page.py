"""The page for whoever stands before an error quotes only what commands really say."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.test_bad_input import TABLE, Row, pattern
from transfer.errors import EXIT_CODES

PAGE = (Path(__file__).parents[1] / "docs/when-it-fails.md").read_text()
ANYTHING: Mapping[str, str] = defaultdict(lambda: "*")


def quoted() -> list[str]:
    """Every line of output on the page."""
    blocks = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def is_said(line: str, said: str) -> bool:
    """Whether a line of the page is what a line of the table stands for."""
    return re.fullmatch(pattern(said, ANYTHING), f"{line}\n") is not None


def test_what_is_quoted_is_said() -> None:
    said = {line for row in TABLE for line in row.said.splitlines()}
    assert [line for line in quoted() if not any(is_said(line, one) for one in said)] == []


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_what_is_said_first_is_quoted(row: Row) -> None:
    lines = row.said.splitlines()
    first = next((line for line in lines if "error: " in line.lower()), "".join(lines[:1]))
    assert not first or any(is_said(line, first) for line in quoted())


def test_every_exit_code_has_its_section() -> None:
    codes = re.findall("^## ([0-9]+): ", PAGE, re.MULTILINE)
    assert [0, *map(int, codes)] == list(EXIT_CODES)
