"""A script against KOTS's own ways to fail: it believes KOTS no more than a run does."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from mirror.operation import Step
from mirror.operation.model import Run
from tests.fakes.cluster import digest
from tests.mirror.golden import CASES, PULL, Case
from tests.mirror.kots_site import FILE_SECRETS, secret_values
from tests.mirror.kots_world import FIRST, SITE, install_order
from tests.mirror.operations import OPERATIONS, Deployment, Operation
from tests.mirror.script_runner import Somebody
from tests.mirror.test_deploy_refusals import BOTH, TRAPS
from tests.processes import interrupted
from tests.tools import need

WAITS = "waits: {waitDuration: 10s, preflightsWaitDuration: 5s}\n"


def somebody(case: Case, folder: Path) -> Somebody:
    """A site before an install or upgrade, and its script."""
    return staged(Deployment(case), folder)


@pytest.mark.parametrize("name", TRAPS)
def test_what_kots_says_counts_and_not_its_exit_code(name: str, tmp_path: Path) -> None:
    trap = TRAPS[name]
    before = {"harness": BOTH} if trap.order.task == "upgrade" else {}
    case = Case(order=trap.order, records=trap.records, site=SITE + WAITS, before=before)
    one = somebody(case, tmp_path / "site")
    one.site.cluster.change(traps={trap.command: name.partition(": ")[2]})
    done = one.go_on()
    assert done.returncode == 10, done.stderr
    told = done.stdout + done.stderr
    assert trap.message in told
    assert trap.hint in re.findall(r"(?m)^hint: (.*)$", done.stderr)[0]
    step = one.step_of(done)
    assert step is not None
    assert one.run(start=step.name).returncode != 2, "and it can be begun with that step"


@pytest.mark.parametrize("plugin", ["v1.130.0", "1.131.5"])
def test_another_plugin_than_the_consoles_is_refused(plugin: str, tmp_path: Path) -> None:
    one = somebody(Case(order=install_order(only="harness")), tmp_path / "site")
    one.site.cluster.change(plugin=plugin)
    done = one.go_on()
    assert done.returncode == 12
    assert "expected: the plugin is v1.131.4; found: v1.13" in done.stderr
    assert len(one.site.cluster.calls()) == 1


@pytest.mark.parametrize("name", ["install-first", "upgrade-firstgen"])
def test_a_cluster_that_is_not_as_the_plan_takes_it_is_refused(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    one = somebody(case, tmp_path / "site")
    done = one.go_on()
    assert done.returncode == 0, done.stderr
    before = one.site.cluster.load()
    done = one.go_on()
    assert done.returncode == 12, "what is done already is not done again"
    assert "hint: what is there is not what the plan was made for" in done.stderr
    assert one.site.cluster.load() == before


def test_passwords_arrive_and_are_seen_nowhere(tmp_path: Path) -> None:
    one = somebody(Case(order=install_order(), records=FIRST, site=PULL), tmp_path / "site")
    users = {"harness-pull": digest(FILE_SECRETS["pull-password"])}
    one.site.cluster.change(users=users, traps={"install": "leak"})
    done = one.go_on()
    assert done.returncode == 0, done.stderr
    assert "user:***@registry" in done.stdout
    assert_unseen(one)


def assert_unseen(one: Somebody) -> None:
    """No secret is in the arguments of a program, in output or in a file."""
    files = [path for path in one.site.folder.rglob("*") if path.is_file()]
    for secret in secret_values():
        assert not [said for said in one.said if secret in said]
        assert not [call for call in one.site.cluster.calls() if secret in str(call["argv"])]
        for path in files:
            assert path.parent == one.site.etc or secret.encode() not in path.read_bytes(), path


def test_ctrl_c_reaches_kots_too(tmp_path: Path) -> None:
    one = somebody(Case(order=install_order(only="harness")), tmp_path / "site")
    one.site.cluster.change(traps={"install": "hang"})
    log = one.site.folder / "log"
    hangs = one.site.folder / "cluster/hangs"
    assert (
        interrupted(
            [need("sh"), one.script],
            {**one.site.environment, "PATH": str(one.folder), "CONFIRMED": "images"},
            when=hangs,
            log=log,
        )
        == 130
    )
    assert "START='install-harness'" in log.read_text()
    assert "\n    kubectl kots remove harness " in log.read_text()


@pytest.mark.parametrize("name", ["install-first", "upgrade-firstgen", "down"])
def test_a_script_killed_in_any_change_is_ended_by_the_next_one(name: str, tmp_path: Path) -> None:
    operation = OPERATIONS[name]
    whole = staged(operation, tmp_path / "whole")
    assert whole.go_on().returncode == 0
    names = [step.name for step in whole.plan.steps]
    for number, step in changes(whole):
        following = names[names.index(step.name) + 1 :]
        for when, start in (("before", step.name), ("after", following[0])):
            one = staged(operation, tmp_path / f"{number}-{when}")
            one.programs(**{when: killing(one.site.folder / "calls", number)})
            done = one.go_on()
            assert done.returncode == -signal.SIGKILL
            assert re.findall(r"(?m)^\[\d+/\d+\] (\S+): ", done.stdout)[-1] == step.name
            one.programs()
            assert one.go_on(start).returncode == 0, one.said[-1]
            operation.check(one.site)


def staged(operation: Operation, folder: Path) -> Somebody:
    """A site before an operation, and its script."""
    site = operation.stage(folder)
    return Somebody(site, operation.dry(site))


def changes(one: Somebody) -> list[tuple[int, Step]]:
    """The steps that change the cluster, and the number of their call."""
    made = [str(call["argv"][1:]) for call in one.site.cluster.calls()]
    steps = [step for step in one.plan.steps if isinstance(step.action, Run) and step.command]
    words = [step.command.argv[1:] if step.command else () for step in steps]
    told = [str(list(argv[argv[:1] == ("kots",) :])) for argv in words]
    return [(made.index(argv) + 1, step) for argv, step in zip(told, steps, strict=True)]


def killing(file: Path, number: int) -> str:
    """What a program does that kills everything at one of its calls."""
    file.touch()
    return (
        f"printf x >> {file}\nIFS= read -r made < {file} || :\n"
        f'[ "${{#made}}" -ne {number} ] || kill -KILL 0'
    )
