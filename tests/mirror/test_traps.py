"""KOTS's traps, each shown to be there and to be avoided: see also `test_deploy_refusals`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mirror.kots import Engine
from mirror.kots.outcome import Finished, check_upgrade
from mirror.operation.model import Run
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import (
    FIRST,
    KOTS,
    MONTHLY,
    SITE,
    install_order,
    namespace,
    running,
    upgrade_order,
)
from transfer.errors import ToolError

INSTALL = install_order(only="harness")


def planned_run(site: KotsSite, name: str) -> Run:
    """The one command of a plan, as it would run."""
    planned, _ = site.carry_out(INSTALL)
    (action,) = [step.action for step in planned.work if step.name == name]
    assert isinstance(action, Run)
    return action


def ran_with(site: KotsSite, action: Run, *, without: str) -> Finished:
    """The command once more, without one of its flags, on an empty cluster."""
    argv = tuple(word for word in action.command.argv if not word.startswith(without))
    assert argv != action.command.argv
    site.cluster.change(namespaces={})
    return site.runner()(replace(action.command, argv=argv))


def test_two_minutes_are_not_enough_and_are_not_what_kots_is_given(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    site.cluster.change(**{"import": 600})
    action = planned_run(site, "install-harness")
    assert site.deployed() == {"harness": "79915"}
    done = ran_with(site, action, without="--wait-duration")
    assert done.exit_code == 1
    assert "timeout waiting for automated install" in "\n".join(done.stderr)


def test_a_wait_that_the_site_file_makes_too_short_is_told_with_its_key(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST, text=f"{SITE}waits: {{waitDuration: 2m}}\n")
    site.cluster.change(**{"import": 600})
    with pytest.raises(ToolError, match="timeout waiting for automated install") as caught:
        site.carry_out(INSTALL)
    assert caught.value.exit_code == 10
    assert "waits in the site file" in str(caught.value.hint)


def test_a_port_forward_would_block_and_is_not_asked_for(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    action = planned_run(site, "install-harness")
    assert ran_with(site, action, without="--no-port-forward").exit_code == 97


def test_the_answer_is_found_behind_the_progress(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, MONTHLY, vendor=True)
    before = namespace(KOTS, harness=running("80110", 415))
    site.cluster.change(namespaces={"harness": before})
    planned, _ = site.carry_out(upgrade_order(only="harness", engine=Engine.KOTS))
    assert any("Pushing image" in line for line in site.said)
    (action,) = [step.action for step in planned.work if step.name == "upgrade-harness-80307"]
    assert isinstance(action, Run)
    site.cluster.change(namespaces={"harness": before}, traps={"upstream upgrade": "error"})
    done = site.runner()(action.command)
    assert done.exit_code == 0
    assert any("Pushing image" in line for line in done.stdout)
    with pytest.raises(ToolError, match="exit code 0 but failed: Unexpected response") as caught:
        check_upgrade(done, action.command)
    assert caught.value.exit_code == 10
