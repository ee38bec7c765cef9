"""`airgap-mirror down` and `up`: what stands still, in which order it comes back, and how often."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mirror.operation import Plan
from mirror.upkeep.down import plan_down
from mirror.upkeep.standing import Place, places_of, read_counts, read_place
from mirror.upkeep.up import plan_up
from tests.fakes.kube_changes import pod, workload
from tests.mirror.caretaker import SITE, Caretaker, Stop, Stopped, stops
from tests.mirror.operations_daily import (
    COUNTS,
    MANAGER,
    MONGODB,
    NEXTGEN,
    REDIS,
    TIMESCALE,
    UI,
    VERIFICATION,
    assert_in_order,
    note,
    objects,
)
from transfer.errors import InvalidInput, NotFound, ToolError


def caretaker(folder: Path) -> Caretaker:
    return Caretaker(folder, objects=objects(COUNTS))


@pytest.fixture
def site(tmp_path: Path) -> Caretaker:
    return caretaker(tmp_path / "site")


def looked_at(one: Caretaker, app: str | None = None) -> list[Place]:
    applications = [one.site.application(app)] if app else one.site.applications
    found = []
    for place in places_of(applications, str(one.folder / "site")):
        path = Path(place.file)
        noted = read_counts(path.read_text(), place.file) if path.exists() else None
        there = read_place(one.site, place, one.hands().ask)
        found.append(replace(place, noted=noted, workloads=there))
    return found


def down(one: Caretaker, app: str | None = None, *, everything: bool = False) -> Plan:
    return plan_down(one.site, looked_at(one, app), everything=everything)


def up(one: Caretaker, app: str | None = None) -> Plan:
    return plan_up(one.site, looked_at(one, app))


def test_the_managers_go_down_and_come_back_as_they_were(site: Caretaker) -> None:
    site.carry_out(down(site))
    still = {MANAGER: 0, VERIFICATION: 0, NEXTGEN: 0}
    assert site.pods() == {**COUNTS, **still}
    site.carry_out(up(site))
    assert site.pods() == COUNTS
    assert not (site.folder / "site.harness.pods").exists()


def test_everything_goes_down_with_the_databases_as_the_last(site: Caretaker) -> None:
    site.carry_out(down(site, everything=True))
    order = [name for name, _ in site.scaled()]
    assert order[:3] == [MANAGER, VERIFICATION, NEXTGEN]
    kinds = [name.partition("/")[0] for name in order[3:]]
    assert kinds == ["deployment"] * 4 + ["statefulset"] * 3
    assert set(site.pods().values()) == {0}


def test_databases_are_stopped_once_nobody_is_ending_who_asks_them(site: Caretaker) -> None:
    site.write_site(SITE.replace("waitDuration: 1s", "waitDuration: 1m"))
    site.cluster.change(traps={"ending": 3})
    site.carry_out(down(site, everything=True))
    assert_in_order(site.cluster)
    assert not site.cluster.load()["ending"]
    assert any(f"{MANAGER}: 2 of 0 pods" in line for line in site.said)


def test_a_downtime_that_goes_on_waits_for_what_is_still_ending(site: Caretaker) -> None:
    site.write_site(SITE.replace("waitDuration: 1s", "waitDuration: 1m"))
    site.cluster.change(traps={"ending": 4})
    with pytest.raises(Stopped):
        site.carry_out(down(site), Stop(at=5, after=True))  # asked, noted, all three scaled
    again = down(site)
    assert [step.name for step in again.work] == [
        f"stopped-{name.partition('/')[2]}" for name in (MANAGER, VERIFICATION, NEXTGEN)
    ]
    site.carry_out(again)
    assert not site.cluster.load()["ending"]


def test_pods_that_are_over_are_not_waited_for(site: Caretaker) -> None:
    owner = {"kind": "ReplicaSet", "name": "harness-manager-5f7c9d"}
    evicted = pod("harness-manager-5f7c9d-old")
    evicted["metadata"] |= {
        "labels": {"pod-template-hash": "5f7c9d"},
        "ownerReferences": [owner],
    }
    evicted["status"] = {"phase": "Failed", "reason": "Evicted"}
    site.cluster.change(objects=[*objects(COUNTS), evicted])
    site.carry_out(down(site))
    assert all(step.is_question for step in down(site).steps)


def test_a_kind_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    without = {name: pods for name, pods in COUNTS.items() if name.startswith("deployment/")}
    one = Caretaker(tmp_path, objects=objects(without))
    plan = down(one, everything=True)
    assert "stop-statefulsets-harness" not in {step.name for step in plan.steps}
    one.carry_out(plan)  # kubectl fails where it has nothing to scale
    assert set(one.pods().values()) == {0}


def test_databases_are_ready_before_the_managers_come_back(site: Caretaker) -> None:
    site.carry_out(down(site, everything=True))
    site.cluster.change(scaled=[], traps={"scale": "slow"})
    site.carry_out(up(site))
    assert site.scaled() == [
        *((MONGODB, 3), (REDIS, 3), (TIMESCALE, 2)),
        *((MANAGER, 2), (VERIFICATION, 2), (NEXTGEN, 2)),
        (UI, 1),
    ]
    calls = [" ".join(call["argv"][1:3]) for call in site.cluster.calls()]
    started = calls.index(f"scale {MANAGER}", calls.index(f"scale {TIMESCALE}"))
    for database in (MONGODB, REDIS, TIMESCALE):
        assert f"get {database}" in calls[:started]
    assert any("0 of 3 pods" in line for line in site.said)
    assert site.pods() == COUNTS


def test_a_second_downtime_does_not_forget(site: Caretaker) -> None:
    site.carry_out(down(site))
    again = down(site)
    assert all(step.is_question for step in again.steps)
    assert again.notes == ("Nothing of harness and harness-ng is left to stop.",)
    site.carry_out(down(site, everything=True))
    site.carry_out(up(site))
    assert site.pods() == COUNTS
    assert up(site).notes == ("Everything of harness and harness-ng is up already.",)


def test_what_was_started_in_a_downtime_is_not_stopped_for_ever(site: Caretaker) -> None:
    site.carry_out(down(site))
    there = site.cluster.load()["objects"]
    site.cluster.change(objects=[*there, *objects({"deployment/newcomer": 2})])
    with pytest.raises(InvalidInput, match="something has been started since") as caught:
        down(site, everything=True)
    (fault,) = caught.value.faults
    assert "deployment/newcomer runs, and is not noted" in str(fault)
    with (site.folder / "site.harness.pods").open("a") as file:
        file.write("Deployment newcomer 2\n")
    site.carry_out(down(site, everything=True))
    site.carry_out(up(site))
    assert site.pods() == {**COUNTS, "deployment/newcomer": 2}


def test_numbers_of_a_new_downtime_are_noted_anew(site: Caretaker) -> None:
    (site.folder / "site.harness.pods").write_text("Deployment harness-manager 9\n")
    site.carry_out(down(site))
    site.carry_out(up(site))
    assert site.pods() == COUNTS


def test_a_number_that_differs_from_what_is_noted_is_told(site: Caretaker) -> None:
    site.carry_out(down(site, "harness-ng"))
    there = site.cluster.load()["objects"]
    there[0]["spec"]["replicas"] = 4
    site.cluster.change(objects=there)
    (note,) = down(site).notes
    assert note == (
        f"{MANAGER} has 4 pods, and 2 are noted: up brings back 2, unless "
        f"{site.folder}/site.harness.pods is changed."
    )


def test_one_application_leaves_the_other_alone(site: Caretaker) -> None:
    site.carry_out(down(site, "harness-ng"))
    site.cluster.change(scaled=[])
    site.carry_out(down(site, "harness", everything=True))
    assert NEXTGEN not in dict(site.scaled())
    assert set(site.pods().values()) == {0}
    there = objects({**dict.fromkeys(COUNTS, 0), NEXTGEN: 2})
    site.cluster.change(scaled=[], objects=there)
    again = down(site, "harness", everything=True)  # what runs is not of this application
    assert all(step.is_question for step in again.steps)
    site.cluster.change(objects=objects(dict.fromkeys(COUNTS, 0)))
    site.carry_out(up(site, "harness"))
    assert NEXTGEN not in dict(site.scaled())
    assert (site.folder / "site.harness.pods").exists()  # for the one that still stands
    site.carry_out(up(site))
    assert site.pods() == COUNTS


@pytest.mark.parametrize("everything", [False, True])
def test_down_is_the_same_after_an_interruption_anywhere(tmp_path: Path, everything: bool) -> None:  # noqa: FBT001 - a parameter
    def end(one: Caretaker) -> object:
        return one.pods(), (one.folder / "site.harness.pods").read_text()

    stops(caretaker, lambda one: down(one, everything=everything), tmp_path, end)


def test_up_is_the_same_after_an_interruption_anywhere(tmp_path: Path) -> None:
    def stopped(folder: Path) -> Caretaker:
        one = caretaker(folder)
        (folder / "site.harness.pods").write_text(note(COUNTS))
        one.cluster.change(objects=objects(dict.fromkeys(COUNTS, 0)))
        return one

    def end(one: Caretaker) -> object:
        return one.pods(), (one.folder / "site.harness.pods").exists()

    stops(stopped, up, tmp_path, end)


def test_what_is_known_but_not_there_is_left_out(tmp_path: Path) -> None:
    one = caretaker(tmp_path)
    left = [each for each in one.cluster.load()["objects"] if each["metadata"]["name"] != "ui"]
    left = [each for each in left if each["metadata"]["name"] != "verification-svc"]
    one.cluster.change(objects=left)
    assert f"{VERIFICATION} is not in namespace harness: left out." in down(one).notes
    one.carry_out(down(one))
    assert one.pods()[MANAGER] == 0


@pytest.mark.parametrize("own", ["", ", downtime: {stop: [deployment/other]}"])
def test_names_that_the_cluster_does_not_have_are_refused(tmp_path: Path, own: str) -> None:
    one = Caretaker(tmp_path, objects=[workload("Deployment", "manager", 2)])
    one.write_site(SITE.replace("license.yaml}", f"license.yaml{own}}}"))
    with pytest.raises(NotFound) as caught:
        down(one)
    first, second = caught.value.faults
    assert "applications.harness.downtime.stop: deployment/" in str(first)
    assert "not in namespace harness, which has deployment/manager" in str(first)
    assert "applications.harness-ng.downtime.stop" in str(second)
    assert one.scaled() == []


def test_an_unknown_application_has_to_be_described(tmp_path: Path) -> None:
    one = Caretaker(tmp_path, objects=[workload("Deployment", "manager", 2)])
    one.write_site(
        SITE.replace("  harness:", "  other:").replace("  harness-ng: {lice", "  x: {lice")
    )
    with pytest.raises(InvalidInput) as caught:
        down(one)
    assert "applications.other.downtime.stop: nothing is known" in str(caught.value.faults[0])
    assert "in the site file: downtime: {stop: [deployment/NAME, …]}" in str(caught.value.hint)
    described = "license.yaml, downtime: {stop: [deployment/manager=4]}}"
    one.write_site(one.site_file.read_text().replace("license.yaml}", described, 1))
    one.carry_out(down(one, "other"))
    one.carry_out(up(one, "other"))
    assert one.scaled() == [("deployment/manager", 0), ("deployment/manager", 4)]


def test_without_a_note_the_numbers_are_asked_for(site: Caretaker) -> None:
    site.carry_out(down(site))
    (site.folder / "site.harness.pods").unlink()
    done = site.run("up", code=3)
    assert (
        f"{MANAGER}: stands still, and {site.folder}/site.harness.pods does not say" in done.stderr
    )
    assert "--pods deployment/NAME=NUMBER" in done.stderr
    stated = [f"--pods={name}=2" for name in (MANAGER, VERIFICATION, NEXTGEN)]
    site.run("up", *stated)
    assert site.pods() == COUNTS


def test_pods_that_stay_are_not_believed_to_be_gone(site: Caretaker) -> None:
    site.cluster.change(traps={"scale": "stuck"})
    with pytest.raises(ToolError) as caught:
        site.carry_out(down(site))
    assert f"{MANAGER}: 2 of 0 pods after 1 s; expected: no pod is left" in str(caught.value)
    assert "look at the pods of the namespace" in str(caught.value.hint)
    assert f"  stop-{MANAGER.partition('/')[2]}: airgap-mirror up" in "\n".join(site.said)


def test_on_the_command_line(site: Caretaker) -> None:
    done = site.run("down", "--all")
    assert f"{MANAGER}: no pod is left" in done.stdout
    assert (site.folder / "site.harness.pods").stat().st_mode & 0o777 == 0o600
    done = site.run("up")
    assert f"{MONGODB}: 3 pods are ready" in done.stdout
    assert site.run("up").stdout == "Nothing was to be done.\n"
    assert site.pods() == COUNTS


def test_a_dry_run_asks_nothing(site: Caretaker) -> None:
    for words in (["down", "--all"], ["up"]):
        assert "Nothing was asked." in site.run(*words, "--dry-run").stdout
    assert site.cluster.calls() == []


@pytest.mark.parametrize("wrong", ["deployment/ui", "ui=2", "deployment/ui=0"])
def test_numbers_of_pods_are_read_strictly(site: Caretaker, wrong: str) -> None:
    assert "expected deployment/NAME=PODS" in site.run("up", "--pods", wrong, code=2).stderr


def test_a_note_that_somebody_spoiled_is_refused(site: Caretaker) -> None:
    (site.folder / "site.harness.pods").write_text("Deployment ui\n")
    done = site.run("up", code=3)
    assert "site.harness.pods:1: expected a kind, a name and a number of pods" in done.stderr


def test_a_refusal_of_the_cluster_ends_it(site: Caretaker) -> None:
    said = 'Error from server (Forbidden): deployments.apps "harness-manager" is forbidden'
    site.cluster.change(refusals={"scale": said})
    done = site.run("down", code=10)
    assert said in done.stderr
    site.cluster.change(refusals={})
    site.run("down")
    assert site.pods()[MANAGER] == 0
