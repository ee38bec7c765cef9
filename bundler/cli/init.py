"""`airgap-bundler init`: asks for what a spec is made of, and writes it with comments."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import click

from bundler.cli import examples
from bundler.init import NONE, Answers, Said, compose, interview, unsaid
from bundler.spec import parse_spec
from transfer.console import emit, output_option
from transfer.disk import replace_file
from transfer.errors import Conflict, InvalidInput

_T = TypeVar("_T")
_STDOUT = "-"


def _pairs(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """`SLUG=VALUE`, as often as it was given."""
    found = tuple(value.partition("=") for value in values)
    for slug, _, value in found:
        if not (slug and value):
            raise click.BadParameter(f"expected SLUG=VALUE, found {slug!r}")
    return tuple((slug, value) for slug, _, value in found)


@click.command(
    short_help="Ask a few questions, and write a commented spec.",
    epilog=examples(
        "init harness.yaml",
        "init harness.yaml --kots v1.131.4 --release harness=sequence:412",
        "init - --no-input --version 2026.11 --kots none --image harness/delegate:latest",
    ),
)
@click.argument("file", default="harness.yaml", type=click.Path(dir_okay=False))
@click.option("--name", metavar="TEXT", help="Name of the bundle.")
@click.option("--version", metavar="TEXT", help="Version of the bundle.")
@click.option("--kots", metavar=f"VERSION|{NONE}", help="Version of the KOTS admin console.")
@click.option("--minio/--no-minio", default=None, help="Whether it runs with Minio at the site.")
@click.option(
    "--kots-platform",
    metavar="OS/ARCH",
    multiple=True,
    help="Of the machines at the site that run kubectl kots. May be given more than once, as may "
    "what follows.",
)
@click.option(
    "--release",
    metavar="SLUG=SOURCE",
    multiple=True,
    callback=_pairs,
    help="A release to carry, each application's oldest first: a file, an address, or sequence:N "
    "or label:L of the vendor's portal.",
)
@click.option(
    "--installed",
    metavar="SLUG=LABEL",
    multiple=True,
    callback=_pairs,
    help="The version label that runs at the site.",
)
@click.option("--image", metavar="REFERENCE", multiple=True, help="An image that no archive holds.")
@click.option(
    "--toolkit-python",
    metavar="VERSION",
    multiple=True,
    help="Carry this toolkit, too, for this Python version.",
)
@click.option(
    "--toolkit-platform", metavar="OS/ARCH", multiple=True, help="Carry it for this platform."
)
@click.option("--no-input", is_flag=True, help="Ask nothing; leave out what was not given.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@output_option
def init(
    *,
    file: str,
    name: str | None,
    version: str | None,
    kots: str | None,
    minio: bool | None,
    kots_platform: tuple[str, ...],
    release: tuple[tuple[str, str], ...],
    installed: tuple[tuple[str, str], ...],
    image: tuple[str, ...],
    toolkit_python: tuple[str, ...],
    toolkit_platform: tuple[str, ...],
    no_input: bool,
    force: bool,
    output: str,
) -> None:
    """Write a bundle spec to FILE, with comments that say what to change; - is stdout.

    What no option says is asked for, on a terminal. Nothing is downloaded, and no password is
    asked for: a spec only says where one is found.
    """
    _refuse_existing(file, force=force)
    said = Said(
        name=name,
        version=version,
        kots=kots,
        minio=minio,
        kots_platforms=kots_platform,
        releases=release or None,
        installed=dict(installed),
        images=image,
        toolkit_python=toolkit_python,
        toolkit_platforms=toolkit_platform,
    )
    answers = _answers(said, no_input=no_input)
    _write(_composed(answers, file), file, output)


def _refuse_existing(file: str, *, force: bool) -> None:
    """Before the first question: nobody is to answer in vain."""
    if file != _STDOUT and not force and Path(file).exists():
        raise Conflict(f"{file}: exists already", hint="choose another name, or give --force")


def _answers(said: Said, *, no_input: bool) -> Answers:
    month = f"{datetime.now().astimezone():%Y.%m}"
    if not no_input and sys.stdin.isatty() and sys.stderr.isatty():
        return interview(said, _ask, month)
    if missing := unsaid(said):
        why = "--no-input was given" if no_input else "there is no terminal to ask on"
        raise click.UsageError(f"{why}, and an answer is missing: give {', '.join(missing)}")
    return interview(said.with_nothing_more(), _take_default, month)


def _ask(question: str, default: str | None, accept: Callable[[str], _T]) -> _T:
    """Ask on the terminal, on stderr: stdout may be where the spec goes."""

    def accepted(text: str) -> _T:
        try:
            return accept(text.strip())
        except InvalidInput as error:
            raise click.BadParameter(error.message) from error

    answer: _T = click.prompt(question, default=default, value_proc=accepted, err=True)
    return answer


def _take_default(_question: str, default: str | None, accept: Callable[[str], _T]) -> _T:
    return accept(default or NONE)


def _composed(answers: Answers, file: str) -> str:
    """The text of the spec, read back by the parser before anybody else reads it."""
    named = "harness.yaml" if file == _STDOUT else Path(file).name
    text = compose(answers, named)
    try:
        parse_spec(text, named)
    except InvalidInput as error:
        raise InvalidInput(
            "the answers make no spec; nothing was written",
            hint="give other answers, or other options",
            faults=error.faults,
        ) from error
    return text


def _write(text: str, file: str, output: str) -> None:
    if file == _STDOUT:
        emit(output, text.rstrip("\n"), {"path": None, "spec": text})
        return
    replace_file(Path(file), text.encode(), f"spec {file}")
    done = f"{file}: written; look through it, then run airgap-bundler lock {file}"
    emit(output, done, {"path": file, "spec": text})
