"""Somebody who has a script of ours, a shell and kubectl, and does what the script asks for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mirror.operation import Plan, Step, as_script
from mirror.operation.byhand import by_hand
from mirror.operation.edits import edit
from mirror.operation.model import Assemble, Edit, Look, Person, Save
from mirror.operation.reading import Check, Gather
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import FAKES
from tests.tools import need

NOT_CONFIRMED, STORAGE = 11, 9

_PROGRAM = """\
#!/bin/sh
set -- {name} "$@"
{before}
shift
{python} -S {program} "$@"
code=$?
{after}
exit $code
"""
_SLEEP = """\
#!/bin/sh
printf '%s\\n' "$*" >> {log}
"""


@dataclass
class Somebody:
    """At a staged site, with nothing but the programs of a plan on PATH, and sleep."""

    site: KotsSite
    plan: Plan
    shell: Sequence[str] = ("sh",)
    said: list[str] = field(default_factory=list)
    """What every call of the script printed, one text each."""

    def __post_init__(self) -> None:
        """Write the script, and the programs that it may use."""
        self.script.write_text(as_script(self.plan), encoding="utf-8")
        self.folder.mkdir()
        self.programs()
        sleep = self.folder / "sleep"
        sleep.write_text(_SLEEP.format(log=self.slept), encoding="utf-8")
        sleep.chmod(0o755)
        if re.search(r"(?m)^has_programs .*\bmv\b", self.script.read_text(encoding="utf-8")):
            (self.folder / "mv").symlink_to(need("mv"))

    @property
    def folder(self) -> Path:
        """The only one on PATH."""
        return self.site.folder / "bin"

    @property
    def script(self) -> Path:
        """The script."""
        return self.site.folder / "operation.sh"

    @property
    def slept(self) -> Path:
        """One line for each pause."""
        return self.site.folder / "slept"

    def programs(self, before: str = "", after: str = "") -> None:
        """Write the fakes; they do these things, in shell, before and after each call."""
        for fake in FAKES.iterdir():
            if fake.suffix == "" and fake.is_file():
                text = _PROGRAM.format(
                    name=fake.name, python=sys.executable, program=fake, before=before, after=after
                )
                (self.folder / fake.name).write_text(text, encoding="utf-8")
                (self.folder / fake.name).chmod(0o755)

    def run(self, *, start: str = "", confirmed: str = "") -> subprocess.CompletedProcess[str]:
        """Run the script as it is."""
        environment = {**self.site.environment, "PATH": str(self.folder)}
        given = {"START": start, "CONFIRMED": confirmed}
        shell = str(need(self.shell[0]))
        done = subprocess.run(
            [shell, *self.shell[1:], str(self.script)],
            env={**environment, **{name: value for name, value in given.items() if value}},
            cwd=self.site.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        self.said.append(done.stdout + done.stderr)
        return done

    def go_on(self, start: str = "") -> subprocess.CompletedProcess[str]:
        """Run it to its end or first failure, doing each thing that it asks for.

        What a person only has to look at was seen beforehand.
        """
        confirmed = [step.name for step in self.plan.steps if isinstance(step.action, Check)]
        while True:
            done = self.run(start=start, confirmed=" ".join(confirmed))
            step = self.step_of(done)
            if done.returncode == NOT_CONFIRMED and step and by_hand(step):
                assert step.name not in confirmed, done.stderr
                self.do(step)
                confirmed.append(step.name)
            elif done.returncode == STORAGE and step and isinstance(step.action, Save):
                Path(step.action.path).parent.mkdir(parents=True)
            elif done.returncode == STORAGE and step and isinstance(step.action, Gather):
                Path(step.action.folder).mkdir()
            else:
                return done
            start = step.name

    def step_of(self, done: subprocess.CompletedProcess[str]) -> Step | None:
        """The step that it says to go on with."""
        found = re.search(r"(?m)^To go on with this step: START='(.*)' sh ", done.stderr)
        return next((step for step in self.plan.steps if found and step.name == found[1]), None)

    def do(self, step: Step) -> None:
        """What only a person can do."""
        match step.action:
            case Assemble(archive=archive, path=path):
                self.site.assemble(archive, path)
            case Look(images=images):
                assert not list(self.site.audit(images).faults())
            case Edit() as action:
                edit(action)
            case Person():
                self.site.person(step)
            case _:
                pass


def calls(site: KotsSite, start: int = 0, *, without: Plan | None = None) -> list[dict[str, Any]]:
    """The calls of programs since the first `start`, the same whatever folder the site is in.

    One for each question of the plan `without` is left out, the first that fits.
    """
    found = site.cluster.calls()[start:]
    for step in without.steps if without else ():
        if step.is_question and step.command:
            argv = step.command.argv
            found.remove(next(call for call in found if _same(call["argv"], argv)))
    return list(json.loads(json.dumps(found).replace(str(site.folder), "")))


def _same(logged: Sequence[str], argv: Sequence[str]) -> bool:
    """The plugin logs its own words."""
    return list(logged[1:]) == list(argv[1 + (argv[1] == "kots") :])


def saved_lines(path: str, root: Path) -> list[str]:
    """A saved file as a run keeps it: no empty lines, and the same whatever the folder."""
    lines = Path(path).read_text(encoding="utf-8").replace(str(root), "").splitlines()
    return [line.rstrip() for line in lines if line.strip()]
