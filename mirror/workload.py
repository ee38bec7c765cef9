"""One Deployment or StatefulSet, as `kubectl get -o json` tells of it."""

from __future__ import annotations

from dataclasses import dataclass

from mirror import outcome
from mirror.command import Command
from mirror.outcome import Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How many pods it has."""

    name: str
    """Such as `deployment/manager`."""
    wanted: int
    running: int
    """Pods that are there, whatever state they are in."""
    ready: int


def read_workload(finished: Finished, command: Command) -> Workload:
    """The workload of an answer.

    Raises:
        ToolError: the answer cannot be read.
    """
    with outcome.reading(finished, command):
        value = outcome.whole(finished, command, dict)
        status = value.get("status") or {}
        return Workload(
            name=f"{value['kind'].lower()}/{value['metadata']['name']}",
            wanted=int(value["spec"].get("replicas", 1)),
            running=int(status.get("replicas", 0)),
            ready=int(status.get("readyReplicas", 0)),
        )
