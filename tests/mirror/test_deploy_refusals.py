"""What is refused before anything changes, and what is not believed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mirror.deploy import Order
from mirror.kots import Engine
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import (
    FIRST,
    KOTS,
    MONTHLY,
    OLD_KOTS,
    SITE,
    console,
    install_order,
    namespace,
    release,
    running,
    upgrade_order,
)
from transfer.contents import ArchiveRecord, RequiredRelease
from transfer.errors import Conflict, InvalidInput, PolicyError, ToolError, TransferError

ONE = running("79915", 412)
BOTH = namespace(OLD_KOTS, harness=ONE, harness_ng=running("500", 91, "harness-ng"))
ELSEWHERE = "other.example/ns"

INSTALL = install_order(only="harness")
ADD = install_order(only="harness-ng")
UPGRADE = upgrade_order(only="harness")
CONSOLE = upgrade_order(console_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An order, the cluster it meets, and why it is refused."""

    order: Order
    message: str
    kind: type[TransferError] = PolicyError
    records: tuple[ArchiveRecord, ...] = FIRST
    harness: Mapping[str, Any] | None = None
    """The namespace of that name."""
    hint: str = ""


NEEDS = (RequiredRelease(version_label="1.5", update_cursor="11"),)
TWINS = replace(
    FIRST[1],
    images=(*FIRST[1].images, replace(FIRST[0].images[0], name="quay.io/x/mongo:4.4.22")),
)

REFUSALS = {
    "no console for a second application": Refusal(
        order=replace(ADD, skip_console=True),
        message="--skip-console: no admin console runs in namespace harness",
    ),
    "no console at all": Refusal(
        order=INSTALL, records=FIRST[1:], message="and none is among the sources"
    ),
    "no application": Refusal(
        order=install_order(),
        records=FIRST[:1],
        kind=InvalidInput,
        message="no application among the sources",
    ),
    "unknown application": Refusal(
        order=ADD,
        records=FIRST[:2],
        kind=InvalidInput,
        message="no archive of it among the sources; they have: harness",
    ),
    "application without a name": Refusal(
        order=install_order(),
        records=(FIRST[0], release("1", 1, "")),
        kind=InvalidInput,
        message="does not say which application",
    ),
    "application that the site does not list": Refusal(
        order=install_order(),
        records=(FIRST[0], release("1", 1, "chaos")),
        kind=InvalidInput,
        message=r"applications\.chaos",
    ),
    "older console under a second application": Refusal(
        order=ADD,
        harness=namespace(OLD_KOTS, harness=ONE),
        message=r"is v1\.130\.0; the sources have v1\.131\.4",
    ),
    "console that knows no second application": Refusal(
        order=ADD,
        records=FIRST[2:],
        harness=namespace("v1.107.9", harness=ONE),
        message=r"KOTS adds a second application from v1\.108\.2 on",
    ),
    "another release is installed": Refusal(
        order=INSTALL,
        harness=namespace(harness=running("79000", 400)),
        message="harness 79000 is installed; the sources have 79915",
        hint="use airgap-mirror upgrade",
    ),
    "a newer release is installed": Refusal(
        order=INSTALL,
        harness=namespace(harness=running("80300", 430)),
        message="harness 80300 is installed; the sources have 79915",
        hint="give a newer release",
    ),
    "installed but not deployed": Refusal(
        order=INSTALL,
        harness=namespace(harness=running("79915", 412, status="pending_config")),
        message="no release of it is deployed",
    ),
    "console of another registry": Refusal(
        order=ADD,
        harness=namespace(registry=ELSEWHERE),
        message=f"pulls from {ELSEWHERE}; the site file names",
    ),
    "console of another registry, to be upgraded": Refusal(
        order=CONSOLE,
        records=MONTHLY,
        harness=namespace(OLD_KOTS, registry=ELSEWHERE),
        message=f"pulls from {ELSEWHERE}",
    ),
    "application of another registry": Refusal(
        order=UPGRADE,
        records=MONTHLY,
        harness=namespace(registry=ELSEWHERE, harness=ONE),
        message=f"pulls from {ELSEWHERE}",
    ),
    "console too old for the release": Refusal(
        order=install_order(),
        records=(FIRST[0], release("1", 1, min_kots_version="1.140.0")),
        message=r"harness 1 needs KOTS 1\.140\.0 or newer",
    ),
    "console too new for an install": Refusal(
        order=install_order(),
        records=(FIRST[0], release("1", 1, target_kots_version="1.120.0")),
        message=r"with KOTS up to 1\.120\.0",
    ),
    "console too old for a hop": Refusal(
        order=UPGRADE,
        records=(release("2", 2, min_kots_version="v1.140.0"),),
        harness=namespace(harness=running("1", 1)),
        message=r"needs KOTS v1\.140\.0 or newer",
    ),
    "a required release is left out": Refusal(
        order=UPGRADE,
        records=(release("2", 12, required_releases=NEEDS),),
        harness=namespace(harness=running("1", 10)),
        message=r"^harness 2 can be deployed only after 1\.5; on the way there: 1$",
        hint="carry 1.5 too",
    ),
    "a step is too long": Refusal(
        order=UPGRADE,
        records=(release("6.0.0", 12),),
        harness=namespace(harness=running("1.0.0", 10)),
        message=r"^harness: from 1\.0\.0 to 6\.0\.0 it is 5 major releases; one step may take 4",
        hint="carry a release 5.x too",
    ),
    "a release is left out, and a step too long": Refusal(
        order=UPGRADE,
        records=(release("6.0.0", 12, required_releases=NEEDS),),
        harness=namespace(harness=running("1.0.0", 10)),
        message="harness cannot be upgraded with what is among the sources",
    ),
    "nothing to upgrade": Refusal(
        order=UPGRADE, records=MONTHLY, message="no admin console runs in namespace harness"
    ),
    "application is not installed": Refusal(
        order=UPGRADE,
        records=MONTHLY,
        harness=namespace(),
        message="harness is not installed in namespace harness",
    ),
    "console only, without one": Refusal(
        order=CONSOLE,
        records=MONTHLY[1:],
        kind=InvalidInput,
        harness=namespace(),
        message="--console-only: no admin console",
    ),
    "one name for two images": Refusal(
        order=INSTALL, records=(FIRST[0], TWINS), kind=Conflict, message="one destination"
    ),
    "old console cannot come back": Refusal(
        order=install_order(engine=Engine.KOTS),
        records=(console(old=True), FIRST[1]),
        kind=InvalidInput,
        message=r"cannot give kotsadm\.tar\.gz back",
    ),
}


def site_of(tmp_path: Path, records: tuple[ArchiveRecord, ...], harness: object) -> KotsSite:
    waits = "waits: {waitDuration: 10s, preflightsWaitDuration: 5s}\n"
    site = KotsSite(tmp_path, records, text=SITE + waits)
    site.cluster.change(namespaces={"harness": harness or {"console": None, "apps": {}}})
    return site


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_go_well_is_refused_before_anything_changes(name: str, tmp_path: Path) -> None:
    refusal = REFUSALS[name]
    site = site_of(tmp_path, refusal.records, refusal.harness)
    before = site.cluster.load()
    with pytest.raises(refusal.kind, match=refusal.message) as caught:
        site.carry_out(refusal.order)
    assert site.cluster.load() == before
    hints = [error.hint for error in (caught.value, *caught.value.faults) if error.hint]
    assert hints
    assert refusal.hint in hints[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """A way in which KOTS fails, and what is made of it."""

    command: str
    order: Order
    message: str
    hint: str = ""
    records: tuple[ArchiveRecord, ...] = field(default=MONTHLY)


TRAPS = {
    "install: pending_config": Trap(
        command="install",
        order=INSTALL,
        records=FIRST,
        message="deployed nothing: the application still waits",
        hint="configValues",
    ),
    "install: preflight": Trap(
        command="install",
        order=INSTALL,
        records=FIRST,
        message="There are preflight check warnings for the application",
        hint="skipPreflights",
    ),
    "install: timeout": Trap(
        command="install",
        order=INSTALL,
        records=FIRST,
        message="timeout waiting for automated install",
        hint="waits",
    ),
    "upgrade: error": Trap(
        command="upstream upgrade",
        order=UPGRADE,
        message="exit code 0 but failed: Unexpected response from the API: 500",
        hint="kubectl logs",
    ),
    "upgrade: silent": Trap(command="upstream upgrade", order=UPGRADE, message="without a result"),
    "upgrade: failed": Trap(
        command="upstream upgrade",
        order=UPGRADE,
        message=": failed; expected: harness",
        hint="pods",
    ),
    "upgrade: pending_config": Trap(
        command="upstream upgrade",
        order=UPGRADE,
        message=": pending_config; expected: harness",
        hint="Config page",
    ),
    "upgrade: pending_preflight": Trap(
        command="upstream upgrade",
        order=UPGRADE,
        message=": pending_preflight after 15 s; expected: harness",
        hint="get versions harness",
    ),
    "console: nothing": Trap(
        command="admin-console upgrade",
        order=CONSOLE,
        message=f"console is {OLD_KOTS}; expected: the admin console is {KOTS}",
    ),
}


@pytest.mark.parametrize("name", TRAPS)
def test_what_kots_says_counts_and_not_its_exit_code(name: str, tmp_path: Path) -> None:
    trap = TRAPS[name]
    site = site_of(tmp_path, trap.records, BOTH if trap.order.task == "upgrade" else None)
    site.cluster.change(traps={trap.command: name.partition(": ")[2]})
    with pytest.raises(ToolError) as caught:
        site.carry_out(trap.order)
    assert caught.value.exit_code == 10
    assert trap.message in str(caught.value)
    assert trap.hint in (caught.value.hint or "")


@pytest.mark.parametrize("plugin", ["v1.130.0", "1.131.5"])
def test_another_plugin_than_the_consoles_is_refused(plugin: str, tmp_path: Path) -> None:
    site = site_of(tmp_path, FIRST, None)
    site.cluster.change(plugin=plugin)
    with pytest.raises(PolicyError, match=r"the admin console is v1\.131\.4, and the") as caught:
        site.carry_out(install_order())
    assert caught.value.exit_code == 12
    assert plugin in str(caught.value)
    assert [call["argv"][1] for call in site.cluster.calls()] == ["version", "get", "get"]


def test_the_plugin_has_to_fit_the_console_that_stays(tmp_path: Path) -> None:
    site = site_of(tmp_path, MONTHLY[1:], namespace(OLD_KOTS, harness=ONE))
    with pytest.raises(
        PolicyError, match=r"kubectl-kots is v1\.131\.4; the admin console is v1\.130"
    ):
        site.carry_out(UPGRADE)


def test_what_was_stated_has_to_be_so(tmp_path: Path) -> None:
    site = site_of(tmp_path, MONTHLY, namespace(OLD_KOTS, harness=ONE))
    with pytest.raises(PolicyError, match="does not run what --from says") as caught:
        site.carry_out(UPGRADE, {"": "79000", "kotsadm": "v1.129.0"})
    assert sorted(str(fault) for fault in caught.value.faults) == [
        "harness in namespace harness: --from says 79000, the cluster has 79915",
        "kotsadm in namespace harness: --from says v1.129.0, the cluster has v1.130.0",
    ]
    site.carry_out(UPGRADE, {"harness": "79915", "kotsadm": OLD_KOTS})
