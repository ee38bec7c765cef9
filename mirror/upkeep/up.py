"""The end of a planned downtime: everything comes back as it was, in the right order.

Source: vendor's install guide, "Bring down Harness cluster for planned downtime": MongoDB, three of
it, and Redis are there before the Manager and the Verification Service.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mirror.downtime import Scaled, downtime_of
from mirror.operation.model import Edit, Plan, RemoveFile, Step
from mirror.operation.naming import named_apart
from mirror.site import Site
from mirror.upkeep.standing import Place, names_of, read_step, scale_step, wait_step
from transfer.errors import InvalidInput, NotFound, TransferError, raise_together

_Wanted = tuple[str, int]
"""A workload, and how many pods it gets."""


def plan_up(site: Site, places: Sequence[Place]) -> Plan:
    """Scale up what was noted: databases, then what was stopped, then all others.

    Raises:
        NotFound, InvalidInput: a workload is not there, or nobody knows how many pods it had.
    """
    applications = [app for place in places for app in place.applications]
    _check(places)
    steps, notes, assumptions = list[Step](), list[str](), list[str]()
    for place in places:
        steps.append(read_step(site, place))
        steps += _bring_back(site, place)
        notes += _notes(place)
        if place.workloads is None:
            assumptions += _assumed(place)
        if place.noted is not None and _all_come_back(place):
            steps.append(_forget(place))
    if all(step.is_question for step in steps):
        notes.append(f"Everything of {names_of(applications)} is up already.")
    return Plan(
        title=f"bring {names_of(applications)} up at {site.name}",
        steps=named_apart(steps),
        assumptions=tuple(assumptions),
        notes=tuple(dict.fromkeys(notes)),
    )


def _bring_back(site: Site, place: Place) -> Iterator[Step]:
    first, stopped = _named(place, "first"), _named(place, "stop")
    others = _others(place, {name for name, _ in (*first, *stopped)})
    sets = [one for one in others if one[0].startswith("statefulset/")]
    rest = [one for one in others if one not in sets]
    for one in (*first, *sets):
        yield from _together(site, place, [one])
    yield from _together(site, place, stopped)
    yield from _together(site, place, rest)


def _together(site: Site, place: Place, wanted: Sequence[_Wanted]) -> Iterator[Step]:
    """All at the same time, then wait for each."""
    for workload, pods in wanted:
        if place.pods(workload) != pods:
            yield scale_step(site, place, workload, pods, undo=_UNDO)
    for workload, pods in wanted:
        found = (place.workloads or {}).get(workload)
        if found is None or found.wanted != pods or found.ready != pods:
            yield wait_step(site, place, workload, pods)


def _listed(place: Place, which: str) -> Iterator[tuple[Scaled, bool]]:
    """What an application names, and whether the site file does."""
    for application in place.applications:
        downtime = downtime_of(application.slug, application.downtime)
        for one in downtime.first if which == "first" else downtime.stop:
            if place.workloads is None or one.workload in place.workloads:
                yield one, application.downtime is not None


def _named(place: Place, which: str) -> list[_Wanted]:
    """Each once, with its number; 1 where a dry run does not know it."""
    found = {one.workload: place.before(one, own=own) or 1 for one, own in _listed(place, which)}
    return list(found.items())


def _others(place: Place, named: set[str]) -> list[_Wanted]:
    """What else was noted, and stands still."""
    found = []
    for workload, pods in (place.noted or {}).items():
        there = (place.workloads or {}).get(workload)
        stands = place.workloads is None or (there is not None and not there.wanted)
        foreign = there is not None and place.is_of_another(there)
        unready = there is not None and there.wanted == pods and there.ready < pods
        if pods and workload not in named and not foreign and (stands or unready):
            found.append((workload, place.stated.get(workload, pods)))
    return found


def _check(places: Sequence[Place]) -> None:
    faults: list[TransferError] = []
    for place in places:
        if place.workloads is not None:
            faults += _faults(place)
    kind = NotFound if all(isinstance(fault, NotFound) for fault in faults) else InvalidInput
    raise_together(kind, "what is to come back is not known", faults, hint=_STATE_THEM)


def _faults(place: Place) -> Iterator[TransferError]:
    for application in place.applications:
        downtime = downtime_of(application.slug, application.downtime)
        for one in (*downtime.first, *downtime.stop):
            own = application.downtime is not None
            if own and one.workload not in (place.workloads or {}):
                yield NotFound(f"{one.workload}: not in namespace {place.namespace}")
            elif place.pods(one.workload) == 0 and place.before(one, own=own) is None:
                yield InvalidInput(
                    f"{one.workload}: stands still, and {place.file} does not say how many pods "
                    "it had"
                )


def _all_come_back(place: Place) -> bool:
    """Whether nothing that was noted is left behind, so that the note can go."""
    if place.workloads is None:
        return True
    there = (place.workloads.get(name) for name, pods in (place.noted or {}).items() if pods)
    return not any(one and not one.wanted and place.is_of_another(one) for one in there)


def _forget(place: Place) -> Step:
    return Step(
        name=f"forget-{place.namespace}",
        why="Everything is up: the note of how many pods there were is not needed any more.",
        action=Edit(path=place.file, change=RemoveFile()),
    )


def _notes(place: Place) -> Iterator[str]:
    if place.workloads is None:
        return
    for workload, pods in (place.noted or {}).items():
        if pods and workload not in place.workloads:
            yield f"{workload} had {pods} pods, and is not in namespace {place.namespace} any more."
    for application in place.applications:
        downtime = downtime_of(application.slug, application.downtime)
        for one in (*downtime.first, *downtime.stop):
            if one.workload not in place.workloads:
                yield f"{one.workload} is not in namespace {place.namespace}: left out."


def _assumed(place: Place) -> Iterator[str]:
    yield f"Everything named is in namespace {place.namespace}, and stands still."
    if place.noted is None:
        yield f"{place.file} is not there: nothing else was taken down."
    for which in ("first", "stop"):
        for one, own in _listed(place, which):
            if place.before(one, own=own) is None:
                yield (
                    f"{one.workload} had one pod; nothing says how many (--pods "
                    f"{one.workload}=NUMBER states it)."
                )


_UNDO = (
    "airgap-mirror down, with --all for everything, stops it again; by hand, kubectl scale with "
    "--replicas=0"
)
_STATE_THEM = (
    "state how many pods each had: --pods deployment/NAME=NUMBER; or correct downtime: in the "
    "site file"
)
