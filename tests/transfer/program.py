"""A command line like the two real ones, for tests: `python -m tests.transfer.program`."""

from __future__ import annotations

import signal
import sys
import threading

import click

from tests.transfer.test_errors import CODES
from transfer.console import (
    Program,
    emit,
    jobs_option,
    output_option,
    progress_for,
    quiet_option,
)
from transfer.errors import NotFound, Unavailable


@click.group(cls=Program)
def main() -> None:
    """Do one thing after the other."""


@main.command()
@click.argument("kind", type=click.Choice([kind.__name__ for kind in CODES]))
@click.option("--first", is_flag=True, help="Emit a result before it fails.")
@output_option
def fail(kind: str, output: str, *, first: bool) -> None:
    """Fail with an error that holds others."""
    if first:
        emit(output, "done in part", {"done": "in part"})
    below = NotFound("blob 2 is gone", hint="look for it")
    faults = [Unavailable("image 1", hint="try again"), NotFound("image 2", faults=[below])]
    (found,) = (known for known in CODES if known.__name__ == kind)
    raise found("it went wrong", hint="look for it", faults=faults)


def find(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """What an option does that looks at its value."""
    if value:
        raise NotFound(f"{value} is not there")


@main.command()
@click.option("--from", callback=find, expose_value=False, help="Where to look.")
@output_option
@jobs_option
def report(output: str, jobs: int) -> None:
    """Write a result."""
    emit(output, f"{jobs} jobs", {"jobs": jobs})


@main.command()
@click.argument("text")
def tell(text: str) -> None:
    """Write a text as a result."""
    emit("text", text, text)


@main.command()
def leave() -> None:
    """Be left at a prompt."""
    raise click.Abort


@main.command()
def bug() -> None:
    """Fail as only a bug does."""
    raise ZeroDivisionError("a bug")


@main.command()
@quiet_option
def work(*, quiet: bool) -> None:
    """Show progress."""
    progress = progress_for(quiet=quiet)
    progress.begin("copying", 2000)
    progress.advance(500)
    progress.say("trying again: registry is busy")
    progress.advance(1500)
    progress.end()
    progress.advance(2000)
    click.echo("result")


@main.command()
def wait() -> None:
    """Wait for ever, with a thread that nothing can wake."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    forever = threading.Event()
    threading.Thread(target=forever.wait).start()
    click.echo("part of a result")
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    while True:
        forever.wait(0.1)


if __name__ == "__main__":
    main()
