"""A run in a process of its own, to be killed: python -m tests.mirror.operation_process FOLDER."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from mirror.audit import Audit
from mirror.credentials import Keyring
from mirror.operation import Hands, Plan, Step, run
from mirror.operation.edits import edit, save
from mirror.operation.journal import Journal
from mirror.operation.journalfile import hold_journal
from mirror.operation.model import Person, Run
from mirror.process import Runner
from tests.mirror.kots_site import Clock
from tests.mirror.kots_world import read_site
from tests.mirror.shells import kubectl

PLAN = Plan(
    title="try it at dc-north",
    steps=(
        Step(name="backup", why="", action=Person(instructions="Back up."), recorded=True),
        Step(name="install", why="", action=Run(command=kubectl("install"))),
    ),
)


def hands(folder: Path, journal: Journal, said: list[str]) -> Hands:
    """What a run in a folder works with; its programs are in `bin`."""
    environment = {"PATH": str(folder / "bin")}
    runner = Runner(keyring=Keyring(environment), secrets=(), say=said.append)
    return Hands(
        execute=runner,
        ask=runner,
        check_secrets=runner.keyring.check,
        audit=lambda _images: Audit(images=()),
        assemble=lambda _offer, _path: None,
        prove=lambda _path: None,
        edit=edit,
        save=save,
        confirm=lambda _step: True,
        free_bytes=lambda _folder: 10**15,
        size_of=lambda _path: 0,
        journal=journal,
        clock=Clock(),
        say=said.append,
        advise=said.append,
    )


def carry_out(folder: Path) -> list[str]:
    """Run the plan; returns what was said."""
    said: list[str] = []
    path = folder / "journal.jsonl"
    with hold_journal(path, "try, process 1", lambda: datetime.now(UTC)) as held:
        run(read_site(), PLAN, hands(folder, held.of(PLAN.title), said))
    return said


if __name__ == "__main__":
    carry_out(Path(sys.argv[1]))
