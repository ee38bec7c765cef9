"""Installs and upgrades of a site that reaches the vendor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mirror.deploy import Known, Order, applications_of, assume, looked_at, observe
from mirror.deploy.connected import plan_connected
from mirror.operation import Plan, as_text, run
from mirror.site import Site
from tests.mirror.golden import ANSWERS, SITE_FOLDER
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import (
    CHANNELS,
    FIRST,
    KOTS,
    OLD_KOTS,
    SITE,
    install_order,
    licences,
    namespace,
    read_site,
    running,
    upgrade_order,
)
from tests.mirror.supply import mirror
from transfer.errors import Incomplete, PolicyError, ToolError
from transfer.kots.licence import Licence

ORDERS: Mapping[str, Order] = {
    "connected-install": install_order(connected=True, take_from="harness", folder=SITE_FOLDER),
    "connected-upgrade": upgrade_order(connected=True),
    "connected-upgrade-applications": upgrade_order(connected=True, skip_console=True),
    "connected-upgrade-to-one-release": upgrade_order(
        connected=True, only="harness", label="80110", skip_console=True
    ),
}


def release(slug: str, label: str, cursor: int) -> dict[str, str]:
    """One that the vendor has published."""
    return {"versionLabel": label, "updateCursor": str(cursor), "channelID": CHANNELS[slug]}


VENDOR = {
    "harness": [
        release("harness", one, 400 + i) for i, one in enumerate(("79915", "80110", "80307"))
    ],
    "harness-ng": [release("harness-ng", "500", 91)],
}


def dry(site: Site, order: Order) -> Plan:
    known = Known(order=order, licences=licences())
    return plan_connected(site, order, assume(site, (), known), applications_of(site, order, ()))


def seen(site: KotsSite, order: Order) -> Plan:
    """What a run plans."""
    known = Known(order=order, licences=licences())
    state = observe(site.site, looked_at(site.site, order, ()), known, site.hands().ask)
    return plan_connected(site.site, order, state, applications_of(site.site, order, ()))


def reached(folder: Path, **namespaces: Any) -> KotsSite:  # noqa: ANN401 - JSON
    """A site that reaches the vendor."""
    site = KotsSite(folder, FIRST)
    site.cluster.change(vendor=VENDOR, namespaces=namespaces)
    return site


def carry_out(site: KotsSite, order: Order) -> tuple[str, ...]:
    return run(site.site, seen(site, order), site.hands())


def test_an_install_fetches_everything_and_adds_the_second(tmp_path: Path) -> None:
    site = reached(tmp_path)
    achieved = carry_out(site, install_order(connected=True))
    assert site.deployed() == {"harness": "80307", "harness-ng": "500"}
    assert achieved == (
        "the newest version of harness is deployed",
        "harness is ready",
        "the newest version of harness-ng is deployed",
        "harness-ng is ready",
    )
    installs = [call["argv"] for call in site.cluster.calls() if call["argv"][1] == "install"]
    assert [argv[2] for argv in installs] == ["harness/stable", "harness-ng/stable"]
    assert ["--exclude-admin-console" in argv for argv in installs] == [False, True]
    for argv in installs:
        assert not any("registry" in word or "airgap" in word for word in argv)
    state = site.cluster.load()["namespaces"]["harness"]
    assert "secrets" not in state
    again = seen(site, install_order(connected=True))
    assert not again.work
    assert len(again.notes) == 2


def test_the_second_is_configured_as_the_first(tmp_path: Path) -> None:
    site = reached(tmp_path, harness=namespace(KOTS, harness=running("79915", 400, config=ANSWERS)))
    order = install_order(
        connected=True, only="harness-ng", take_from="harness", folder=str(site.etc)
    )
    carry_out(site, order)
    assert "harness.dc-north.example" in (site.etc / "harness-ng.merged-values.yaml").read_text()
    assert site.deployed() == {"harness": "79915", "harness-ng": "500"}


def test_an_upgrade_takes_the_console_of_the_plugin_and_the_newest_release(tmp_path: Path) -> None:
    site = reached(tmp_path, harness=namespace(OLD_KOTS, harness=running("79915", 400)))
    order = upgrade_order(connected=True, only="harness")
    site.confirmed = set()
    with pytest.raises(Incomplete, match="backup"):
        carry_out(site, order)
    site.confirmed = {"backup"}
    assert carry_out(site, order) == (
        f"the admin console is {KOTS}",
        "the newest version of harness is deployed",
        "harness is ready",
    )
    assert site.deployed() == {"harness": "80307"}


def test_the_second_application_is_upgraded_by_its_own_slug(tmp_path: Path) -> None:
    both = {"harness": running("79915", 400), "harness_ng": running("480", 80, "harness-ng")}
    site = reached(tmp_path, harness=namespace(KOTS, **both))
    order = upgrade_order(connected=True, only="harness-ng")
    assert carry_out(site, order) == (
        "the newest version of harness-ng is deployed",
        "harness-ng is ready",
    )
    assert site.deployed() == {"harness": "79915", "harness-ng": "500"}


def test_a_release_on_the_way_is_named(tmp_path: Path) -> None:
    site = reached(tmp_path, harness=namespace(KOTS, harness=running("79915", 400)))
    order = upgrade_order(connected=True, only="harness", label="80110")
    assert carry_out(site, order)[0] == "harness 80110 is deployed"
    assert site.deployed() == {"harness": "80110"}
    again = seen(site, order)
    assert not again.work, "not even a backup is asked for"
    assert "harness is at 80110 already." in again.notes


def test_an_upgrade_to_what_runs_changes_nothing(tmp_path: Path) -> None:
    site = reached(tmp_path, harness=namespace(KOTS, harness=running("80307", 402)))
    before = site.cluster.load()["namespaces"]
    carry_out(site, upgrade_order(connected=True, only="harness"))
    assert site.cluster.load()["namespaces"] == before


def test_a_vendor_that_is_not_reached_is_told(tmp_path: Path) -> None:
    site = KotsSite(tmp_path, FIRST)
    with pytest.raises(ToolError, match="no such host"):
        carry_out(site, install_order(connected=True, only="harness"))


def test_an_error_with_exit_code_0_is_one(tmp_path: Path) -> None:
    site = reached(tmp_path, harness=namespace(KOTS, harness=running("79915", 400)))
    site.cluster.change(traps={"upstream upgrade": "error"})
    with pytest.raises(ToolError, match="Unexpected response from the API: 500"):
        carry_out(site, upgrade_order(connected=True, only="harness"))


def test_what_is_not_there_is_not_upgraded(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no admin console runs in namespace harness") as caught:
        seen(reached(tmp_path / "a"), upgrade_order(connected=True))
    assert caught.value.hint == "use airgap-mirror install --connected"
    site = reached(tmp_path / "b", harness=namespace(KOTS))
    with pytest.raises(PolicyError, match="harness is not installed in namespace harness"):
        seen(site, upgrade_order(connected=True))


@pytest.mark.parametrize(
    ("channels", "chosen", "upstream"),
    [
        ({"stable": "1", "beta": "2"}, "", "harness/stable"),
        ({"lts": "1"}, "", "harness/lts"),
        ({"stable": "1", "beta": "2"}, "beta", "harness/beta"),
        ({}, "", "harness"),
    ],
)
def test_the_channel_comes_from_the_licence(
    channels: dict[str, str], chosen: str, upstream: str
) -> None:
    text = SITE.replace("license.yaml\n", f"license.yaml\n    channel: {chosen}\n", bool(chosen))
    order = install_order(connected=True, only="harness")
    licence = Licence(app_slug="harness", channel_id="", channel_name="", channels=channels)
    known = Known(order=order, licences={"harness": licence})
    site = read_site(text)
    plan = plan_connected(site, order, assume(site, (), known), site.applications[:1])
    assert f"install {upstream} " in as_text(plan)


def test_a_channel_that_the_licence_does_not_have_is_refused() -> None:
    text = SITE.replace("license.yaml\n", "license.yaml\n    channel: beta\n")
    site, order = read_site(text), install_order(connected=True, only="harness")
    channels = {"stable": "1"}
    licence = Licence(app_slug="harness", channel_id="", channel_name="", channels=channels)
    known = Known(order=order, licences={"harness": licence})
    state = assume(site, (), known)
    with pytest.raises(PolicyError, match="the licence allows stable; the site file names beta"):
        plan_connected(site, order, state, site.applications[:1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("install",), "--connected"),
        (("upgrade", "--version", "1"), "--connected"),
        (("install", "harness.airgap", "--connected"), "takes no SOURCE"),
        (("upgrade", "--connected", "--request", "r.yaml"), "neither --engine kots nor --request"),
        (("install", "--connected", "--engine", "kots"), "neither --engine kots nor --request"),
    ],
)
def test_options_that_say_nothing_together(words: tuple[str, ...], message: str) -> None:
    done = mirror(*words, "--site", "site.yaml")
    assert done.code == 2
    assert message in done.err


def test_the_command_line_asks_nobody_for_a_dry_run(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    done = mirror("install", "--connected", "--site", file, "--dry-run", env={"HOME": "/home/ops"})
    assert done.code == 0, done.err
    assert "Install harness and harness-ng at dc-north, connected" in done.out
    assert "--kotsadm-registry" not in done.out
