"""A site that stayed behind: five releases, two of them required, from what the cluster runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundler.spec import parse_spec
from bundler.spec.origin import Origin, PortalRelease, ReleaseAsset
from mirror.command import Command
from mirror.deploy import Known, observe, plan
from mirror.deploy.request import Request, as_spec, request
from mirror.kots.outcome import Finished
from mirror.offer import Offered
from mirror.operation import Plan, run
from mirror.operation.model import Await, Person
from mirror.operation.wanted import ConsoleIs, Goal, IsDeployed
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import (
    KOTS,
    OLD_KOTS,
    console,
    dry_plan,
    install_order,
    namespace,
    offered,
    release,
    running,
    upgrade_order,
)
from transfer.contents import ArchiveRecord, RequiredRelease
from transfer.errors import Incomplete, PolicyError

LABELS = ("10000", "20000", "30000", "40000", "50000", "60000")
MAJORS = LABELS
CURSORS = {label: 100 + number for number, label in enumerate(LABELS)}
REQUIRED = ("30000", "50000")


def airgap(label: str, *, kots: str = "", target: str = "", slug: str = "harness") -> ArchiveRecord:
    """A release that requires those of `REQUIRED` that come before it, the newest first."""
    before = [one for one in reversed(REQUIRED) if CURSORS[one] < CURSORS[label]]
    return release(
        label,
        CURSORS[label],
        slug,
        min_kots_version=kots,
        target_kots_version=target,
        required_releases=tuple(
            RequiredRelease(version_label=one, update_cursor=str(CURSORS[one])) for one in before
        ),
    )


EVERYTHING = (console(), *map(airgap, reversed(LABELS[1:])))


def behind(folder: Path, *records: ArchiveRecord, at: str = "10000") -> KotsSite:
    """A site that runs one of the releases."""
    site = KotsSite(folder, records or EVERYTHING)
    app = running(at, CURSORS[at])
    site.cluster.change(namespaces={"harness": namespace(OLD_KOTS, harness=app)})
    return site


def with_majors(site: KotsSite) -> tuple[Offered, ...]:
    return tuple(replace(offer, majors=MAJORS) for offer in site.offers)


def planned(site: KotsSite) -> Plan:
    (application, _) = site.site.applications
    order = upgrade_order(only="harness")
    state = observe(site.site, [application], Known(order=order), site.hands().ask)
    return plan(site.site, with_majors(site), order, state)


def asked(site: KotsSite) -> Request:
    (application, _) = site.site.applications
    order = upgrade_order(only="harness")
    state = observe(site.site, [application], Known(order=order), site.hands().ask)
    return request(site.site, with_majors(site), order, state)


def origins(text: str) -> list[Origin]:
    """Where the bundler would get each archive of a spec."""
    return [archive.input.origin for archive in parse_spec(text, "request.yaml").archives]


def goals(found: Plan) -> list[Goal]:
    return [step.action.goal for step in found.work if isinstance(step.action, Await)]


def hops(found: Plan) -> list[str]:
    return [goal.version for goal in goals(found) if isinstance(goal, IsDeployed)]


def test_every_release_is_taken_in_order_whatever_the_order_of_the_sources(tmp_path: Path) -> None:
    site = behind(tmp_path)
    found = planned(site)
    assert hops(found) == list(LABELS[1:])
    run(site.site, found, site.hands())
    assert site.deployed() == {"harness": "60000"}
    taken = [version["versionLabel"] for version in versions(site)]
    assert taken == list(reversed(LABELS))


def versions(site: KotsSite) -> list[dict[str, str]]:
    return list(site.cluster.load()["namespaces"]["harness"]["apps"]["harness"]["versions"])


def test_the_way_starts_at_what_is_deployed_not_at_what_is_known(tmp_path: Path) -> None:
    site = behind(tmp_path, at="30000")
    state = site.cluster.load()
    app = state["namespaces"]["harness"]["apps"]["harness"]
    newer = running("40000", CURSORS["40000"], status="pending")["versions"]
    app["versions"] = [*newer, *app["versions"]]
    site.cluster.save(state)
    assert hops(planned(site)) == ["40000", "50000", "60000"]


def test_the_console_and_the_backup_come_first(tmp_path: Path) -> None:
    kinds = [step.name for step in planned(behind(tmp_path)).work]
    assert kinds[:4] == ["images", "backup", "upgrade-console", "console-is-up"]
    assert kinds[4] == "upgrade-harness-20000"


def test_the_console_goes_first_and_once_whatever_the_releases_need(tmp_path: Path) -> None:
    records = [airgap("20000"), airgap("30000", kots=KOTS), *map(airgap, LABELS[3:])]
    for number, consoles in enumerate([(KOTS,), (KOTS, "v1.130.7"), ("v1.130.7", KOTS)]):
        site = behind(tmp_path / str(number), *map(console, consoles), *records)
        found = planned(site)
        names = [step.name for step in found.work]
        assert names.count("upgrade-console") == 1
        assert names.index("console-is-up") < names.index("upgrade-harness-20000")
        assert ConsoleIs(version=KOTS) in goals(found)
        others = [note for note in found.notes if "is left out: the plugin is of one" in note]
        assert others == [note for note in others if "sources, v1.130.7 is left out" in note]
        assert len(others) == len(consoles) - 1


def test_a_release_that_names_an_older_console_is_upgraded_to_and_told_of(tmp_path: Path) -> None:
    records = [airgap("20000", target="1.130.5"), airgap("30000", target=KOTS, kots=KOTS)]
    found = planned(behind(tmp_path, console(), *records))
    assert hops(found) == ["20000", "30000"]
    (note,) = [one for one in found.notes if "names KOTS" in one]
    assert note.startswith("harness 20000 names KOTS 1.130.5, and the admin console is v1.131.4 by")
    assert "--skip-console" in note


def test_an_install_takes_the_newest_console_that_its_releases_allow(tmp_path: Path) -> None:
    consoles = [console(version) for version in (OLD_KOTS, KOTS, "v1.130.7")]
    old = release("20000", 101, target_kots_version="1.130.9")
    order = install_order(only="harness")
    found = dry_plan(order, offered([*consoles, old]))
    assert "kotsadm:v1.130.7" in str(found.images)
    assert KOTS not in str(found.images)
    newest = dry_plan(order, offered([*consoles, release("20000", 101)]))
    assert f"kotsadm:{KOTS}" in str(newest.images)
    with pytest.raises(PolicyError, match=r"can be installed with KOTS up to 1\.120"):
        dry_plan(order, offered([*consoles, release("20000", 101, target_kots_version="1.120.0")]))


def test_nothing_changes_before_the_backup_is_confirmed(tmp_path: Path) -> None:
    site = behind(tmp_path)
    site.confirmed = set()
    before = site.cluster.load()
    with pytest.raises(Incomplete, match="backup: not confirmed") as caught:
        run(site.site, planned(site), site.hands())
    assert site.cluster.load() == before
    assert "--confirmed backup" in str(caught.value.hint)


def test_a_confirmed_backup_is_not_asked_for_again_half_way(tmp_path: Path) -> None:
    site = behind(tmp_path)
    hands = site.hands()

    def cut(command: Command) -> Finished:
        if "30000.airgap" in str(command):
            raise KeyboardInterrupt
        return hands.execute(command)

    with pytest.raises(KeyboardInterrupt):
        run(site.site, planned(site), replace(hands, execute=cut))
    site.confirmed = set()
    again = planned(site)
    assert hops(again) == ["30000", "40000", "50000", "60000"]
    run(site.site, again, site.hands())
    assert site.deployed() == {"harness": "60000"}


def test_a_backup_for_another_release_is_another_step(tmp_path: Path) -> None:
    near = planned(behind(tmp_path / "a", console(), *EVERYTHING[2:])).work
    far = planned(behind(tmp_path / "b")).work
    steps = [step for work in (near, far) for step in work if isinstance(step.action, Person)]
    assert steps[0].name == steps[1].name == "backup"
    assert steps[0].action != steps[1].action


def test_what_is_missing_is_refused_all_at_once_and_asked_for(tmp_path: Path) -> None:
    site = behind(tmp_path, console(), airgap("60000"))
    with pytest.raises(PolicyError, match="cannot be upgraded") as caught:
        planned(site)
    faults = [str(fault) for fault in caught.value.faults]
    assert faults == [
        "harness 60000 can be deployed only after 30000, 50000; on the way there: 10000",
        "harness: from 10000 to 60000 it is 5 major releases; one step may take 4 at most",
    ]
    assert all("--request FILE" in str(fault.hint) for fault in caught.value.faults)
    assert all("upgrade" not in command for command in site.cluster.commands())
    text = as_spec(asked(site))
    assert origins(text) == [
        PortalRelease(slug="harness", label="30000"),
        PortalRelease(slug="harness", label="50000"),
    ]
    (application,) = parse_spec(text, "request.yaml").applications
    assert (application.installed, application.major_releases) == ("10000", MAJORS)
    assert "# harness is at 10000.\n" in text


def test_the_bundle_that_was_asked_for_is_enough(tmp_path: Path) -> None:
    lacking = behind(tmp_path / "a", console(), airgap("60000"))
    wanted = [one.label for app in asked(lacking).applications for one in app.releases]
    site = behind(tmp_path / "b", console(), airgap("60000"), *map(airgap, wanted))
    assert hops(planned(site)) == ["30000", "50000", "60000"]
    assert asked(site).is_empty


def test_a_kots_that_is_too_old_is_asked_for_with_its_version(tmp_path: Path) -> None:
    records = (console(), airgap("20000"), airgap("30000", kots="1.140.2"))
    site = behind(tmp_path, *records)
    with pytest.raises(PolicyError, match=r"needs KOTS 1\.140\.2 or newer") as caught:
        planned(site)
    assert "--request FILE" in str(caught.value.hint)
    text = as_spec(asked(site))
    tags = {one.tag for one in origins(text) if isinstance(one, ReleaseAsset)}
    assert tags == {"v1.140.2"}
    assert "applications:" not in text


def test_a_release_without_a_label_is_asked_for_by_its_sequence(tmp_path: Path) -> None:
    nameless = (RequiredRelease(version_label="", update_cursor="103"),)
    site = behind(tmp_path, console(), release("60000", 105, required_releases=nameless))
    (origin, *_) = origins(as_spec(asked(site)))
    assert isinstance(origin, PortalRelease)
    assert (origin.sequence, origin.channel) == (103, "1aCHANNEL")


def test_nothing_is_asked_for_where_everything_is_there(tmp_path: Path) -> None:
    found = asked(behind(tmp_path))
    assert found.is_empty
    assert found.console == OLD_KOTS
    assert KOTS not in as_spec(found)


def test_each_point_of_the_way_tells_its_own_way_back(tmp_path: Path) -> None:
    records = [replace(one, release=replace(one.release, is_required=True)) for one in EVERYTHING]
    required = [one for one in records if one.release.version_label in REQUIRED]
    others = [one for one in EVERYTHING if one.release.version_label not in REQUIRED]
    found = planned(behind(tmp_path, *required, *others))
    undo = {step.name: step.undo for step in found.work}
    assert "Rollback to 10000, where the vendor allows" in undo["upgrade-harness-20000"]
    assert undo["upgrade-harness-30000"].startswith("restore the backup: 30000 is a required")
    assert "Rollback to 30000, where" in undo["upgrade-harness-40000"]
    assert f"no way from a newer admin console to {OLD_KOTS}" in undo["upgrade-console"]
    assert undo["backup"] == ""


def test_what_is_asked_for_stands_in_the_order_of_the_way(tmp_path: Path) -> None:
    site = behind(tmp_path, console(), airgap("60000"))
    fine = tuple(str(label) for label in range(10000, 65000, 5000))
    needs = (RequiredRelease(version_label="50000", update_cursor="104"),)
    last = release("60000", 105, required_releases=needs)
    offers = [replace(one, majors=fine) for one in offered((console(), last))]
    order = upgrade_order(only="harness")
    state = observe(site.site, site.site.applications[:1], Known(order=order), site.hands().ask)
    (application,) = request(site.site, offers, order, state).applications
    assert [one.label for one in application.releases] == ["30000", "50000"]
