"""The page on the vendor's guide: every heading, commands that exist, and tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import click
import pytest

from tests.test_help import PROGRAMS

PROJECT = Path(__file__).parents[1]
PAGE = (PROJECT / "docs/guide.md").read_text(encoding="utf-8")
HEADINGS = (PROJECT / "tests/data/guide-headings.txt").read_text(encoding="utf-8").splitlines()
ROWS = re.findall(r"^\| `(#+ [^`]+)` \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
COMMANDS = sorted(set(re.findall(r"`(airgap-(?:mirror|bundler) [^`]+)`", PAGE)))
TESTS = sorted(set(re.findall(r"`(tests/[^`]+::[^`]+)`", PAGE)))
ELSEWHERE = ("by hand", "the site file", "headings below")
"""How a row begins, or ends, whose work is done without a command."""


@cache
def names_of_tests(path: Path) -> set[str]:
    """The names of the tests of a file."""
    tree = ast.parse(path.read_bytes())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def options_of(line: str) -> set[str]:
    """The options that the command of a line has; raises where there is no such command."""
    program, *words = line.split()
    command: click.Command = PROGRAMS[program]
    for word in words:
        if word.startswith("-"):
            break
        assert isinstance(command, click.Group), f"{line}: {word} is no command"
        found = command.get_command(click.Context(command), word)
        assert found, f"{line}: {word} is no command"
        command = found
    assert not isinstance(command, click.Group), f"{line}: a group, and no command"
    return {name for one in command.params for name in one.opts}


def test_every_heading_has_its_row_in_the_order_of_the_guide() -> None:
    assert [heading for heading, _, _ in ROWS] == HEADINGS
    assert len(HEADINGS) == 55


@pytest.mark.parametrize("row", range(len(ROWS)), ids=lambda row: f"{row}: {ROWS[row][0]}")
def test_a_row_says_what_does_it_and_what_shows_it(row: int) -> None:
    _, done, shown = ROWS[row]
    assert "`airgap-" in done or any(word in done for word in ELSEWHERE)
    assert re.search(r"`tests/\S+::test_\w+`", shown) or shown.endswith("rows below")


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_exists_with_its_options(line: str) -> None:
    given = {word for word in line.split() if word.startswith("-")}
    assert given <= options_of(line)


@pytest.mark.parametrize("name", TESTS)
def test_a_test_exists(name: str) -> None:
    path, _, test = name.partition("::")
    assert test in names_of_tests(PROJECT / path)


@pytest.mark.parametrize(
    "line", ["airgap-mirror nothing", "airgap-mirror push x", "airgap-mirror config"]
)
def test_what_does_not_exist_is_found(line: str) -> None:
    with pytest.raises(AssertionError):
        options_of(line)
    assert "--two" not in options_of("airgap-mirror push --two")
