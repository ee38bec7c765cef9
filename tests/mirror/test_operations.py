"""What holds for every operation: each of `operations.OPERATIONS` goes through all of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mirror.operation import Plan, as_script, run
from mirror.operation.model import Save
from tests.mirror.golden import FOLDER, shown
from tests.mirror.kots_site import KotsSite
from tests.mirror.operations import OPERATIONS, SHOWN, Operation, places_of
from tests.mirror.script_runner import Somebody, calls, saved_lines
from tests.tools import need

SHELLS = {"dash": ("dash",), "busybox": ("busybox", "sh"), "bash": ("bash", "--posix")}


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> Operation:
    return OPERATIONS[request.param]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("ending", ["txt", "sh", "md"])
def test_a_plan_reads_as_it_was_reviewed(name: str, ending: str) -> None:
    expected = (FOLDER / f"{name}.{ending}").read_text(encoding="utf-8")
    found = shown(OPERATIONS[name].dry(SHOWN))[ending]
    assert found == expected, "python -m tests.mirror.operations writes it anew"


def test_no_golden_file_is_left_over() -> None:
    wanted = {f"{name}.{ending}" for name in OPERATIONS for ending in ("txt", "sh", "md")}
    assert {path.name for path in FOLDER.iterdir()} == wanted


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_can_read_the_script(operation: Operation, shell: str) -> None:
    program, *options = SHELLS[shell]
    script = as_script(operation.dry(SHOWN))
    subprocess.run([need(program), *options, "-n"], input=script, text=True, check=True)


def take(operation: Operation, site: KotsSite) -> tuple[Plan, int]:
    """Plan and run, as the command line does; also how many calls the plan needed."""
    planned = operation.planned(site)
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
    plan = operation.dry(places_of(site))
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
