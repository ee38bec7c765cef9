"""`--help` of both programs, and the command lines that files of the project show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bundler.cli import main as bundler
from mirror.cli import main as mirror
from transfer.bundle.readme import readme
from transfer.contents import Contents
from transfer.errors import EXIT_CODES

PROJECT = Path(__file__).parents[1]
PROGRAMS = {"airgap-bundler": bundler, "airgap-mirror": mirror}


def names_in(group: click.Group, before: str = "") -> Iterator[str]:
    """The names of every command of a group, and of the groups in it: `config`, `config init`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        yield before + name
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from names_in(command, f"{before}{name} ")


COMMANDS = [
    pytest.param(program, name, id=f"{program} {name}")
    for program, group in PROGRAMS.items()
    for name in ("", *names_in(group))
]
LONGEST_LINE = 100
"""Columns that a terminal is taken to have."""

_SHOWN = re.compile(
    r"^ *(?:# +|\$ )?(airgap-(?:mirror|bundler) +[a-z-]+ +[^ |].*?)(?:   +\S.*| #.*| \|.*| > .*)?$"
)
_FILES = [
    path
    for pattern in ("README.md", "docs/**/*.md", "manifests/*.yaml")
    for path in sorted(PROJECT.glob(pattern))
]


def shown_help(program: str, name: str) -> str:
    words = [*name.split(), "--help"]
    asked = CliRunner().invoke(PROGRAMS[program], words, prog_name=program)
    assert asked.exit_code == 0
    return asked.stdout


def parse(line: str) -> str:
    """Parse a command line as the program would, without running it; the command's name."""
    program, *words = shlex.split(line)
    command: click.Command | None = PROGRAMS[program]
    names = []
    while isinstance(command, click.Group):
        names.append(words.pop(0))
        command = command.get_command(click.Context(command), names[-1])
    assert command
    command.make_context(names[-1], words)
    return " ".join(names)


def shown_lines(text: str) -> Iterator[str]:
    """The command lines in a text, without what is said beside them."""
    for line in text.splitlines():
        if (found := _SHOWN.match(line)) and "…" not in found[1]:
            yield found[1]


@pytest.mark.parametrize(("program", "name"), COMMANDS)
def test_help_ends_with_examples_that_parse(program: str, name: str) -> None:
    _, heading, shown = shown_help(program, name).partition("\n  Examples:\n")
    assert heading
    examples = [line for line in shown.splitlines() if line.startswith(f"    {program} ")]
    assert examples
    for line in examples:
        assert len(line) <= LONGEST_LINE
        assert f"{parse(line)} ".startswith(f"{name} ") or not name


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_shows_its_whole_road_and_its_exit_codes(program: str) -> None:
    shown = shown_help(program, "")
    listed = re.findall(r"^  ([\w-]+) +\w", shown.partition("Commands:")[2], re.MULTILINE)
    group = PROGRAMS[program]
    commands = group.list_commands(click.Context(group))
    assert listed[: len(commands)] == commands
    assert "..." not in shown.partition("Commands:")[2]  # every summary is whole
    codes = re.findall(r"^  (\d+) +\w", shown.partition("Exit codes:")[2], re.MULTILINE)
    assert list(map(int, codes)) == [*EXIT_CODES]


@pytest.mark.parametrize("program", PROGRAMS)
def test_completion_is_what_help_says(program: str) -> None:
    shown = shown_help(program, "").partition("Completion in bash:\n")[2]
    found = re.fullmatch(r'\s*eval "\$\((\w+)=bash_source (\S+)\)"\s*', shown)
    assert found
    assert found[2] == program
    asked = {found[1]: "bash_complete", "COMP_WORDS": f"{program} sho", "COMP_CWORD": "1"}
    answered = CliRunner().invoke(PROGRAMS[program], [], prog_name=program, env=asked)
    assert answered.stdout == "plain,show\n"


@pytest.mark.parametrize("path", _FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_what_a_file_shows_can_be_typed(path: Path) -> None:
    for line in shown_lines(path.read_text()):
        parse(line)


def test_command_lines_are_found_in_the_manifests() -> None:
    shown = [line for path in _FILES for line in shown_lines(path.read_text())]
    assert "airgap-bundler lock  manifests/first-install.yaml" in shown
    assert "airgap-mirror upgrade /media/usb/harness-2026.12 --site site.yaml" in shown


def test_what_a_bundles_readme_shows_can_be_typed() -> None:
    text = readme(Contents(name="harness", version="2026.11")).decode()
    named = [parse(line) for line in shown_lines(text)]
    assert named == ["verify", "plan", "push", "install", "install", "serve"]


@pytest.mark.parametrize("line", ["airgap-mirror push x --two y", "airgap-bundler build x"])
def test_what_cannot_be_typed_is_found(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(line)
