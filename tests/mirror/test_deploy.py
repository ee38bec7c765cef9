"""Dry runs as they are printed, and runs against a cluster that behaves as KOTS does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mirror.deploy import Order
from mirror.kots import Engine
from mirror.operation import as_text, run
from mirror.operation.model import Assemble, Run
from mirror.operation.show import kind_of
from tests.fakes.cluster import digest
from tests.mirror.golden import CASES, FOLDER, PULL
from tests.mirror.kots_site import (
    FILE_SECRETS,
    SECRETS,
    KotsSite,
    commands_in,
    secret_values,
)
from tests.mirror.kots_world import (
    FIRST,
    KOTS,
    MONTHLY,
    OLD_KOTS,
    SITE,
    console,
    dry_plan,
    install_order,
    namespace,
    offered,
    read_site,
    running,
    upgrade_order,
)
from transfer.contents import ArchiveRecord
from transfer.errors import InvalidInput, PolicyError, StorageError, ToolError

_ACHIEVEMENTS = ("look", "await")
ENDPOINT = "registry.dc-north.example:5000/harness"


def kots_site(tmp_path: Path, *records: ArchiveRecord, **fields: Any) -> KotsSite:  # noqa: ANN401
    return KotsSite(tmp_path, records or FIRST, **fields)


def with_cluster(site: KotsSite, **namespaces: Any) -> KotsSite:  # noqa: ANN401
    site.cluster.change(namespaces=namespaces)
    return site


@pytest.mark.parametrize("name", CASES)
def test_a_dry_run_reads_as_it_was_reviewed(name: str) -> None:
    expected = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert as_text(CASES[name].plan()) == expected


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.order.folder])
def test_kots_accepts_the_printed_commands(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    site = kots_site(tmp_path, *case.records, text=case.site, vendor=case.vendor)
    site.cluster.change(namespaces=dict(case.before))
    order = replace(case.order, work_dir=str(site.work) if case.order.work_dir else None)
    text = case.site.replace("~/", f"{site.etc}/")
    planned = replace(case, order=order, site=text).plan(str(site.etc), str(tmp_path / "bundle"))
    for step in planned.steps:
        if isinstance(step.action, Assemble):
            site.assemble(step.action.archive, step.action.path)
    printed = as_text(planned)
    assert len(commands_in(printed)) == len([step for step in planned.steps if step.command])
    for command, done in zip(commands_in(printed), site.paste(printed), strict=True):
        assert done.exit_code == 0, (command, done)
    assert site.deployed() == case.after
    wanted = [list(step.command.argv) for step in planned.steps if step.command]
    for argv, call in zip(wanted, site.cluster.calls(), strict=True):
        assert call["argv"][1:] == argv[1 + ("kots" in argv) :]


@pytest.mark.parametrize("name", [name for name in CASES if "without" not in name])
def test_a_run_takes_the_steps_of_the_dry_run(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    site = kots_site(tmp_path, *case.records, text=case.site, vendor=case.vendor)
    site.cluster.change(namespaces=dict(case.before))
    site.confirmed |= {step.name for step in case.plan().steps}
    planned, achieved = site.carry_out(case.order)
    assert site.deployed() == case.after
    changes = [kind_of(step) for step in case.plan().work]
    assert [kind_of(step) for step in planned.work] == changes
    assert planned.assumptions == ()
    assert site.proven == [
        step.action.handed
        for step in planned.steps
        if isinstance(step.action, Run) and step.action.handed
    ]
    assert len(achieved) == len([kind for kind in changes if kind in _ACHIEVEMENTS])


def test_passwords_arrive_and_are_seen_nowhere(tmp_path: Path) -> None:
    site = kots_site(tmp_path, text=PULL)
    users = {"harness-pull": digest(FILE_SECRETS["pull-password"])}
    site.cluster.change(users=users, traps={"install": "leak"})
    site.carry_out(install_order())
    state = site.cluster.load()["namespaces"]["harness"]
    assert state["password"] == digest(SECRETS["CONSOLE_PASSWORD"])
    assert state["console"]["user"] == "harness-pull"
    assert any("user:***@registry" in line for line in site.said)
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != site.etc]
    for secret in secret_values():
        assert not [line for line in site.said if secret in line]
        for call in site.cluster.calls():
            assert not [word for word in call["argv"] if secret in word]
        for path in written:
            assert secret.encode() not in path.read_bytes(), path


def test_a_second_application_keeps_the_consoles_password(tmp_path: Path) -> None:
    before = namespace(KOTS, harness=running("79915", 412))
    site = with_cluster(kots_site(tmp_path), harness=before)
    site.carry_out(install_order())
    assert site.cluster.load()["namespaces"]["harness"]["password"] == before["password"]
    assert site.deployed() == {"harness": "79915", "harness-ng": "500"}


def test_the_same_command_continues(tmp_path: Path) -> None:
    site = kots_site(tmp_path)
    site.cluster.change(traps={"install": "timeout"})
    with pytest.raises(ToolError, match="timeout waiting for automated install"):
        site.carry_out(install_order(only="harness"))
    state = site.cluster.load()
    state["namespaces"]["harness"]["apps"] = {}  # whoever cleaned up removed the application
    site.cluster.save(state)
    site.carry_out(install_order())
    planned, achieved = site.carry_out(install_order())
    assert achieved == ()
    assert planned.notes == (
        "harness 79915 is deployed already.",
        "harness-ng 500 is deployed already.",
    )


def test_a_version_on_its_way_is_waited_for(tmp_path: Path) -> None:
    site = with_cluster(
        kots_site(tmp_path, *MONTHLY), harness=namespace(KOTS, harness=running("80110", 415))
    )
    site.cluster.change(traps={"upstream upgrade": "deploying"})
    site.carry_out(upgrade_order(only="harness"))
    assert site.clock.seconds == 5
    assert "  harness 80307: deploying; asking again every 5 s" in site.said
    assert site.deployed() == {"harness": "80307"}


def test_images_that_kots_would_not_find_are_all_named(tmp_path: Path) -> None:
    site = kots_site(tmp_path)
    del site.registry[f"{ENDPOINT}/rqlite:10.2.7"]
    wrong = f"{ENDPOINT}/harness-manager:79915"
    site.registry[wrong] = site.registry[f"{ENDPOINT}/dex:2.44.0"]
    with pytest.raises(PolicyError, match="nothing was changed") as caught:
        site.carry_out(install_order())
    found = sorted(str(fault) for fault in caught.value.faults)
    assert len(found) == 2
    assert found[0].startswith(f"{wrong}: holds sha256:")
    assert found[1] == f"{ENDPOINT}/rqlite:10.2.7: the name is not there"
    assert "airgap-mirror push" in str(caught.value.hint)
    assert "install" not in " ".join(site.cluster.commands())


def test_what_kots_says_it_pushed_is_looked_for(tmp_path: Path) -> None:
    site = kots_site(tmp_path, vendor=True)
    del site.registry[f"{ENDPOINT}/harness-manager:79915"]
    with pytest.raises(ToolError, match="does not hold what KOTS pushed") as caught:
        site.carry_out(install_order(engine=Engine.KOTS, only="harness"))
    (fault,) = caught.value.faults
    assert str(fault) == f"{ENDPOINT}/harness-manager:79915: the name is not there"
    assert site.cluster.commands()[-1].startswith("install ")


def test_missing_secrets_stop_everything_at_once(tmp_path: Path) -> None:
    site = kots_site(tmp_path, text=PULL)
    (site.etc / "pull-password").unlink()
    hands = site.hands()
    lacking = replace(site.runner().keyring, environment={"PATH": ""})
    planned = dry_plan(install_order(only="harness"), site.offers, site=site.site)
    with pytest.raises(InvalidInput, match="secrets of the site are not at hand") as caught:
        run(site.site, planned, replace(hands, check_secrets=lacking.check))
    assert len(caught.value.faults) == 2
    assert site.cluster.calls() == []


def test_room_is_looked_for_before_anything_is_put_together(tmp_path: Path) -> None:
    site = kots_site(tmp_path)
    site.free = 2 * 9_000_000_000
    with pytest.raises(StorageError, match=r"27400000000 bytes are needed, 18000000000 are free"):
        site.carry_out(install_order(engine=Engine.KOTS))
    assert site.assembled == []
    assert "push-images" not in " ".join(site.cluster.commands())


def test_room_that_is_taken_already_is_not_needed_again(tmp_path: Path) -> None:
    site = kots_site(tmp_path)
    hands, order = site.hands(), install_order(engine=Engine.KOTS, work_dir=str(site.work))
    planned = dry_plan(order, site.offers, site=site.site)
    made = [step.action for step in planned.steps if isinstance(step.action, Assemble)]
    sizes = [one.archive.record.size for one in made]
    site.work.mkdir()
    with Path(made[0].path).open("wb") as file:
        file.truncate(sizes[0])  # what a run before has put together
    needed = sum(sizes[1:]) + max(sizes)
    site.free = needed - 1
    with pytest.raises(StorageError, match=f"{needed} bytes are needed, {site.free} are free"):
        run(site.site, planned, hands)
    assert site.assembled == []
    site.free = needed
    run(site.site, planned, hands)
    assert site.assembled == [one.path for one in made]


def test_minio_that_is_wanted_has_to_be_there(tmp_path: Path) -> None:
    text = SITE.replace("license.yaml\n", "license.yaml\n    withMinio: true\n")
    with pytest.raises(PolicyError, match="the admin console's archive has no Minio"):
        dry_plan(install_order(), offered((console(minio=False), *FIRST[1:])), site=read_site(text))
    site = kots_site(tmp_path, text=text.replace("withMinio: true", "withMinio: false"))
    site.carry_out(install_order())
    assert site.cluster.load()["namespaces"]["harness"]["console"]["minio"] is False


def test_a_console_that_loses_its_minio_is_announced(tmp_path: Path) -> None:
    records = (console(minio=False), *MONTHLY[1:])
    site = with_cluster(
        kots_site(tmp_path, *records), harness=namespace(OLD_KOTS, harness=running("79915", 412))
    )
    planned, _ = site.carry_out(upgrade_order(only="harness"))
    assert any("Take a snapshot before" in note for note in planned.notes)


def test_namespaces_have_consoles_of_their_own(tmp_path: Path) -> None:
    text = SITE.replace("license-ng.yaml\n", "license-ng.yaml\n    namespace: ng\n")
    site = kots_site(tmp_path, text=text)
    site.carry_out(install_order())
    assert (site.deployed(), site.deployed("ng")) == ({"harness": "79915"}, {"harness-ng": "500"})
    state = site.cluster.load()["namespaces"]
    assert state["ng"]["password"] == digest(FILE_SECRETS["console password"])


@pytest.mark.parametrize("order", [install_order(), upgrade_order()])
def test_what_was_deployed_and_is_not_ready_is_waited_for(order: Order, tmp_path: Path) -> None:
    site = kots_site(tmp_path)
    site.carry_out(install_order())
    state = site.cluster.load()
    state["namespaces"]["harness"]["apps"]["harness"]["states"] = ["degraded", "degraded"]
    site.cluster.save(state)
    _, achieved = site.carry_out(order)
    assert achieved == ("harness is ready",)
    assert "  harness: degraded; asking again every 5 s" in site.said
