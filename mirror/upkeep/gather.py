"""Every log of a plan into its file: as it comes, whatever its size, and one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from mirror.command import Command
from mirror.kots import outcome
from mirror.kots.outcome import Finished
from mirror.operation.model import Plan, Save, Step
from transfer.disk import ingest, storage_errors
from transfer.errors import Incomplete, ToolError, TransferError, raise_together
from transfer.text import counted

Hear = Callable[[str], None]
"""Gets a line of what a program prints."""
Listen = Callable[[Command, Hear], Finished]
"""Runs a command; nothing of what it prints is kept but its last words."""

_OWNER_ONLY, _FOLDER = 0o600, 0o700


def gather(plan: Plan, listen: Listen, say: Hear) -> list[str]:
    """Write each log; returns the paths of the files.

    A log that cannot be had leaves the file of an earlier run as it was, and does not stop the
    others.

    Raises:
        Incomplete: some logs could not be had.
        StorageError: a file cannot be written.
    """
    saved, faults = list[str](), list[TransferError]()
    steps = list(_saves(plan))
    for number, (step, action) in enumerate(steps, start=1):
        say(f"[{number}/{len(steps)}] {step.why}")
        try:
            _write(action, listen)
        except ToolError as fault:
            say(f"  {fault.message.splitlines()[-1].strip()}")
            faults.append(fault)
        else:
            saved.append(action.path)
    raise_together(
        Incomplete,
        f"{counted(len(faults), 'log')} of {len(steps)} could not be had; the others are written",
        faults,
        hint="a pod may be gone, or another node may not answer: run the same command again",
    )
    return saved


def _saves(plan: Plan) -> Iterator[tuple[Step, Save]]:
    for step in plan.work:
        if isinstance(step.action, Save):
            yield step, step.action


def _write(action: Save, listen: Listen) -> None:
    path = Path(action.path)
    what = f"log {path}"
    with storage_errors(what):
        path.parent.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    with ingest(path, path.parent, what, _OWNER_ONLY) as file:
        sheet = _Sheet(file)
        finished = listen(action.command, sheet)
        if sheet.error:
            raise sheet.error
        outcome.check(finished, action.command)


class _Sheet:
    """Writes lines; remembers an error instead of raising it into the thread that reads."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def __call__(self, line: str) -> None:
        if self.error is None:
            try:
                self._file.write(line.encode() + b"\n")
            except OSError as error:
                self.error = error
