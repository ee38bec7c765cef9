"""A console that has to have the version of the plugin, whatever that is: asked when it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirror import kots
from mirror.operation import as_runbook, as_text
from mirror.operation.goals import await_goal
from mirror.operation.model import Await
from mirror.operation.wanted import ConsoleIs
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import KOTS, OLD_KOTS, namespace, read_site
from tests.mirror.shells import SHELLS, Shell, plan_of, step
from transfer.errors import ToolError

OURS = Await(
    command=kots.get_console(read_site(), "harness"),
    goal=ConsoleIs(version=""),
    seconds=0,
    plugin=kots.plugin_version(read_site()),
)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    return Shell(tmp_path / "at", SHELLS[request.param])


def answers(shell: Shell, plugin: str, console: str) -> None:
    """What kubectl says of the plugin, and of the console."""
    workload = {
        "kind": "Deployment",
        "spec": {
            "template": {
                "spec": {"containers": [{"name": "kotsadm", "image": f"r:5000/kotsadm:{console}"}]}
            }
        },
    }
    there = json.dumps({"items": [workload] if console else []})
    shell.program(
        "kubectl",
        f"case $1 in\nkots) printf '%s\\n' '{plugin}' ;;\n*) printf '%s\\n' '{there}' ;;\nesac",
    )


@pytest.mark.parametrize(
    ("plugin", "console", "code"),
    [
        ('{"version": "1.131.4"}', "v1.131.4", 0),
        ('{"version": "v1.131.4"}', "v1.131.4", 0),
        ('{"version": "v1.131.4"}', "v1.130.0", 10),
        ('{"version": "v1.131.4"}', "v1.131.40", 10),
        ('{"version": "v1.131.4"}', "", 10),
        ("no such plugin", "v", 10),
    ],
)
def test_a_script_compares_the_two(shell: Shell, plugin: str, console: str, code: int) -> None:
    answers(shell, plugin, console)
    done = shell.run(plan_of(step(OURS)), START="try")
    assert done.returncode == code, done.stdout + done.stderr


def test_a_run_compares_the_two(tmp_path: Path) -> None:
    site = KotsSite(tmp_path / "site", ())
    cases = (KOTS, KOTS, True), (OLD_KOTS, OLD_KOTS, True), (OLD_KOTS, KOTS, False)
    for running, plugin, good in cases:
        site.cluster.change(plugin=plugin, namespaces={"harness": namespace(running)})
        command = kots.get_console(site.site, "harness")
        goal = Await(
            command=command,
            goal=ConsoleIs(version=""),
            seconds=0,
            plugin=kots.plugin_version(site.site),
        )
        if good:
            assert await_goal(goal, site.hands()) == f"the admin console is {running}"
            continue
        with pytest.raises(ToolError, match=f"is {OLD_KOTS}; expected: the admin console is"):
            await_goal(goal, site.hands())


def test_a_plan_shows_both_questions() -> None:
    plan = plan_of(step(OURS))
    for text in (as_text(plan), as_runbook(plan)):
        asked = [text.index("kubectl kots version"), text.index("kubectl get deployment/kotsadm")]
        assert asked == sorted(asked)
        assert "of the version of the plugin" in as_runbook(plan)
