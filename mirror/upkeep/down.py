"""Planned downtime: what has to stand still is scaled to nothing, and remembered.

Source: vendor's install guide, "Bring down Harness cluster for planned downtime". The Manager and
the Verification Service are enough: nothing works in the background then, and nobody is connected
to the databases. The rest may follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mirror.downtime import downtime_of
from mirror.kube import kubectl_daily
from mirror.kube.workload import Workload
from mirror.operation.model import Await, Plan, Run, Save, Step
from mirror.operation.naming import named_apart
from mirror.operation.wanted import IsScaled
from mirror.site import Application, Site
from mirror.upkeep.standing import (
    Place,
    names_of,
    read_step,
    scale_step,
    seconds,
    wait_step,
)
from transfer.errors import InvalidInput, NotFound, TransferError, raise_together


def plan_down(site: Site, places: Sequence[Place], *, everything: bool) -> Plan:
    """Scale what has to stand still to nothing; with `everything`, the rest after it.

    Raises:
        InvalidInput, NotFound: what is to stand still is not known, or not there.
    """
    applications = [app for place in places for app in place.applications]
    _check(places, everything=everything)
    steps, notes, assumptions = list[Step](), list[str](), list[str]()
    for place in places:
        steps.append(read_step(site, place))
        steps += _note(site, place)
        notes += _notes(place)
        steps += _stop(site, place, list(_stopped(place)))
        if place.workloads is None:
            assumptions += _assumed(place, everything=everything)
        if everything:
            steps += _stop_the_rest(site, place)
    if all(step.is_question or isinstance(step.action, Save) for step in steps):
        steps = [step for step in steps if step.is_question]
        notes.append(f"Nothing of {names_of(applications)} is left to stop.")
    return Plan(
        title=f"take {names_of(applications)} down at {site.name}",
        steps=named_apart(steps),
        assumptions=tuple(assumptions),
        notes=tuple(dict.fromkeys(notes)),
    )


def _check(places: Sequence[Place], *, everything: bool) -> None:
    faults: list[TransferError] = []
    for place in places:
        for application in place.applications:
            faults += _faults(place, application, everything=everything)
        if everything:
            raise_together(
                InvalidInput,
                "a downtime goes on, and something has been started since",
                _unnoted(place),
                hint="bring the site up first, or add a line to the file: KIND NAME PODS",
            )
    kind = NotFound if all(isinstance(fault, NotFound) for fault in faults) else InvalidInput
    raise_together(kind, "what is to stand still is not known", faults, hint=_NAME_THEM)


def _unnoted(place: Place) -> Iterator[TransferError]:
    """What began to run after a downtime did: stopped now, nothing would bring it back."""
    if not _goes_on(place):
        return
    for name, found in (place.workloads or {}).items():
        if place.is_of_another(found):
            continue
        if found.wanted and name not in (place.noted or {}):
            yield InvalidInput(f"{place.file}: {name} runs, and is not noted")


def _faults(place: Place, application: Application, *, everything: bool) -> Iterator[TransferError]:
    wanted = downtime_of(application.slug, application.downtime).stop
    where = f"applications.{application.slug}.downtime.stop"
    if not wanted and not everything:
        yield InvalidInput(f"{where}: nothing is known of this application, and nothing is named")
    if not wanted or place.workloads is None:
        return
    missing = [one.workload for one in wanted if one.workload not in place.workloads]
    if missing and (application.downtime or len(missing) == len(wanted)):
        there = ", ".join(place.workloads) or "none"
        yield NotFound(
            f"{where}: {', '.join(missing)} not in namespace {place.namespace}, which has {there}"
        )


def _stopped(place: Place) -> Iterator[str]:
    """What the downtime is made of, as far as it is there."""
    for application in place.applications:
        for one in downtime_of(application.slug, application.downtime).stop:
            if place.workloads is None or one.workload in place.workloads:
                yield one.workload


def _note(site: Site, place: Place) -> Iterator[Step]:
    """Remember how many pods there are, unless that is known from a downtime that goes on."""
    if place.workloads is not None and not any(map(place.pods, place.workloads)):
        return  # nothing but zeros
    if _goes_on(place):
        return
    why = f"Note how many pods everything in namespace {place.namespace} has, for airgap-mirror up"
    unknown = place.workloads is None
    if unknown:
        why += "; what a downtime that goes on has noted stays, and this step is left out"
    command = kubectl_daily.list_counts(site, place.namespace)
    yield Step(
        name=f"note-{place.namespace}",
        why=f"{why}.",
        action=Save(command=command, path=place.file, once=unknown),
    )


def _goes_on(place: Place) -> bool:
    """Whether something stands still that was noted: the note is older, and worth more."""
    return any(pods and place.pods(name) == 0 for name, pods in (place.noted or {}).items())


def _notes(place: Place) -> Iterator[str]:
    for application in place.applications:
        for one in downtime_of(application.slug, application.downtime).stop:
            if place.workloads is not None and one.workload not in place.workloads:
                yield f"{one.workload} is not in namespace {place.namespace}: left out."
    for name, before in (place.noted or {}).items() if _goes_on(place) else ():
        now = place.pods(name)
        if now and now != before:
            yield (
                f"{name} has {now} pods, and {before} are noted: up brings back {before}, unless "
                f"{place.file} is changed."
            )


def _stop(site: Site, place: Place, workloads: Sequence[str]) -> Iterator[Step]:
    """All at the same time, then wait for each."""
    for workload in workloads:
        if place.pods(workload) != 0:
            yield scale_step(site, place, workload, 0, undo=_back(place))
    for workload in workloads:
        found = (place.workloads or {}).get(workload)
        if found is None or found.wanted or found.running:
            yield wait_step(site, place, workload, 0)


def _stop_the_rest(site: Site, place: Place) -> Iterator[Step]:
    """By kind: databases are StatefulSets, and go when nothing asks them any more."""
    meant = {application.slug for application in place.applications}
    spared = tuple(
        application.slug
        for application in site.applications
        if application.namespace == place.namespace and application.slug not in meant
    )
    but = " and ".join(("the admin console", *spared))
    for kind in ("deployments", "statefulsets"):
        there = [one for one in (place.workloads or {}).values() if _is_one(one, kind, spared)]
        if place.workloads is not None and not any(one.wanted or one.running for one in there):
            continue
        yield Step(
            name=f"stop-{kind}-{place.namespace}",
            why=f"Stop all other {kind} in namespace {place.namespace} but those of {but}.",
            action=Run(command=kubectl_daily.scale_all(site, place.namespace, kind, spared)),
            undo=_back(place),
        )
        yield Step(
            name=f"stopped-{kind}-{place.namespace}",
            why="Ask until no pod of them is left.",
            action=Await(
                command=kubectl_daily.get_all(site, place.namespace, kind, spared),
                goal=IsScaled(replicas=0),
                seconds=seconds(site),
            ),
        )


def _is_one(workload: Workload, kind: str, spared: Sequence[str]) -> bool:
    owner = workload.labels.get(kubectl_daily.APP_LABEL)
    return workload.name.startswith(f"{kind[:-1]}/") and owner not in spared


def _assumed(place: Place, *, everything: bool) -> Iterator[str]:
    yield (
        f"Everything named is in namespace {place.namespace}, and runs; a run looks, and leaves "
        "alone what stands still already."
    )
    if everything:
        yield (
            "There are Deployments and StatefulSets: where there is none, kubectl says that no "
            "objects were passed to scale. A run leaves such a step out."
        )


_NAME_THEM = (
    "name the workloads that have to stand still in the site file: "
    "downtime: {stop: [deployment/NAME, …]}"
)


def _back(place: Place) -> str:
    return (
        "airgap-mirror up brings it back as it was; by hand, kubectl scale, databases first, with "
        f"the number of pods in this file:\n    {place.file}"
    )
