"""What kubectl tells of a cluster, read from its answers.

Field names: kubernetes/api core/v1 and storage/v1; the table of rights: kubectl's
`auth can-i --list`, pkg/cmd/auth/cani.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from mirror.command import Command
from mirror.kots.outcome import Finished, check, reading, whole
from mirror.kube.quantity import parse_quantity
from transfer.errors import ToolError

DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
"""Annotations of the StorageClass that a claim without one gets."""

_T = TypeVar("_T")

_KEEPS_OFF = ("NoSchedule", "NoExecute")
_RIGHT = re.compile(r"(?P<resource>\S*)\s+\[[^]]*\]\s+\[(?P<names>[^]]*)\]\s+\[(?P<verbs>[^]]*)\]")
_INCOMPLETE = "may be incomplete"
_NONE = "<none>"
_FORBIDDEN = "(Forbidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One machine of the cluster."""

    name: str
    cpu: Fraction
    """CPUs that the machine has."""
    memory: Fraction
    """Bytes that it has."""
    free_cpu: Fraction
    """CPUs for pods: what the machine has without the share of the system."""
    free_memory: Fraction
    """Bytes for pods."""
    obstacle: str = ""
    """Why ordinary pods do not go there; "" where they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """What a pod has reserved of a node, whether it uses it or not."""

    namespace: str
    node: str
    cpu: Fraction
    memory: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageClass:
    """One kind of volumes."""

    name: str
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePort:
    """A port that a service has on every node."""

    port: int
    namespace: str
    service: str

    def __str__(self) -> str:
        """Whose it is."""
        return f"service {self.service} in namespace {self.namespace}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a user may do in one namespace."""

    allowed: tuple[tuple[str, frozenset[str]], ...]
    """Resources such as `deployments.apps` or `*.*`, each with verbs."""
    is_complete: bool = True
    """False where the cluster itself says that there may be more."""

    def allow(self, verb: str, resource: str) -> bool:
        """Whether a verb is among them."""
        group = resource.partition("/")[0].partition(".")[2]
        wanted = {resource, "*.*", f"*.{group}" if group else "*"}
        return any(name in wanted and verbs & {verb, "*"} for name, verbs in self.allowed)


def read_cluster_version(finished: Finished, command: Command) -> str:
    """What `kubectl version` told of the cluster.

    Raises:
        ToolError: it could not, or the cluster did not answer.
    """
    _check(finished, command)
    return _version(finished, command, "serverVersion")


def read_kubectl_version(finished: Finished, command: Command) -> str:
    """What `kubectl version` told of itself, which it does without a cluster too.

    Raises:
        ToolError: it could not.
    """
    return _version(finished, command, "clientVersion")


def read_nodes(finished: Finished, command: Command) -> tuple[Node, ...]:
    """What `kubectl get nodes` told.

    Raises:
        ToolError: it could not.
    """
    return tuple(_each(finished, command, _node))


def read_pods(finished: Finished, command: Command) -> tuple[Reserved, ...]:
    """The lines of `kubectl.list_pods`; pods that no node has taken yet are left out.

    Raises:
        ToolError: there are none.
    """
    _check(finished, command)
    with reading(finished, command):
        rows = [line.split() for line in finished.stdout]
        return tuple(
            Reserved(namespace=namespace, node=node, cpu=_sum(cpu), memory=_sum(memory))
            for namespace, node, cpu, memory in rows
            if node != _NONE
        )


def read_storage_classes(finished: Finished, command: Command) -> tuple[StorageClass, ...]:
    """What `kubectl get storageclasses` told.

    Raises:
        ToolError: it could not.
    """
    return tuple(_each(finished, command, _storage_class))


def read_node_ports(finished: Finished, command: Command) -> tuple[NodePort, ...]:
    """The node ports among what `kubectl get services` told.

    Raises:
        ToolError: it could not.
    """
    return tuple(port for ports in _each(finished, command, _node_ports) for port in ports)


def read_phase(finished: Finished, command: Command) -> str | None:
    """The phase of a namespace, such as Active or Terminating; None where there is none.

    Raises:
        ToolError: kubectl could not tell.
    """
    _check(finished, command)
    if not finished.stdout:
        return None
    with reading(finished, command):
        return str(whole(finished, command, dict)["status"]["phase"])


def read_permission(finished: Finished, command: Command) -> bool:
    """What `kubectl auth can-i` answered: its exit code is 1 for no as well as for a failure.

    Raises:
        ToolError: neither yes nor no.
    """
    word = finished.stdout[-1].split(" ")[0] if finished.stdout else ""
    if word != "no":
        _check(finished, command)
    with reading(finished, command):
        return {"yes": True, "no": False}[word]


def read_rights(finished: Finished, command: Command) -> Rights:
    """The table of `kubectl auth can-i --list`; rights for single names are left out.

    Raises:
        ToolError: it could not.
    """
    _check(finished, command)
    found = map(_RIGHT.fullmatch, finished.stdout)
    return Rights(
        allowed=tuple(
            (match["resource"], frozenset(match["verbs"].split()))
            for match in found
            if match and match["resource"] and not match["names"]
        ),
        is_complete=not any(_INCOMPLETE in line for line in finished.stderr),
    )


def _check(finished: Finished, command: Command) -> None:
    """Accept a question that was answered; of one that is forbidden, say what to do."""
    refused = next((line for line in finished.stderr if _FORBIDDEN in line), None)
    if finished.exit_code and refused:
        hint = "ask whoever runs the cluster for the right to do that"
        raise ToolError(f"{command}\nended with exit code 1:\n{refused}", hint=hint)
    check(finished, command)


def _version(finished: Finished, command: Command, whose: str) -> str:
    with reading(finished, command):
        return str(whole(finished, command, dict)[whose]["gitVersion"])


def _each(
    finished: Finished, command: Command, read: Callable[[dict[str, Any]], _T]
) -> Iterator[_T]:
    _check(finished, command)
    with reading(finished, command):
        for item in whole(finished, command, dict)["items"]:
            yield read(item)


def _sum(quantities: str) -> Fraction:
    """Of what the containers of one pod ask for: `500m,1`."""
    asked = (text for text in quantities.split(",") if text != _NONE)
    return sum(map(parse_quantity, asked), Fraction())


def _node(item: dict[str, Any]) -> Node:
    status = item.get("status") or {}
    capacity, free = status.get("capacity") or {}, status.get("allocatable") or {}
    return Node(
        name=str(item["metadata"]["name"]),
        cpu=parse_quantity(capacity.get("cpu", "0")),
        memory=parse_quantity(capacity.get("memory", "0")),
        free_cpu=parse_quantity(free.get("cpu", "0")),
        free_memory=parse_quantity(free.get("memory", "0")),
        obstacle=_obstacle(item.get("spec") or {}, status),
    )


def _obstacle(spec: dict[str, Any], status: dict[str, Any]) -> str:
    ready = {one["status"] for one in status.get("conditions", ()) if one["type"] == "Ready"}
    if ready != {"True"}:
        return "not ready"
    if spec.get("unschedulable"):
        return "cordoned"
    taints = (one["key"] for one in spec.get("taints") or () if one["effect"] in _KEEPS_OFF)
    key = next(taints, None)
    return f"taint {key}" if key else ""


def _storage_class(item: dict[str, Any]) -> StorageClass:
    metadata = item["metadata"]
    notes = metadata.get("annotations") or {}
    return StorageClass(
        name=str(metadata["name"]),
        is_default=any(notes.get(key) == "true" for key in DEFAULT_CLASS),
    )


def _node_ports(item: dict[str, Any]) -> list[NodePort]:
    metadata = item["metadata"]
    return [
        NodePort(
            port=int(port["nodePort"]),
            namespace=str(metadata["namespace"]),
            service=str(metadata["name"]),
        )
        for port in item["spec"].get("ports") or ()
        if port.get("nodePort")
    ]
