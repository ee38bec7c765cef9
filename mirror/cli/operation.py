"""How every operation is asked for, shown and carried out."""

from __future__ import annotations

import os
import platform
import pwd
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from mirror.cli.hands import Opened, Say, Watch, hands_for
from mirror.operation import Plan, Step, as_json, as_runbook, as_script, as_text, run
from mirror.operation.journal import Journal, NoJournal
from mirror.operation.journalfile import HeldJournal, hold_journal
from mirror.operation.show import wrapped
from mirror.site import Site
from transfer.console import emit, emit_file, output_choice, quiet_option, say_for

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

_WRITTEN: Mapping[str, Callable[[Plan], str]] = {"script": as_script, "runbook": as_runbook}
"""Forms of a plan that work without us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How an operation that only looks is carried out: the options that all of them have."""

    site: Path
    """The site file."""
    dry_run: bool
    quiet: bool
    output: str

    def __post_init__(self) -> None:
        """Only a plan can be a script or a runbook."""
        if self.output in _WRITTEN and not self.dry_run:
            raise click.UsageError(f"--output {self.output} goes with --dry-run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner(View):
    """The same of an operation that changes something, which is noted."""

    confirmed: tuple[str, ...]
    """Names of a person's steps that are done."""
    journal: Path | None

    @property
    def journal_path(self) -> Path | None:
        """The journal, beside the site file unless another place was named."""
        return self.journal or self.site.with_name(f"{self.site.stem}.journal.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere(Manner):
    """The same of what concerns no site; it is noted where --journal says so."""

    site: Path = Path()

    @property
    def journal_path(self) -> Path | None:
        """The journal that was named; None without one."""
        return self.journal


_DRY_RUN = click.option(
    "--dry-run",
    is_flag=True,
    help="Print the steps and exact commands; needs no registry, cluster or password.",
)
_OUTPUT = output_choice(
    *_WRITTEN,
    text="How results and errors are written to stdout; a dry run also as a shell script "
    "or a runbook, which work without us.",
)


def view_options(command: _Decorated) -> _Decorated:
    """The options of an operation that only looks; the command gets them as `View` takes them.

    Nothing is done that an interrupted run could go on with, so that there is no journal.
    """
    return _DRY_RUN(quiet_option(_OUTPUT(command)))


def operation_options(command: _Decorated) -> _Decorated:
    """The options of every other operation; the command gets them as `Manner` takes them."""
    options = (
        _DRY_RUN,
        click.option(
            "--confirmed",
            metavar="STEP",
            multiple=True,
            help="This step, which only a person can take, is done. May be given more than once.",
        ),
        click.option(
            "--journal",
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Where it is noted what was done; by default beside the site file.",
        ),
        quiet_option,
        _OUTPUT,
    )
    for option in reversed(options):
        command = option(command)
    return command


def show_plan(plan: Plan, manner: View) -> None:
    """Print a plan, for `--dry-run`."""
    if write := _WRITTEN.get(manner.output):
        emit_file(write(plan).encode())
    else:
        emit(manner.output, as_text(plan).rstrip("\n"), as_json(plan))


@dataclass(frozen=True, slots=True)
class Turn:
    """One call of an operation: the only run at its site, or a dry run, in nobody's way."""

    manner: Manner
    _journal: HeldJournal | None
    """None where nothing is noted."""

    def take(self, site: Site, plan: Plan, sources: Opened | None = None) -> None:
        """Take every step of a plan that was made from what is there, and report; or show it."""
        achieved = self.carry_out(site, plan, sources)
        if achieved is None:
            return
        told = plan.notes if self.manner.quiet else ()  # the others were told before the work
        end = f"Done: {plan.title}." if plan.work else "Nothing was to be done."
        text = "\n".join((*told, *(achieved or (end,))))
        data = {"title": plan.title, "notes": list(plan.notes), "achieved": list(achieved)}
        emit(self.manner.output, text, data)

    def carry_out(
        self, site: Site | None, plan: Plan, sources: Opened | None = None
    ) -> tuple[str, ...] | None:
        """The same without the report; returns what was achieved, None where it was shown."""
        manner = self.manner
        if manner.dry_run:
            show_plan(plan, manner)
            return None
        say = say_for(quiet=manner.quiet)
        for note in plan.notes:
            say(f"note: {note}")
        journal = self._journal.of(plan.title) if self._journal else NoJournal()
        watch = _watch(manner, say, journal)
        with hands_for(site, plan, sources or Opened(), watch) as hands:
            return run(site, plan, hands)


@contextmanager
def turn_of(manner: Manner) -> Iterator[Turn]:
    """Have the journal from before anything is looked at: what is seen then stays so.

    Raises:
        Conflict: another run is under way.
        StorageError: the journal cannot be written.
    """
    path = manner.journal_path
    if manner.dry_run or path is None:
        yield Turn(manner, None)
        return
    with hold_journal(path, _who(), _now) as journal:
        yield Turn(manner, journal)


def _watch(manner: Manner, say: Say, journal: Journal) -> Watch:
    def confirm(step: Step) -> bool:
        if step.name in manner.confirmed:
            say("  confirmed")
            return True
        click.echo(wrapped(getattr(step.action, "instructions", "")), err=True)
        if not sys.stdin or not sys.stdin.isatty():
            return False
        # Not by input(), which forgets a Ctrl-C that comes while it shows the question.
        click.echo("Done? [y/N]: ", nl=False, err=True)
        answer = sys.stdin.readline()
        if not answer:
            raise click.Abort
        return answer.strip().lower() in ("y", "yes")

    advise = say_for(quiet=False)
    return Watch(say=say, advise=advise, confirm=confirm, journal=journal)


def _who() -> str:
    """Who runs what, for whoever wants to run something at the same time."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a user id that has no name
        user = f"user {os.getuid()}"
    command = click.get_current_context().command_path
    return f"{command} of {user} on {platform.node()}, process {os.getpid()}"


def _now() -> datetime:
    return datetime.now(UTC)
