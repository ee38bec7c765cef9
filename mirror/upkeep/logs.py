"""Which logs there are in the namespaces of a site, and the file that each goes to.

Source: vendor's install guide, "Logging": every pod writes to its standard output. A container
that crashed has a log of the run before, too; one that never ran has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mirror.command import Command
from mirror.kots import outcome
from mirror.kots.outcome import Finished
from mirror.kube import kubectl_daily
from mirror.kube.kubectl_daily import LogOf
from mirror.operation.model import Ask, Plan, Save, Step
from mirror.operation.naming import named_apart
from mirror.operation.reading import Gather
from mirror.secret import SecretSource
from mirror.site import Application, Site, by_namespace
from transfer.digest import Digest

_LISTS = (
    ("initContainers", "initContainerStatuses"),
    ("containers", "containerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)
_FILES = (
    "A run makes one file for each, {folder}/NAMESPACE/POD/CONTAINER.log; a script, which makes no "
    "folders, {folder}/NAMESPACE_POD_CONTAINER.log, and wants {folder} to be there."
)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]|^\.")
_LONGEST = 200
"""Characters; file systems take 255 bytes, and some need a few for themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What there is in one namespace."""

    namespace: str
    found: tuple[LogOf, ...] = ()
    silent: tuple[str, ...] = ()
    """Containers that have no log yet, each with the reason."""


def read_logs(finished: Finished, command: Command, namespace: str) -> Logs:
    """The logs of all pods that `kubectl_daily.get_pods` told of.

    Raises:
        ToolError: kubectl could not tell, or its answer cannot be read.
    """
    outcome.check(finished, command)
    found, silent = list[LogOf](), list[str]()
    with outcome.reading(finished, command):
        for pod in outcome.whole(finished, command, dict)["items"]:
            name = str(pod["metadata"]["name"])
            for container, status in _containers(pod):
                log = LogOf(namespace=namespace, pod=name, container=container)
                logs = list(_logs_of(log, status))
                found += logs
                if not logs:
                    silent.append(f"{name}/{container}: {_reason(status)}")
    return Logs(namespace=namespace, found=tuple(found), silent=tuple(silent))


def plan_logs(site: Site, logs: Sequence[Logs], folder: str, since: str | None) -> Plan:
    """The pods that a run has asked for, and one step for each log."""
    steps: list[Step] = []
    for one in logs:
        steps.append(
            Step(
                name=f"read-{one.namespace}",
                why=f"Ask which pods there are in namespace {one.namespace}.",
                action=Ask(command=kubectl_daily.get_pods(site, one.namespace)),
            )
        )
        steps += [_save(site, log, folder, since) for log in one.found]
    return Plan(
        title=_title(site, folder),
        steps=named_apart(steps),
        notes=tuple(f"{silent}; it has no log." for one in logs for silent in one.silent),
    )


def plan_to_gather(
    site: Site,
    applications: Sequence[Application],
    folder: str,
    since: str | None,
    hidden: Sequence[SecretSource] = (),
) -> Plan:
    """The same where nobody knows the pods yet: one step for each namespace.

    Args:
        site: Where to ask.
        applications: Whose namespaces.
        folder: Where the files go: absolute path.
        since: A Go duration: nothing that is older; None for all there is.
        hidden: What nobody may read in the files.
    """
    return Plan(
        title=_title(site, folder),
        steps=tuple(
            Step(
                name=f"logs-{namespace}",
                why=f"Get the log of each container of each pod in namespace {namespace}, and of "
                "the run before where it was started anew.",
                action=Gather(
                    namespace=namespace,
                    command=kubectl_daily.get_pods(site, namespace),
                    log=kubectl_daily.get_each_log(site, namespace, since=since),
                    folder=folder,
                    hidden=tuple(hidden),
                    licences=tuple(one.license_file for one in site.applications),
                ),
            )
            for namespace in by_namespace(applications)
        ),
        notes=(_FILES.replace("{folder}", folder),),
    )


def path_of(log: LogOf) -> str:
    """The file for a log, below the folder of all: names that any file system takes."""
    ending = ".previous.log" if log.previous else ".log"
    return f"{_safe(log.namespace)}/{_safe(log.pod)}/{_safe(log.container)}{ending}"


def _save(site: Site, log: LogOf, folder: str, since: str | None) -> Step:
    what = "the run before of " if log.previous else ""
    return Step(
        name=f"log-{log.pod}-{log.container}",
        why=f"Get the log of {what}{log.container} in pod {log.pod}.",
        action=Save(
            command=kubectl_daily.get_log(site, log, since=since),
            path=f"{folder}/{path_of(log)}",
        ),
    )


def _title(site: Site, folder: str) -> str:
    return f"get the logs of {site.name} into {folder}"


def _containers(pod: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    status = pod.get("status") or {}
    for names, statuses in _LISTS:
        known = {one["name"]: one for one in status.get(statuses) or ()}
        for container in pod["spec"].get(names) or ():
            name = str(container["name"])
            yield name, known.get(name) or {}


def _logs_of(log: LogOf, status: Mapping[str, Any]) -> Iterator[LogOf]:
    now, before = status.get("state") or {}, status.get("lastState") or {}
    if "running" in now or "terminated" in now or "terminated" in before:
        yield log
    if "terminated" in before:
        yield LogOf(namespace=log.namespace, pod=log.pod, container=log.container, previous=True)


def _reason(status: Mapping[str, Any]) -> str:
    waiting = (status.get("state") or {}).get("waiting") or {}
    return f"waits ({waiting.get('reason') or 'not started'})"


def _safe(name: str) -> str:
    """The name itself, as Kubernetes forms names; anything else gets a digest for its oddities."""
    safe = _UNSAFE.sub("_", name)[:_LONGEST]
    return safe if safe == name else f"{safe}-{Digest.of(name.encode()).encoded[:8]}"
