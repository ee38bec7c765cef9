"""What holds for every operation: each of `operations.OPERATIONS` goes through all of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from mirror.operation import Plan, Step, as_script, run
from mirror.operation.model import Assemble, Edit, Person, Run, Save
from tests.mirror.golden import FOLDER, shown
from tests.mirror.kots_site import KotsSite
from tests.mirror.operations import OPERATIONS, Operation
from tests.mirror.script_runner import Somebody, calls, saved_lines
from tests.mirror.stops import Stop, Stopped, journal_at
from tests.tools import need

SHELLS = {"dash": ("dash",), "busybox": ("busybox", "sh"), "bash": ("bash", "--posix")}


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> Operation:
    return OPERATIONS[request.param]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("ending", ["txt", "sh", "md"])
def test_a_plan_reads_as_it_was_reviewed(name: str, ending: str) -> None:
    expected = (FOLDER / f"{name}.{ending}").read_text(encoding="utf-8")
    found = shown(OPERATIONS[name].shown())[ending]
    assert found == expected, "python -m tests.mirror.operations writes it anew"


def test_no_golden_file_is_left_over() -> None:
    found = {path.name for path in FOLDER.iterdir() if path.suffix != ".txt"}
    assert found == {f"{name}.{ending}" for name in OPERATIONS for ending in ("sh", "md")}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_can_read_the_script(operation: Operation, shell: str) -> None:
    program, *options = SHELLS[shell]
    script = as_script(operation.shown())
    subprocess.run([need(program), *options, "-n"], input=script, text=True, check=True)


def take(operation: Operation, site: KotsSite) -> tuple[Plan, int]:
    """Plan and run, as the command line does; also how many calls the plan needed."""
    planned = operation.planned(site, site.hands().ask)
    before = len(site.cluster.calls())
    site.confirmed |= {step.name for step in planned.steps}
    run(site.site, planned, site.hands())
    return planned, before


def everything(site: KotsSite) -> str:
    """The cluster, the same whatever folder the site is in."""
    return json.dumps(site.cluster.load(), sort_keys=True).replace(str(site.folder), "")


def test_a_script_does_what_a_run_does(operation: Operation, tmp_path: Path) -> None:
    ran = operation.stage(tmp_path / "run")
    _, asked = take(operation, ran)
    operation.check(ran)
    site = operation.stage(tmp_path / "script")
    plan = operation.dry(site)
    done = Somebody(site, plan).go_on()
    assert done.returncode == 0, done.stderr
    operation.check(site)
    assert calls(site, without=plan) == calls(ran, asked)
    assert everything(site) == everything(ran)
    for step in plan.steps:
        if isinstance(step.action, Save):
            path = Path(step.action.path)
            twin = ran.folder / path.relative_to(site.folder)
            assert saved_lines(str(path), site.folder) == saved_lines(str(twin), ran.folder)


def go(operation: Operation, site: KotsSite, stop: Stop | None = None) -> Plan:
    """Plan and run with the real journal, until it is stopped."""
    stop = stop or Stop(at=0)
    planned = operation.planned(site, site.hands().ask)
    site.confirmed |= {step.name for step in planned.steps}
    with journal_at(site.folder / "journal.jsonl", planned.title) as journal:
        run(site.site, planned, stop.hands(site.hands(), journal))
    return planned


def test_a_run_stopped_anywhere_is_ended_by_the_same_command(
    operation: Operation, tmp_path: Path
) -> None:
    whole = staged(operation, tmp_path / "whole")
    never = Stop(at=0)
    recorded = {step.name for step in go(operation, whole, never).steps if step.recorded}
    for at in range(1, never.moments + 1):
        site = staged(operation, tmp_path / str(at))
        with pytest.raises(Stopped):
            go(operation, site, Stop(at=at))
        go(operation, site)
        operation.check(site)
        assert not taken_again(site.folder / "journal.jsonl", recorded), at
        again = operation.planned(site, site.hands().ask)
        assert not [step.name for step in again.work if is_change(step)], "and nothing is left"
        shutil.rmtree(site.folder)


def staged(operation: Operation, folder: Path) -> KotsSite:
    """A site whose programs are quick."""
    site = operation.stage(folder)
    site.here = True
    return site


def is_change(step: Step) -> bool:
    """Whether it does more than to look."""
    return isinstance(step.action, Run | Assemble | Edit | Person)


def taken_again(journal: Path, recorded: set[str]) -> list[str]:
    """Those of the recorded steps that were begun once more although they were done."""
    done: set[str] = set()
    again = []
    for line in journal.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["event"] == "began" and entry["digest"] in done and entry["step"] in recorded:
            again.append(entry["step"])
        if entry["event"] == "done":
            done.add(entry["digest"])
        if entry["event"] == "ended":
            done.clear()
    return again
