"""Whether the nodes are many and large enough for what the site's applications need."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mirror.kube.cluster import Node, Reserved
from mirror.preflight.finding import Found, failed, passed, warned
from mirror.preflight.model import Case, Member, Seen
from mirror.requirements import (
    NODE_CPU,
    NODE_MEMORY,
    Requirement,
    find_requirement,
)
from transfer.errors import TransferError
from transfer.text import counted

STATE_IT = "say in the site file what it needs: requirements: {cpu: …, memoryGB: …, storageGB: …}"
_GIGABYTE = 10**9
_NODES = "the nodes"


def check_nodes(seen: Seen) -> Iterator[Found]:
    """Some nodes take pods; where the vendor's tables count, they have the size it wants."""
    nodes = seen.cluster.nodes.get()
    usable = [node for node in nodes if not node.obstacle]
    told = f"pods go to {len(usable)} of {counted(len(nodes), 'node')}"
    away = [f"{node.name}: {node.obstacle}" for node in nodes if node.obstacle]
    if not usable:
        yield failed(_NODES, told, "some", hint="see kubectl get nodes", details=away)
        return
    if not wants_large_nodes(seen.case):
        yield passed(_NODES, told, "some", details=away)
        return
    small = [node for node in usable if node.cpu < NODE_CPU or node.memory < NODE_MEMORY]
    needed = f"{NODE_SIZE} each"
    details = [*away, *(f"{node.name}: {_size(node)}" for node in small)]
    if not small:
        yield passed(_NODES, f"{told}, all large enough", needed, details=away)
        return
    told = f"{told}, {len(small)} of them too small"
    judge = warned if len(small) < len(usable) else failed
    yield judge(_NODES, told, needed, hint="use larger machines", details=details)


def check_cpu(seen: Seen) -> Iterator[Found]:
    """The CPUs that nodes have free, against what all applications of the site need."""
    yield from _compare(seen, _CPU)


def check_memory(seen: Seen) -> Iterator[Found]:
    """The same of memory."""
    yield from _compare(seen, _MEMORY)


def check_storage(seen: Seen) -> Iterator[Found]:
    """How much volumes will hold: nobody can see from here whether there is as much."""
    needed = storage_needed(seen.case)
    if not needed:
        yield passed("volumes", "no application says how much it needs")
        return
    yield warned(
        "volumes",
        "cannot be seen from here",
        needed,
        hint="see that the storage behind the StorageClass has as much; then --skip storage",
    )


def wants_large_nodes(case: Case) -> bool:
    """Whether one of the vendor's tables counts, with its least size of nodes."""
    return any(one and one.mode for one in _requirements(case).values())


def cpu_needed(case: Case) -> str:
    """How many CPUs, and for what; "" where nobody says."""
    return _needed(_needs(case, _CPU.need), _cpus)


def memory_needed(case: Case) -> str:
    """The same of memory."""
    return _needed(_needs(case, _MEMORY.need), _memories)


def storage_needed(case: Case) -> str:
    """The same of volumes."""
    return _needed(_needs(case, lambda one: one.storage), _memories)


_Rounding = Callable[[Fraction], int]
"""What is there is rounded down, what is needed is rounded up."""
_Shown = Callable[[Fraction, _Rounding], str]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is counted: CPUs, or bytes of memory."""

    need: Callable[[Requirement], Fraction | None]
    have: Callable[[Node], Fraction]
    taken: Callable[[Reserved], Fraction]
    shown: _Shown


def _compare(seen: Seen, kind: _Kind) -> Iterator[Found]:
    for slug, one in _requirements(seen.case).items():
        if one is None or kind.need(one) is None:
            yield warned(slug, "nobody says how much it needs", hint=STATE_IT)
    needs = _needs(seen.case, kind.need)
    if not needs:
        return
    usable = [node for node in seen.cluster.nodes.get() if not node.obstacle]
    taken = sum(map(kind.taken, _of_others(seen, usable)), Fraction())
    free = max(sum(map(kind.have, usable), Fraction()) - taken, Fraction())
    told = f"{kind.shown(free, math.floor)} free on {counted(len(usable), 'node')}"
    if taken:
        told += f" (other pods have reserved {kind.shown(taken, math.ceil)})"
    needed = _needed(needs, kind.shown)
    if free >= sum(needs.values()):
        yield passed(_NODES, told, needed)
    else:
        yield failed(_NODES, told, needed, hint="add nodes, or larger ones")


def _of_others(seen: Seen, usable: Sequence[Node]) -> Iterator[Reserved]:
    """The pods there that are none of the site's: its own are among what is needed."""
    names = {node.name for node in usable}
    own = seen.case.namespaces
    return (
        pod for pod in seen.cluster.pods.get() if pod.node in names and pod.namespace not in own
    )


def _needed(needs: dict[str, Fraction], shown: _Shown) -> str:
    if not needs:
        return ""
    parts = ", ".join(f"{slug} {shown(need, math.ceil)}" for slug, need in needs.items())
    return f"{shown(sum(needs.values(), Fraction()), math.ceil)} ({parts})"


def _needs(case: Case, need: Callable[[Requirement], Fraction | None]) -> dict[str, Fraction]:
    """How much each application needs, by its slug and the vendor's table that says so."""
    return {
        f"{slug} {one.mode}" if one.mode else slug: amount
        for slug, one in _requirements(case).items()
        if one and (amount := need(one))
    }


def _requirements(case: Case) -> dict[str, Requirement | None]:
    """Of all applications of the site: those that are not carried run there as well."""
    demo = {member.slug for member in case.members if _is_demo(member)}
    return {
        one.slug: find_requirement(one.slug, one.requirements, demo=one.slug in demo)
        for one in case.site.applications
    }


def _is_demo(member: Member) -> bool:
    try:
        return member.settings().is_demo
    except TransferError:
        return False


def _size(node: Node) -> str:
    return f"{_cpus(node.cpu, math.floor)} and {_memories(node.memory, math.floor)}"


def _cpus(count: Fraction, rounding: _Rounding) -> str:
    return f"{rounding(count * 10) / 10:g} CPU"


def _memories(count: Fraction, rounding: _Rounding) -> str:
    return f"{rounding(count * 10 / _GIGABYTE) / 10:g} GB"


_CPU = _Kind(
    need=lambda one: one.cpu,
    have=lambda node: node.free_cpu,
    taken=lambda pod: pod.cpu,
    shown=_cpus,
)
_MEMORY = _Kind(
    need=lambda one: one.memory,
    have=lambda node: node.free_memory,
    taken=lambda pod: pod.memory,
    shown=_memories,
)
NODE_SIZE = f"{NODE_CPU} CPU and {_memories(NODE_MEMORY, math.ceil)}"
"""What each node has, at least, where the vendor's tables count."""
