"""What kubectl does for the days after an install: numbers of pods, and their logs.

`kubectl scale` changes a number that KOTS sets again with the next release it deploys.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirror.command import Blank, Command
from mirror.kube.kubectl import kubectl
from mirror.site import Site

WORKLOADS = "deployments,statefulsets"
PODS = "pods"
CONSOLE_LABEL = "kots.io/kotsadm"
"""`true` at everything of the admin console (KOTS: pkg/kotsadm/types/constants.go)."""
APP_LABEL = "kots.io/app-slug"
"""The application, at everything that KOTS deploys (KOTS: pkg/midstream/write.go)."""
OTHERS = f"{CONSOLE_LABEL}!=true"
"""Selects what is not of the admin console."""
COUNTS = "custom-columns=KIND:.kind,NAME:.metadata.name,PODS:.spec.replicas"
"""Three words a line: in JSON, a workload's environment may hold passwords."""
PREVIOUS = "--previous"
"""Asks for the log of the container that ran before."""
_WITHOUT_LIMIT = "0"


def get_workload(site: Site, namespace: str, workload: str) -> Command:
    """Ask for one workload, such as `deployment/harness-manager`."""
    return kubectl(site, "get", workload, "--output=json", namespace=namespace)


def get_workloads(site: Site, namespace: str) -> Command:
    """Ask for every workload of a namespace but the admin console's, and for their pods."""
    return get_all(site, namespace, WORKLOADS, ())


def list_counts(site: Site, namespace: str) -> Command:
    """Ask how many pods every workload of a namespace is to have."""
    words = ("get", WORKLOADS, f"--selector={OTHERS}", "--no-headers", f"--output={COUNTS}")
    return kubectl(site, *words, namespace=namespace)


def scale(site: Site, namespace: str, workload: str, pods: int) -> Command:
    """Give a workload another number of pods."""
    return kubectl(site, "scale", workload, f"--replicas={pods}", namespace=namespace)


def get_all(site: Site, namespace: str, kinds: str, others: tuple[str, ...]) -> Command:
    """Ask for everything that `scale_all` scales, and for all pods, in one answer.

    Pods that are ending are counted nowhere else. Asked for by the selector of a workload, they
    would be a question that nobody knows before the workload was seen.
    """
    words = ("get", f"{kinds},{PODS}", f"--selector={_without(others)}", "--output=json")
    return kubectl(site, *words, namespace=namespace)


def scale_all(site: Site, namespace: str, kinds: str, others: tuple[str, ...]) -> Command:
    """Scale all of a kind to nothing, but not the admin console, and no application of `others`."""
    words = ("scale", kinds, f"--selector={_without(others)}", "--replicas=0")
    return kubectl(site, *words, namespace=namespace)


def _without(others: tuple[str, ...]) -> str:
    return ",".join((OTHERS, *(f"{APP_LABEL}!={slug}" for slug in others)))


def get_pods(site: Site, namespace: str) -> Command:
    """Ask for every pod of a namespace."""
    return kubectl(site, "get", "pods", "--output=json", namespace=namespace)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOf:
    """One container of a pod."""

    namespace: str
    pod: str
    container: str
    previous: bool = False
    """The one that ran there before."""


def get_log(site: Site, log: LogOf, *, since: str | None) -> Command:
    """Ask for a log; `since` is a Go duration, None for all there is."""
    before = [PREVIOUS] if log.previous else []
    command = get_each_log(site, log.namespace, since=since)
    return command.filled(f"pod/{log.pod}", f"--container={log.container}", *before)


def get_each_log(site: Site, namespace: str, *, since: str | None) -> Command:
    """The same for each container of each pod; with `PREVIOUS` for the one before."""
    words = ["logs", Blank("pod/POD"), Blank("--container=CONTAINER"), "--timestamps"]
    words += [f"--since={since}"] if since else []
    return kubectl(site, *words, namespace=namespace, timeout=_WITHOUT_LIMIT)
