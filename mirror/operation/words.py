"""What runs, scripts and runbooks say alike: goals in words, and what to do when one fails."""

from __future__ import annotations

from mirror.operation.wanted import (
    ConsoleIs,
    Expectation,
    Goal,
    HasLicence,
    IsAbsent,
    IsDeployed,
    IsNewest,
    IsReady,
    IsScaled,
    NoConsole,
    NoNamespace,
    NoOpenShift,
    PluginIs,
    PullsAs,
    PullsFrom,
)
from transfer.text import counted

PAUSE = 5
"""Seconds between two questions."""

HOPELESS = {
    "failed": "look at the version in the admin console, and at the pods of the namespace",
    "pending_config": "complete configValues in the site file, or the Config page of the admin "
    "console, and deploy it there",
}
"""States of a release in which waiting is of no use, and what to do."""

PUSH_FIRST = (
    "push the same sources there first: airgap-mirror push … --site …; with --repair where "
    "something below a name is missing, with --overwrite where a name holds other content"
)
"""What to do where the registry does not hold what KOTS would pull."""

PLAN_AGAIN = "what is there is not what the plan was made for: make it anew"
"""What to do where a question is answered otherwise."""


def told(goal: Goal) -> str:
    """The goal as a sentence without its end."""
    match goal:
        case ConsoleIs(version=version):
            return f"the admin console is {version or 'of the version of the plugin'}"
        case IsScaled(replicas=0):
            return "no pod is left"
        case IsScaled(replicas=replicas):
            return f"{counted(replicas, 'pod')} {'is' if replicas == 1 else 'are'} ready"
        case _:
            return _of_application(goal)


def _of_application(goal: IsDeployed | IsNewest | IsReady | HasLicence) -> str:
    match goal:
        case IsDeployed(slug=slug, version=version):
            return f"{slug} {version} is deployed"
        case IsNewest(slug=slug):
            return f"the newest version of {slug} is deployed"
        case IsReady(slug=slug, address=address):
            return f"{slug} is ready" + (f": sign up at {address}" if address else "")
        case HasLicence(slug=slug, file=file):
            return f"{slug} runs with the licence {file}"


def assumed(expected: Expectation) -> str:
    """What a plan takes for granted, as a sentence without its end."""
    match expected:
        case PluginIs(version=version):
            return f"the plugin is {version}"
        case NoConsole():
            return "no admin console is there"
        case IsAbsent(slug=slug):
            return f"{slug} is not installed"
        case NoOpenShift() | NoNamespace() | PullsAs() | PullsFrom():
            return _about_cluster(expected)
        case _:
            return told(expected)


def _about_cluster(expected: NoOpenShift | NoNamespace | PullsAs | PullsFrom) -> str:
    match expected:
        case NoOpenShift():
            return "the cluster is no OpenShift"
        case NoNamespace(namespace=namespace):
            return f"there is no namespace {namespace} yet"
        case PullsAs():
            return "the pull secrets have the user and password of the site file"
        case PullsFrom(registry=registry):
            return f"the admin console pulls from {registry}"


def ended(text: str) -> str:
    """A sentence with its full stop, unless a command ends it."""
    return text if text.rpartition("\n")[2].startswith(" ") else f"{text}."


def late(goal: Goal) -> str:
    """What to do where a goal was not reached in time."""
    if isinstance(goal, IsDeployed | IsNewest):
        return "preflight checks may hold it back: look at it in the admin console"
    if isinstance(goal, HasLicence):
        return (
            "upload it in the admin console, and deploy the version that this makes, whose source "
            "is License Change; then run the same command again"
        )
    return "look at the pods of the namespace"
