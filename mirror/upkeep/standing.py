"""What runs in the namespaces of a site, and how many pods it had before a planned downtime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from mirror import duration
from mirror.deploy.spelling import renamed, respelled, spellings_of
from mirror.downtime import Scaled
from mirror.kube import kubectl_daily
from mirror.kube.kubectl_daily import APP_LABEL
from mirror.kube.workload import Workload, read_workloads
from mirror.operation.hands import AskCluster
from mirror.operation.model import Ask, Await, Run, Step
from mirror.operation.wanted import IsScaled
from mirror.site import Application, Site, by_namespace
from transfer.errors import InvalidInput
from transfer.text import counted

_WORDS = 3
_NONE = "<none>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One namespace, and what is known of it."""

    namespace: str
    applications: tuple[Application, ...]
    """Those that are meant."""
    file: str
    """Where it is noted how many pods there were: absolute path."""
    workloads: Mapping[str, Workload] | None = None
    """What runs there, by names such as `deployment/ui`; None where it was not asked."""
    noted: Mapping[str, int] | None = None
    """What the file says; None where there is none."""
    stated: Mapping[str, int] = field(default_factory=dict)
    """What a person says of workloads."""

    def pods(self, workload: str) -> int | None:
        """How many pods a workload is to have now; None where that is not known."""
        found = (self.workloads or {}).get(workload)
        return found.wanted if found else None

    def before(self, one: Scaled, *, own: bool) -> int | None:
        """How many pods a workload had, or has to have; None where nobody says it.

        What the site file says (`own`) is worth more than what was noted, and that more than what
        the vendor's guide says.
        """
        noted = (self.noted or {}).get(one.workload) or None
        said = (one.pods, noted) if own else (noted, one.pods)
        found = (self.stated.get(one.workload), *said, self.pods(one.workload) or None)
        return next((pods for pods in found if pods), None)

    @property
    def slugs(self) -> frozenset[str]:
        """What the applications that run there are called."""
        labels = (one.labels for one in (self.workloads or {}).values())
        return frozenset(own[APP_LABEL] for own in labels if APP_LABEL in own)

    def is_of_another(self, workload: Workload) -> bool:
        """Whether a workload belongs to an application that is not meant."""
        owner = workload.labels.get(APP_LABEL)
        return owner is not None and owner not in {app.slug for app in self.applications}


def places_of(applications: Iterable[Application], start: str) -> list[Place]:
    """The namespaces of some applications, nothing of which is known yet.

    Args:
        applications: Those that are meant.
        start: What the absolute paths of files begin with.
    """
    return [
        Place(namespace=name, applications=tuple(members), file=f"{start}.{name}.pods")
        for name, members in by_namespace(applications).items()
    ]


def read_place(site: Site, place: Place, ask: AskCluster) -> Mapping[str, Workload]:
    """What runs in a namespace, but for the admin console.

    Raises:
        ToolError: kubectl cannot be run, or fails.
    """
    command = kubectl_daily.get_workloads(site, place.namespace)
    return {one.name: one for one in read_workloads(ask(command), command)}


def look(site: Site, places: Sequence[Place], ask: AskCluster) -> tuple[Site, list[Place]]:
    """What runs in some namespaces, and the site as the cluster calls its applications.

    Raises:
        ToolError: kubectl cannot be run, or fails.
    """
    seen = [replace(one, workloads=read_place(site, one, ask)) for one in places]
    names = spellings_of(site, {one.namespace: one.slugs for one in seen})
    return respelled(site, names), [
        replace(place, applications=tuple(renamed(place.applications, names))) for place in seen
    ]


def read_counts(text: str, file: str) -> dict[str, int]:
    """The numbers of pods that `kubectl_daily.list_counts` told, by workload.

    Raises:
        InvalidInput: something else is in the file.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        pods = "1" if words[-1] == _NONE else words[-1]  # Kubernetes' own default
        if len(words) != _WORDS or not pods.isdecimal():
            raise InvalidInput(
                f"{file}:{number}: expected a kind, a name and a number of pods: {line!r}",
                hint="correct the line, or delete the file and state the numbers with --pods",
            )
        found[f"{words[0].lower()}/{words[1]}"] = int(pods)
    return found


def read_step(site: Site, place: Place) -> Step:
    """The question that the plan was made from."""
    return Step(
        name=f"read-{place.namespace}",
        why=f"Ask what runs in namespace {place.namespace}, and for its pods.",
        action=Ask(command=kubectl_daily.get_workloads(site, place.namespace)),
    )


def scale_step(site: Site, place: Place, workload: str, pods: int, *, undo: str) -> Step:
    """Give a workload a number of pods."""
    name = PurePosixPath(workload).name
    why = f"Scale {workload} to {pods}." if pods else f"Stop {workload}: scale it to nothing."
    command = kubectl_daily.scale(site, place.namespace, workload, pods)
    verb = "start" if pods else "stop"
    return Step(name=f"{verb}-{name}", why=why, action=Run(command=command), undo=undo)


def wait_step(site: Site, place: Place, workload: str, pods: int) -> Step:
    """Wait until a workload has that number of pods."""
    name = PurePosixPath(workload).name
    what = f"it has {counted(pods, 'ready pod')}" if pods else "none of its pods is left"
    return Step(
        name=f"{'ready' if pods else 'stopped'}-{name}",
        why=f"Ask for {workload} until {what}.",
        action=Await(
            command=kubectl_daily.get_workload(site, place.namespace, workload)
            if pods
            else kubectl_daily.get_workloads(site, place.namespace),
            goal=IsScaled(replicas=pods, workload="" if pods else workload),
            seconds=seconds(site),
        ),
    )


def seconds(site: Site) -> float:
    """How long pods may take to come and go."""
    return duration.seconds(site.waits.wait) or 0


def names_of(applications: Sequence[Application]) -> str:
    """The applications, in words."""
    return " and ".join(application.slug for application in applications)
