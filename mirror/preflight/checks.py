"""Every check of a preflight, in the order in which a person looks at them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from mirror.preflight import (
    access,
    addresses,
    capacity,
    ports,
    releases,
    rights,
    space,
    storage,
    versions,
)
from mirror.preflight.finding import Finding, Found, Verdict, failed_by
from mirror.preflight.model import Member, Seen
from transfer.errors import TransferError

_OfSite = Callable[[Seen], Iterator[Found]]
_OfMember = Callable[[Seen, Member], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Check:
    """One question to what was seen."""

    name: str
    """As findings and `--skip` name it."""
    run: _OfSite


def _each(run: _OfMember) -> _OfSite:
    """A check of each application."""

    def check(seen: Seen) -> Iterator[Found]:
        for member in seen.members:
            yield from _of_one(run, seen, member)

    return check


def _of_one(run: _OfMember, seen: Seen, member: Member) -> Iterator[Found]:
    """What cannot be told of one application says nothing of the others."""
    try:
        yield from run(seen, member)
    except TransferError as error:
        yield failed_by(member.slug, error)


RUNS = "an upgrade goes by what is in the cluster, not by this file"


def _of_files(run: _OfMember) -> _OfSite:
    """A check of files that only an install is given: what runs has them in the cluster."""

    def check(seen: Seen) -> Iterator[Found]:
        for member in seen.members:
            for found in _of_one(run, seen, member):
                if found.verdict is Verdict.FAIL and seen.console.has(member.slug):
                    hint = f"{RUNS}; {found.hint}" if found.hint else RUNS
                    yield replace(found, verdict=Verdict.WARN, hint=hint)
                else:
                    yield found

    return check


CHECKS = (
    Check("files", releases.check_files),
    Check("applications", releases.check_listed),
    Check("registry", access.check_registry),
    Check("push", access.check_push),
    Check("images", access.check_images),
    Check("pull", access.check_pull),
    Check("kubectl", versions.check_kubectl),
    Check("plugin", versions.check_plugin),
    Check("cluster", versions.check_cluster),
    Check("rights", rights.check_rights),
    Check("namespace", rights.check_namespaces),
    Check("nodes", capacity.check_nodes),
    Check("cpu", capacity.check_cpu),
    Check("memory", capacity.check_memory),
    Check("storage-class", _each(storage.check_storage_class)),
    Check("storage", capacity.check_storage),
    Check("licence", _of_files(releases.check_licence)),
    Check("channel", _of_files(releases.check_channel)),
    Check("config", _of_files(releases.check_config)),
    Check("node-port", _each(ports.check_node_port)),
    Check("ports", _each(ports.check_ports)),
    Check("console-port", ports.check_console_port),
    Check("load-balancer", _each(addresses.check_balancer)),
    Check("dns", _each(addresses.check_dns)),
    Check("plan", releases.check_way),
    Check("space", space.check_space),
)

NAMES = tuple(check.name for check in CHECKS)


def judge(seen: Seen, skipped: Collection[str] = ()) -> tuple[Finding, ...]:
    """What all checks find, but for those that are skipped."""
    return tuple(
        Finding(check=check.name, found=found)
        for check in CHECKS
        if check.name not in skipped
        for found in _judged(check, seen)
    )


def _judged(check: Check, seen: Seen) -> Iterator[Found]:
    """A question that nobody could answer is a finding, too."""
    try:
        yield from check.run(seen)
    except TransferError as error:
        yield failed_by(seen.site.name, error)
