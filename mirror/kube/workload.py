"""One Deployment or StatefulSet, as `kubectl get -o json` tells of it and of its pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from mirror.command import Command
from mirror.kots import outcome
from mirror.kots.outcome import Finished
from transfer.errors import ToolError

_OVER = ("Succeeded", "Failed")
"""Phases in which nothing of a pod runs: an evicted one may lie there for weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How many pods it has."""

    name: str
    """Such as `deployment/manager`."""
    wanted: int
    running: int
    """Pods that are there, whatever state they are in; those that are ending too, where the
    answer has pods: Kubernetes does not count them in the workload's own status."""
    ready: int
    labels: Mapping[str, str] = field(default_factory=dict)


def read_workload(finished: Finished, command: Command) -> Workload:
    """The workload of an answer.

    Raises:
        ToolError: kubectl could not tell, or its answer cannot be read.
    """
    with _reading(finished, command) as value:
        return _workload(value)


def read_workloads(finished: Finished, command: Command) -> tuple[Workload, ...]:
    """The workloads of an answer, which is one or a list of them, pods may be among it.

    Raises:
        ToolError: kubectl could not tell, or its answer cannot be read.
    """
    with _reading(finished, command) as value:
        items = value["items"] if value["kind"] == "List" else [value]
        pods = Counter(_owners(item for item in items if item["kind"] == "Pod"))
        return tuple(_workload(item, pods) for item in items if item["kind"] != "Pod")


@contextmanager
def _reading(finished: Finished, command: Command) -> Iterator[dict[str, Any]]:
    """The answer, of which no message repeats anything: environments may hold passwords."""
    silent = replace(finished, stdout=())
    outcome.check(silent, command)
    with outcome.reading(silent, command):
        try:
            value = outcome.whole(finished, command, dict)
        except ToolError:
            raise ValueError from None
        yield value


def _workload(value: dict[str, Any], pods: Mapping[str, int] | None = None) -> Workload:
    metadata, status = value["metadata"], value.get("status") or {}
    name = f"{value['kind'].lower()}/{metadata['name']}"
    return Workload(
        name=name,
        wanted=int(value["spec"].get("replicas", 1)),
        running=max(int(status.get("replicas", 0)), (pods or {}).get(name, 0)),
        ready=int(status.get("readyReplicas", 0)),
        labels=dict(metadata.get("labels") or {}),
    )


def _owners(pods: Iterable[dict[str, Any]]) -> Iterable[str]:
    """The workload of each pod that is not over.

    It is told by the pod's owner, not by the workload's selector, which other pods may fit as well.
    A Deployment owns its pods by a ReplicaSet, which has its name and the pods' template hash
    (Kubernetes: pkg/controller/deployment/sync.go, getNewReplicaSet).
    """
    for pod in pods:
        if (pod.get("status") or {}).get("phase") in _OVER:
            continue
        metadata = pod["metadata"]
        template = (metadata.get("labels") or {}).get("pod-template-hash", "")
        for owner in metadata.get("ownerReferences") or ():
            name = str(owner["name"])
            if owner["kind"] == "ReplicaSet":
                yield f"deployment/{name.removesuffix(f'-{template}')}"
            elif owner["kind"] == "StatefulSet":
                yield f"statefulset/{name}"
