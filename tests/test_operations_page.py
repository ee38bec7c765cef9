"""The page on operations shows what its commands print, and every option and exit code."""

from __future__ import annotations

import re
from pathlib import Path

import click

from mirror.cli import main
from mirror.cli.operation import operation_options
from tests.operations_page import PAGE, Player

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    assert Player(tmp_path).play(TEXT) == TEXT, "python -m tests.operations_page writes it anew"


def test_every_option_of_an_operation_is_on_the_page() -> None:
    command = click.command(operation_options(lambda: None))
    found = re.findall(r"(?m)^\| `(--[a-z-]+)[ `]", TEXT)
    assert set(found) == {option.opts[0] for option in command.params}
    (output,) = (option for option in command.params if option.name == "output")
    assert isinstance(output.type, click.Choice)
    for choice in output.type.choices:
        assert f"`{choice}`" in TEXT.replace("--output ", "")


def test_the_operations_that_it_names_are_operations() -> None:
    named = re.findall(r"`([a-z-]+)`", TEXT.partition("\n\n")[2].partition("and the others")[0])
    assert len(named) > 4
    context = click.Context(main)
    for name in named:
        command = main.get_command(context, name)
        assert command is not None
        assert "dry_run" in {option.name for option in command.params} or isinstance(
            command, click.Group
        )
