"""One Deployment or StatefulSet, as `kubectl get -o json` tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mirror.command import Command
from mirror.kots import outcome
from mirror.kots.outcome import Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How many pods it has."""

    name: str
    """Such as `deployment/manager`."""
    wanted: int
    running: int
    """Pods that are there, whatever state they are in."""
    ready: int
    labels: Mapping[str, str] = field(default_factory=dict)


def read_workload(finished: Finished, command: Command) -> Workload:
    """The workload of an answer.

    Raises:
        ToolError: kubectl could not tell, or its answer cannot be read.
    """
    outcome.check(finished, command)
    with outcome.reading(finished, command):
        return _workload(outcome.whole(finished, command, dict))


def read_workloads(finished: Finished, command: Command) -> tuple[Workload, ...]:
    """The workloads of an answer, which is one or a list of them.

    Raises:
        ToolError: kubectl could not tell, or its answer cannot be read.
    """
    outcome.check(finished, command)
    with outcome.reading(finished, command):
        value = outcome.whole(finished, command, dict)
        return tuple(map(_workload, value["items"] if value["kind"] == "List" else [value]))


def _workload(value: dict[str, Any]) -> Workload:
    metadata, status = value["metadata"], value.get("status") or {}
    return Workload(
        name=f"{value['kind'].lower()}/{metadata['name']}",
        wanted=int(value["spec"].get("replicas", 1)),
        running=int(status.get("replicas", 0)),
        ready=int(status.get("readyReplicas", 0)),
        labels=dict(metadata.get("labels") or {}),
    )
