"""Waiting: until something is so, until it cannot be any more, or until it is late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mirror import kots
from mirror.kube.kubectl import kubectl
from mirror.operation.goals import await_goal
from mirror.operation.model import Await
from mirror.operation.wanted import ConsoleIs, Goal, IsDeployed, IsNewest, IsReady, IsScaled
from tests.fakes.kube_changes import workload
from tests.mirror.kots_site import Clock, KotsSite
from tests.mirror.kots_world import KOTS, OLD_KOTS, namespace, running
from transfer.errors import ToolError

Change = Callable[[KotsSite], None]


@dataclass
class Later(Clock):
    """A clock with which the world goes on: one change with each pause."""

    site: KotsSite
    changes: list[Change]

    def __post_init__(self) -> None:
        super().__init__()

    def pause(self, seconds: float) -> None:
        super().pause(seconds)
        if self.changes:
            self.changes.pop(0)(self.site)


@pytest.fixture
def site(tmp_path: Path) -> KotsSite:
    found = KotsSite(tmp_path / "site", ())
    found.here = True
    return found


def versions(*statuses: str) -> Change:
    """Versions 3, 2 and 1 of harness, the newest first."""

    def change(site: KotsSite) -> None:
        apps = [running(str(3 - i), 9, status=status) for i, status in enumerate(statuses)]
        known = [app["versions"][0] for app in apps]
        site.cluster.change(namespaces={"harness": namespace(KOTS, harness={"versions": known})})

    return change


def console(version: str | None) -> Change:
    def change(site: KotsSite) -> None:
        found: dict[str, Any] = {"console": None, "apps": {}}
        there = namespace(version) if version else found
        site.cluster.change(namespaces={"harness": there})

    return change


def pods(*numbers: tuple[int, int, int]) -> Change:
    """StatefulSets with so many pods wanted, there and ready."""

    def change(site: KotsSite) -> None:
        found = [workload("StatefulSet", f"mongo-{i}", 1) for i in range(len(numbers))]
        for one, (wanted, there, ready) in zip(found, numbers, strict=True):
            one["spec"]["replicas"] = wanted
            one["status"] = {"replicas": there, "readyReplicas": ready}
        site.cluster.change(objects=found, namespaces={"harness": namespace(KOTS)})

    return change


def waiting_for(site: KotsSite, goal: Goal, seconds: float) -> Await:
    """The question that tells of the goal."""
    here = site.site
    match goal:
        case IsDeployed() | IsNewest():
            command = kots.get_versions(here, here.applications[0])
        case ConsoleIs():
            command = kots.get_console(here, "harness")
        case IsScaled():
            words = ("get", "statefulsets", "--output=json")
            command = kubectl(here, *words, namespace="harness")
        case IsReady():
            command = kots.get_apps(here, "harness")
    return Await(command=command, goal=goal, seconds=seconds)


def wait(site: KotsSite, goal: Goal, *changes: Change, seconds: float = 100) -> tuple[str, float]:
    """Wait in a world that begins with the first change; what was reached, and when."""
    first, *rest = changes
    first(site)
    clock = Later(site, rest)
    hands = replace(site.hands(), clock=clock)
    return await_goal(waiting_for(site, goal, seconds), hands), clock.now()


TWO = IsDeployed(slug="harness", version="2")


@pytest.mark.parametrize(
    ("goal", "changes", "reached"),
    [
        (TWO, [versions("pending", "deploying"), versions("pending", "deployed")], "harness 2 is"),
        (
            IsNewest(slug="harness"),
            [versions("pending", "deployed"), versions("deployed", "deployed")],
            "the newest version of harness is deployed",
        ),
        (
            ConsoleIs(version=KOTS),
            [console(None), console(OLD_KOTS), console(KOTS)],
            "the admin console is v1.131.4",
        ),
        (IsScaled(replicas=3), [pods((3, 1, 0)), pods((3, 3, 2)), pods((3, 3, 3))], "mongo-0: "),
        (IsScaled(replicas=0), [pods((0, 3, 3)), pods((0, 1, 0)), pods((0, 0, 0))], "mongo-0: "),
        (IsScaled(replicas=2), [pods((2, 2, 2), (2, 2, 1)), pods((2, 2, 2), (2, 2, 2))], "mongo-1"),
        (IsScaled(replicas=1), [pods((4, 1, 1)), pods((1, 1, 1))], "mongo-0: "),
    ],
)
def test_it_waits_until_it_is_so(
    goal: Goal, changes: list[Change], reached: str, site: KotsSite
) -> None:
    found, seconds = wait(site, goal, *changes)
    assert reached in found
    assert seconds == 5 * (len(changes) - 1)
    assert [line for line in site.said if line.endswith("asking again every 5 s")]


def test_an_application_becomes_ready(site: KotsSite) -> None:
    app = {**running("1", 1), "states": ["unavailable", "unavailable", "updating"]}
    site.cluster.change(namespaces={"harness": namespace(KOTS, harness=app)})
    found, seconds = wait(site, IsReady(slug="harness"), lambda _site: None)
    assert (found, seconds) == ("harness is ready", 15)
    assert site.said == [
        "  harness: unavailable; asking again every 5 s",
        "  harness: updating; asking again every 5 s",
    ], "the same is not said twice"


@pytest.mark.parametrize("status", ["failed", "pending_config"])
@pytest.mark.parametrize("goal", [TWO, IsNewest(slug="harness")])
def test_it_gives_up_where_waiting_is_of_no_use(goal: Goal, status: str, site: KotsSite) -> None:
    with pytest.raises(ToolError, match=f"{status}; expected: ") as caught:
        wait(site, goal, versions(status, status))
    assert caught.value.exit_code == 10
    assert "admin console" in str(caught.value.hint)


def test_a_release_that_failed_once_may_be_deployed_again(site: KotsSite) -> None:
    site.cluster.change(
        namespaces={
            "harness": namespace(
                KOTS,
                harness={
                    "versions": [
                        running("2", 9, status=status)["versions"][0]
                        for status in ("failed", "deployed")
                    ]
                },
            )
        }
    )
    assert wait(site, TWO, lambda _site: None) == ("harness 2 is deployed", 0)


@pytest.mark.parametrize(
    ("goal", "state", "message"),
    [
        (TWO, versions("pending", "pending"), "harness 2: pending after 12 s; expected: harness 2"),
        (TWO, versions("deployed"), "harness 2: not there after 12 s"),
        (IsNewest(slug="harness"), versions(), "newest version: not there after 12 s"),
        (ConsoleIs(version=KOTS), console(None), "the admin console is none after 12 s"),
        (IsReady(slug="x"), versions("deployed"), "x: not there after 12 s"),
        (IsScaled(replicas=3), pods((3, 3, 1)), "statefulset/mongo-0: 1 of 3 pods after 12 s"),
    ],
)
def test_it_does_not_wait_for_ever(goal: Goal, state: Change, message: str, site: KotsSite) -> None:
    with pytest.raises(ToolError, match=message) as caught:
        wait(site, goal, state, seconds=12)
    assert "ask again with: kubectl " in str(caught.value.hint)
    assert len(site.cluster.calls()) == 4, "at 0, 5, 10 and 15 s"


def test_without_time_it_asks_once(site: KotsSite) -> None:
    with pytest.raises(ToolError, match=r"is v1\.130\.0; expected: the admin console is v1\.131"):
        wait(site, ConsoleIs(version=KOTS), console(OLD_KOTS), seconds=0)
    assert len(site.cluster.calls()) == 1


def test_a_question_that_fails_ends_it(site: KotsSite) -> None:
    with pytest.raises(ToolError, match="ended with exit code 1"):
        wait(site, TWO, console(None))


def no_answer(site: KotsSite) -> None:
    """The namespace has no console to ask: `kots get` fails."""
    console(None)(site)


def test_a_question_that_fails_is_asked_again_in_time(site: KotsSite) -> None:
    goal = IsDeployed(slug="harness", version="3")
    told, seconds = wait(site, goal, no_answer, no_answer, versions("deployed"))
    assert (told, seconds) == ("harness 3 is deployed", 10)
    assert any(line.startswith("  no answer (") for line in site.said)


def test_a_question_that_goes_on_failing_ends_with_its_failure(site: KotsSite) -> None:
    goal = IsDeployed(slug="harness", version="3")
    with pytest.raises(ToolError, match="unable to find kotsadm pod"):
        wait(site, goal, no_answer, seconds=10)
