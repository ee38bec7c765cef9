"""What a plan is made of, decided without a cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirror.deploy.releases import console_for
from mirror.kots import Engine
from mirror.offer import Offered
from mirror.operation import Plan, Step, as_json, as_text
from mirror.operation.model import Assemble, Await, Look
from mirror.operation.wanted import IsDeployed
from tests.mirror.golden import CASES, SITE_FOLDER, WORK
from tests.mirror.kots_world import (
    CHANNELS,
    FIRST,
    KOTS,
    MONTHLY,
    OLD_KOTS,
    SITE,
    console,
    dry_plan,
    image,
    install_order,
    offered,
    read_site,
    release,
    upgrade_order,
)
from transfer.contents import ArchiveFormat, RequiredRelease
from transfer.errors import Conflict, InvalidInput, PolicyError
from transfer.fields import dump_json
from transfer.kots.licence import Licence
from transfer.kots.upgrade import Installed, pending
from transfer.kots.version import is_older, numbers, sequence

ENDPOINT = "registry.dc-north.example:5000/harness"


def awaited(plan: Plan) -> list[str]:
    """The releases that a plan sees deployed, in order."""
    goals = [step.action.goal for step in plan.steps if isinstance(step.action, Await)]
    return [goal.version for goal in goals if isinstance(goal, IsDeployed)]


def is_pushed(step: Step) -> bool:
    """Whether it looks for what KOTS has pushed."""
    return isinstance(step.action, Look) and step.action.pushed


def test_a_dry_run_is_data_too() -> None:
    value = as_json(CASES["install-firstgen"].plan())
    assert value["title"] == "install harness at dc-north"
    install = value["steps"][4]
    assert (install["name"], install["kind"]) == ("install-harness", "run")
    assert install["argv"][:4] == ["kubectl", "kots", "install", "harness/stable"]
    assert install["environment"] == {
        "KOTS_REGISTRY_USERNAME": "harness-pull",
        "KOTS_REGISTRY_PASSWORD": {"from": f"file {SITE_FOLDER}/pull-password"},
        "KOTS_SHARED_PASSWORD": {"from": "environment variable CONSOLE_PASSWORD"},
    }
    assert value["images"][0]["destination"] == f"{ENDPOINT}/kotsadm:{KOTS}"
    assert value["steps"][3]["name"] == "images"
    assert dump_json(value)
    steps = as_json(CASES["install-engine-kots"].plan())["steps"]
    assert [step["path"] for step in steps if step["kind"] == "assemble"] == [
        f"{WORK}/{record.digest.encoded[:8]}-{record.file_name}" for record in FIRST
    ]


def test_the_kots_engine_needs_a_folder_unless_the_archives_are_there() -> None:
    order = install_order(engine=Engine.KOTS, only="harness")
    with pytest.raises(InvalidInput, match="has to be put together again, and there is no folder"):
        dry_plan(order, offered(FIRST))
    kept = [
        replace(offer, full=f"/usb/files/archives/{offer.record.file_name}")
        for offer in offered(FIRST)
    ]
    printed = as_text(dry_plan(order, kept))
    assert "--airgap-bundle=/usb/files/archives/harness-79915.airgap" in printed
    assert "Put " not in printed
    assert "push-images /usb/files/archives/kotsadm.tar.gz" in printed


def test_a_file_name_from_a_bundle_stays_in_the_work_folder() -> None:
    record = replace(FIRST[1], file_name="../../etc/cron.d/x")
    order = install_order(engine=Engine.KOTS, only="harness", work_dir=WORK)
    actions = [step.action for step in dry_plan(order, offered((FIRST[0], record))).steps]
    made = [one for one in actions if isinstance(one, Assemble) and not one.archive.is_console]
    assert [one.path for one in made] == [f"{WORK}/{record.digest.encoded[:8]}-x"]


def test_the_newest_console_of_several_is_taken() -> None:
    consoles = offered((console(OLD_KOTS), console(KOTS), console("v1.9.0")))
    found = console_for(consoles, upgrade_order())
    assert found is not None
    assert found.release.version_label == KOTS
    assert console_for(offered(FIRST[1:]), install_order()) is None


RELEASES = offered((release("a", 1), release("b", 2), release("c", 3)))


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (Installed(label="b"), ["c"]),
        (Installed(label="c", cursor=1), []),
        (Installed(label=""), ["a", "b", "c"]),
        (Installed(label="x"), ["a", "b", "c"]),
        (Installed(label="x", cursor=2, channel_id=CHANNELS["harness"]), ["c"]),
        (Installed(label="x", cursor=2, channel_id="1zOTHER"), ["a", "b", "c"]),
    ],
)
def test_what_is_installed_is_left_out(now: Installed, left: list[str]) -> None:
    assert [offer.release.version_label for offer in pending(RELEASES, now)] == left


def test_labels_that_are_numbers_are_compared() -> None:
    releases = offered((release("78000", 1), release("79915", 2), release("80110", 3)))
    found = pending(releases, Installed(label="79000"))
    assert [offer.release.version_label for offer in found] == ["79915", "80110"]


def test_releases_are_taken_oldest_first_whatever_the_order_of_the_sources() -> None:
    order = upgrade_order(only="harness")
    planned = dry_plan(order, offered(tuple(reversed(MONTHLY))), stated={"harness": "79915"})
    assert awaited(planned) == ["80110", "80307"]
    shuffled = (release("x", 9), release("y", 8, channel_id="1zOTHER"))
    planned = dry_plan(order, offered((console(), *shuffled)))
    assert awaited(planned) == ["x", "y"]


MAJORS = tuple(str(label) for label in range(79000, 81000, 250))


def long_step(*allowed: str) -> tuple[Offered, ...]:
    """What a bundle offers that knows the major releases, and what was allowed."""
    return tuple(
        replace(offer, majors=MAJORS, allowed=allowed) for offer in offered((console(), MONTHLY[2]))
    )


def test_a_step_is_measured_by_the_major_releases_that_the_bundle_records() -> None:
    order = upgrade_order(only="harness")
    stated = {"harness": "79000"}
    with pytest.raises(PolicyError, match="from 79000 to 80307 it is 5 major releases") as caught:
        dry_plan(order, long_step(), stated=stated)
    assert str(caught.value.hint).startswith(
        "carry 80000 too, or releases between that are as near"
    )
    assert "--request FILE" in str(caught.value.hint)
    near = dry_plan(order, long_step(), stated={"harness": "79250"})
    assert not any("major releases" in note for note in near.notes)


def test_a_step_that_was_allowed_is_taken_and_noted() -> None:
    order = upgrade_order(only="harness")
    found = dry_plan(order, long_step("upgrade-path"), stated={"harness": "79000"})
    assert awaited(found) == ["80307"]
    assert [note for note in found.notes if "from 79000 to 80307 it is 5 major" in note]


def test_a_release_that_kots_will_miss_cannot_be_allowed() -> None:
    needs = (RequiredRelease(version_label="80110", update_cursor="415"),)
    record = release("80307", 418, required_releases=needs)
    offers = [replace(offer, allowed=("required-release",)) for offer in offered((record,))]
    with pytest.raises(PolicyError, match="only after 80110"):
        dry_plan(upgrade_order(only="harness"), offers, stated={"harness": "79915"})


def test_what_nobody_can_tell_is_noted() -> None:
    needs = (RequiredRelease(version_label="summer", update_cursor="x"),)
    offers = offered((release("80307", 418, required_releases=needs),))
    found = dry_plan(upgrade_order(only="harness"), offers, stated={"harness": "79915"})
    assert [note for note in found.notes if "nobody can tell from 79915 if it is." in note]


def test_the_consoles_password_has_to_come_from_somewhere() -> None:
    text = SITE.replace("    sharedPasswordEnv: CONSOLE_PASSWORD\n", "")
    with pytest.raises(InvalidInput, match=r"applications\.harness\.sharedPasswordEnv: is missing"):
        dry_plan(install_order(only="harness"), offered(FIRST), site=read_site(text))


def test_the_channel_comes_from_the_licence_or_the_site() -> None:
    lts = Licence(
        app_slug="harness", channel_id="", channel_name="", channels={"lts": CHANNELS["harness"]}
    )
    order = install_order(only="harness")
    assert " harness/lts " in as_text(dry_plan(order, offered(FIRST), known={"harness": lts}))
    text = SITE.replace("license.yaml\n", "license.yaml\n    channel: beta\n")
    printed = as_text(dry_plan(order, offered(FIRST), site=read_site(text), known={}))
    assert " harness/beta " in printed
    assert "was not read" not in printed
    with pytest.raises(PolicyError, match="does not allow the channel 'beta'"):
        dry_plan(order, offered(FIRST), site=read_site(text), known={"harness": lts})


def test_a_cursor_is_a_number_or_none() -> None:
    assert sequence("0412") == 412
    assert [sequence(text) for text in ("", "4a", "-1", "\u0661", "9" * 5000)] == [None] * 5


@pytest.mark.parametrize(
    ("first", "second", "older"),
    [
        ("v1.130.0", "1.131.4", True),
        ("1.131.4", "v1.131.4", False),
        ("1.9", "1.10.0", True),
        ("1.131", "1.131.0", False),
        ("79915", "80110", True),
        ("alpha", "v1.131.4", False),
        ("v1.131.4", "", False),
        ("0.34.1-rc2", "0.34.2", True),
    ],
)
def test_versions_are_compared_by_their_numbers(first: str, second: str, *, older: bool) -> None:
    assert is_older(first, second) is older


def test_a_label_without_numbers() -> None:
    assert numbers("alpha") is None
    assert numbers("9" * 5000) is None
    assert numbers("\u0661") is None
    assert numbers("v1.2.3+build") == (1, 2, 3)


def test_a_release_whose_images_move_names_waits_for_its_own_push() -> None:
    moved = replace(image("docker.io/library/mongo:4.4.22"), name="mongo:4.4.22")
    clashing = replace(MONTHLY[2], images=(*MONTHLY[2].images[:1], moved))
    records = (MONTHLY[0], MONTHLY[1], clashing, MONTHLY[3])
    planned = dry_plan(upgrade_order(), offered(records))
    assert awaited(planned) == ["80110", "520"]
    (note,) = [note for note in planned.notes if "has to wait" in note]
    assert note.startswith("harness 80307 has to wait")
    assert "--release harness=80307 --overwrite" in note
    order = upgrade_order(only="harness")
    later = dry_plan(order, offered(records), stated={"harness": "80110"})
    assert awaited(later) == ["80307"]
    order = upgrade_order(engine=Engine.KOTS, work_dir=WORK, only="harness")
    at_once = dry_plan(order, offered(records))
    assert awaited(at_once) == ["80110", "80307"]


def test_applications_that_would_overwrite_each_other_are_refused() -> None:
    other = replace(image("docker.io/library/mongo:4.4.22"), name="mongo:4.4.22")
    clashing = replace(FIRST[2], images=(*FIRST[2].images[:1], other))
    with pytest.raises(Conflict, match="one destination"):
        dry_plan(install_order(), offered((*FIRST[:2], clashing)))


def test_what_kots_makes_of_docker_save_images_cannot_be_compared() -> None:
    saved = replace(FIRST[1], format=ArchiveFormat.DOCKER_ARCHIVE)
    order = install_order(engine=Engine.KOTS, only="harness", work_dir=WORK)
    planned = dry_plan(order, offered((FIRST[0], saved), vendor=True))
    checked = [step.why for step in planned.steps if is_pushed(step)]
    assert ["kotsadm.tar.gz" in why for why in checked] == [True]
    assert any("docker-save images" in note for note in planned.notes)
    again = dry_plan(order, offered((FIRST[0], saved)))
    assert len([step for step in again.steps if is_pushed(step)]) == 2
    assert not any("docker-save images" in note for note in again.notes)
