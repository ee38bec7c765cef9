"""Asking again and again until what is wanted is so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mirror.command import Command
from mirror.kots import outcome
from mirror.kots.outcome import Finished
from mirror.kube.workload import read_workloads
from mirror.operation.hands import Hands
from mirror.operation.model import Await
from mirror.operation.wanted import (
    ConsoleIs,
    Goal,
    HasLicence,
    IsDeployed,
    IsNewest,
    IsReady,
    IsScaled,
)
from mirror.operation.words import HOPELESS, PAUSE, late, told
from transfer.disk import read_text
from transfer.errors import ToolError
from transfer.kots.licence import Licence


@dataclass(frozen=True, slots=True)
class Progress:
    """Where something is on its way to a goal."""

    status: str
    """A few words."""
    reached: bool = False
    failed: str | None = None
    """Why waiting is of no use: what to do."""


def await_goal(action: Await, hands: Hands) -> str:
    """Ask until the goal is reached; returns it in words.

    Raises:
        ToolError: it cannot be reached any more, or was not in time.
    """
    if action.plugin:
        version = outcome.read_plugin_version(hands.ask(action.plugin), action.plugin)
        action = replace(action, goal=ConsoleIs(version=version), plugin=None)
    what = told(action.goal)
    deadline = hands.clock.now() + action.seconds
    said = ""
    while True:
        found = _ask(action, hands, last=hands.clock.now() >= deadline)
        if found.reached:
            return found.status if isinstance(action.goal, IsScaled) else what
        if found.failed is not None:
            raise ToolError(f"{found.status}; expected: {what}", hint=found.failed)
        if hands.clock.now() >= deadline:
            after = f" after {action.seconds:.0f} s" if action.seconds else ""
            raise ToolError(
                f"{found.status}{after}; expected: {what}",
                hint=late(action.goal) + f"; ask again with: {action.command}",
            )
        if found.status != said:
            hands.say(f"  {found.status}; asking again every {PAUSE} s")
            said = found.status
        hands.clock.pause(PAUSE)


def _ask(action: Await, hands: Hands, *, last: bool) -> Progress:
    """One question; that it fails says little while a console or a node is starting anew."""
    try:
        return _progress(action.goal, hands.ask(action.command), action.command)
    except ToolError as error:
        if last:
            raise
        return Progress(f"no answer ({str(error).splitlines()[-1].strip()})")


def _progress(goal: Goal, finished: Finished, command: Command) -> Progress:
    match goal:
        case IsDeployed():
            return _deployed(goal, finished, command)
        case IsNewest():
            return _newest(goal, finished, command)
        case ConsoleIs():
            return _console(goal, finished, command)
        case IsScaled():
            return _scaled(goal, finished, command)
        case IsReady():
            return _ready(goal, finished, command)
        case HasLicence():
            return _licence(goal, finished, command)


def _deployed(goal: IsDeployed, finished: Finished, command: Command) -> Progress:
    versions = outcome.read_versions(finished, command)
    statuses = [version.status for version in versions if version.label == goal.version]
    status = statuses[0] if statuses else "not there"
    return Progress(
        f"{goal.slug} {goal.version}: {status}",
        reached="deployed" in statuses,
        failed=HOPELESS.get(status),
    )


def _console(goal: ConsoleIs, finished: Finished, command: Command) -> Progress:
    console = outcome.read_console(finished, command)
    found = console.version if console else "none"
    return Progress(f"the admin console is {found}", reached=found == goal.version)


def _newest(goal: IsNewest, finished: Finished, command: Command) -> Progress:
    versions = outcome.read_versions(finished, command)
    status = versions[0].status if versions else "not there"
    return Progress(
        f"{goal.slug}, newest version: {status}",
        reached=status == "deployed",
        failed=HOPELESS.get(status),
    )


def _scaled(goal: IsScaled, finished: Finished, command: Command) -> Progress:
    waiting, names = [], []
    for workload in read_workloads(finished, command):
        if goal.workload not in ("", workload.name):
            continue
        found = workload.ready if goal.replicas else workload.running
        names.append(workload.name)
        if found != goal.replicas or workload.wanted != goal.replicas:
            waiting.append(f"{workload.name}: {found} of {goal.replicas} pods")
    there = f"{', '.join(names)}: {told(goal)}" if names else told(goal)
    return Progress(", ".join(waiting) or there, reached=not waiting)


def _ready(goal: IsReady, finished: Finished, command: Command) -> Progress:
    states = outcome.read_app_states(finished, command)
    found = states.get(goal.slug, "not there")
    return Progress(f"{goal.slug}: {found}", reached=found == "ready")


def _licence(goal: HasLicence, finished: Finished, command: Command) -> Progress:
    """The two are compared by what KOTS keeps as it is; nothing of them is ever told."""
    outcome.check(finished, command)
    found, wanted = (
        Licence.parse(read_text(Path(path), path), path) for path in (goal.path, goal.file)
    )
    is_so = _identity(found) == _identity(wanted)
    what = "the new licence" if is_so else "another licence"
    return Progress(f"{goal.slug} has {what}", reached=is_so)


def _identity(licence: Licence) -> tuple[object, ...]:
    return licence.app_slug, licence.holder, licence.sequence, licence.expires_at
