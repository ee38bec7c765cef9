"""`airgap-mirror status` and `deploy`: what runs, what waits, and how that comes to its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mirror import kots
from mirror.deploy.pending import plan_deploy
from mirror.kots import outcome
from mirror.operation import Plan, as_text, run
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import (
    FIRST,
    KOTS,
    MONTHLY,
    namespace,
    running,
    upgrade_order,
)
from tests.mirror.supply import mirror
from transfer.contents import ArchiveRecord
from transfer.errors import Incomplete, NotFound, PolicyError, ToolError

REGISTRY = "registry.dc-north.example:5000/harness"
WAITING = running("80307", 418, status="pending_preflight")["versions"]


def with_waiting(
    folder: Path,
    *newer: Any,  # noqa: ANN401 - JSON
    records: tuple[ArchiveRecord, ...] = FIRST,
) -> KotsSite:
    """A site with versions that are newer than the deployed one."""
    site = KotsSite(folder, records)
    app = running("79915", 412)
    app["versions"] = [*newer, *app["versions"]]
    found = namespace(KOTS, harness=app, harness_ng=running("500", 91, "harness-ng"))
    site.cluster.change(namespaces={"harness": found})
    return site


def site_file(site: KotsSite) -> Path:
    path = site.etc / "site.yaml"
    path.write_text(site.text.replace("~/", f"{site.etc}/"))
    return path


def test_the_status_is_told(tmp_path: Path) -> None:
    site = with_waiting(tmp_path, *WAITING)
    done = mirror("status", "--site", site_file(site), env=site.environment)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        f"namespace harness: admin console {KOTS}, pulls from {REGISTRY}",
        "  harness: 79915, ready",
        "    80307 waits: pending_preflight",
        "  harness-ng: 500, ready",
    ]


def test_the_status_is_data_too(tmp_path: Path) -> None:
    site = with_waiting(tmp_path, *WAITING)
    done = mirror("status", "--site", site_file(site), "--output", "json", env=site.environment)
    (found,) = json.loads(done.out)["namespaces"]
    assert found["console"] == KOTS
    assert found["applications"][0] == {
        "slug": "harness",
        "release": "79915",
        "state": "ready",
        "waiting": [{"release": "80307", "status": "pending_preflight"}],
    }
    assert found["applications"][1]["waiting"] == []


def test_a_namespace_without_a_console_is_told_of(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    done = mirror("status", "--site", site_file(site), env=site.environment)
    assert (done.code, done.out) == (0, "namespace harness: no admin console\n")


UNREACHABLE = "Unable to connect to the server: dial tcp 192.0.2.1:6443: i/o timeout"
FORBIDDEN = 'Error from server (Forbidden): deployments.apps "kotsadm" is forbidden'
ERROR = '{"error": "failed to list apps: unauthorized"}\n'
TRAPS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "the cluster does not answer": ({"kube": {"server": None}}, UNREACHABLE),
    "no rights": ({"refusals": {"get deployment/kotsadm": FORBIDDEN}}, FORBIDDEN),
    "a port-forward that is blocked": ({"said": {"get apps": ["", 1]}}, "failed to port forward"),
    "an error with exit code 0": ({"said": {"get apps": [ERROR, 0]}}, "cannot be read"),
    "one of an application": ({"said": {"get versions": [ERROR, 0]}}, "cannot be read"),
    "half an answer": ({"said": {"get versions": ['[{"versionLabel": "7', 0]}}, "cannot be read"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_status_that_nobody_tells_is_none(trap: str, tmp_path: Path) -> None:
    state, said = TRAPS[trap]
    site = with_waiting(tmp_path, *WAITING)
    site.cluster.change(**state)
    done = mirror("status", "--site", site_file(site), env=site.environment)
    assert (done.code, done.out) == (10, "")
    assert said in done.err


def test_progress_before_an_answer_is_no_answer(tmp_path: Path) -> None:
    site = with_waiting(tmp_path, *WAITING)
    text = '  • Waiting {1}\n[{"slug": "x", "state": "ready", "versionlabel": ""}]\n'
    site.cluster.change(said={"get apps": [text, 0], "get versions": ["  • Go\n[]\n", 0]})
    done = mirror("status", "--site", site_file(site), env=site.environment)
    assert done.code == 0, done.err
    assert done.out.splitlines()[1:] == ["  x: nothing deployed, ready"]


def test_a_dry_run_of_the_status_asks_nothing(tmp_path: Path) -> None:
    site = with_waiting(tmp_path)
    done = mirror("status", "--site", site_file(site), "--dry-run", env=site.environment)
    assert done.code == 0
    assert "kubectl kots get versions SLUG" in done.out
    assert site.cluster.calls() == []


def planned(site: KotsSite, label: str | None = None) -> Plan:
    application = site.site.application("harness")
    command = kots.get_versions(site.site, application)
    versions = outcome.read_versions(site.hands().ask(command), command)
    return plan_deploy(site.site, application, versions, label)


def press(site: KotsSite, label: str, status: str = "deploying") -> None:
    """What a person does in the admin console."""
    state = site.cluster.load()
    versions = state["namespaces"]["harness"]["apps"]["harness"]["versions"]
    for version in versions:
        if version["versionLabel"] == label:
            version["status"] = status
    site.cluster.save(state)


def test_a_version_that_waits_is_deployed_by_a_person_and_waited_for(tmp_path: Path) -> None:
    site = with_waiting(tmp_path, *WAITING)
    found = planned(site)
    assert "Preflight checks: wait for them" in as_text(found)
    press(site, "80307")
    site.confirmed.add("deploy-harness-80307")
    achieved = run(site.site, found, site.hands())
    assert achieved == ("harness 80307 is deployed", "harness is ready")
    assert site.deployed()["harness"] == "80307"


def test_what_then_fails_is_told(tmp_path: Path) -> None:
    site = with_waiting(tmp_path, *WAITING)
    found = planned(site)
    press(site, "80307", "failed")
    site.confirmed.add("deploy-harness-80307")
    with pytest.raises(ToolError, match="80307: failed"):
        run(site.site, found, site.hands())


def test_nothing_waits(tmp_path: Path) -> None:
    site = with_waiting(tmp_path)
    assert planned(site).notes == ("harness has no version that waits to be deployed.",)
    assert planned(site, "79915").notes == ("harness 79915 is deployed already.",)
    assert not planned(site).work


def test_a_version_that_nobody_has_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    site = with_waiting(tmp_path, *WAITING)
    with pytest.raises(NotFound, match=r"no such version; it has: 80307, 79915"):
        planned(site, "80110")


def test_a_version_older_than_the_deployed_one_is_refused(tmp_path: Path) -> None:
    site = with_waiting(tmp_path, *WAITING)
    press(site, "80307", "deployed")
    press(site, "79915", "superseded")
    with pytest.raises(PolicyError, match="79915 is superseded: it is older than what is deployed"):
        planned(site, "79915")


def test_a_new_version_of_the_label_that_runs_is_the_one_that_counts(tmp_path: Path) -> None:
    site = with_waiting(tmp_path, *WAITING)
    state = site.cluster.load()
    versions = state["namespaces"]["harness"]["apps"]["harness"]["versions"]
    versions[:] = [{**versions[0], "status": "pending"}, {**versions[0], "status": "deployed"}]
    site.cluster.save(state)
    found = planned(site)
    site.confirmed.add("deploy-harness-80307")
    with pytest.raises(ToolError, match="pending after"):
        run(site.site, found, site.hands())


def test_each_state_has_its_own_advice(tmp_path: Path) -> None:
    for number, (status, advice) in enumerate(
        {"pending_config": "Config: complete", "failed": "Deploy logs", "pending": "Deploy"}.items()
    ):
        newer = running("80307", 418, status=status)["versions"]
        site = with_waiting(tmp_path / str(number), *newer)
        assert advice in as_text(planned(site))


def test_the_command_line_waits_for_the_person(tmp_path: Path) -> None:
    site = with_waiting(tmp_path, *WAITING)
    words = ("deploy", "--site", site_file(site), "--app", "harness")
    done = mirror(*words, env=site.environment)
    assert done.code == 11
    assert "deploy-harness-80307: not confirmed" in done.err
    press(site, "80307")
    done = mirror(*words, "--confirmed", "deploy-harness-80307", env=site.environment)
    assert done.code == 0, done.err
    assert done.out == "harness 80307 is deployed\nharness is ready\n"


def test_an_upgrade_goes_on_with_a_release_that_waits_in_the_console(tmp_path: Path) -> None:
    newer = running("80110", 415, status="pending_preflight")["versions"]
    upgraded = with_waiting(tmp_path, *newer, records=MONTHLY)
    order = upgrade_order(only="harness")
    with pytest.raises(Incomplete, match="deploy-harness-80110: not confirmed"):
        upgraded.carry_out(order)
    press(upgraded, "80110")
    planned, _ = upgraded.carry_out(order)
    names = [step.name for step in planned.work if step.name.startswith(("deploy", "upgrade"))]
    assert names == ["deployed-harness-80110", "upgrade-harness-80307", "deployed-harness-80307"]
    assert upgraded.deployed()["harness"] == "80307"
