"""Asking: every question of a preflight, and what came of it. Nothing stops at a failure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from mirror import kots
from mirror.kots import outcome
from mirror.kube import cluster, kubectl
from mirror.kube.pullsecret import Puller
from mirror.operation import AskCluster
from mirror.preflight.inquiry import Inquiry, not_asked
from mirror.preflight.model import (
    Access,
    Answer,
    Case,
    ClusterSeen,
    ConsoleSeen,
    Held,
    MachineSeen,
    RegistrySeen,
    Seen,
)
from mirror.preflight.ports import CONSOLE_PORT
from mirror.preflight.registry import let_in, look_for, try_reading, try_uploads
from mirror.preflight.ways import Scout
from mirror.site import Application
from mirror.target import RegistryAccess
from transfer.errors import ToolError, TransferError
from transfer.registry import RegistryClient

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """Everything that a preflight learns from the world."""

    ask: AskCluster
    pusher: Callable[[], RegistryAccess]
    """How whoever pushes reaches the registry."""
    puller: Callable[[], RegistryAccess]
    """How the cluster does."""
    pull_user: Puller | None
    """Who the cluster is to be there; None where that cannot be read, or is nobody."""
    check_files: Callable[[Iterable[Application]], int]
    """Reads the files and secrets that some applications are installed with: how many there are."""
    resolve: Callable[[str], tuple[str, ...]]
    """The addresses of a host."""
    is_busy: Callable[[int], bool]
    """Whether something listens on a port of this machine."""
    free_bytes: Callable[[str], int]
    """Bytes that are free in a folder."""
    say: Callable[[str], None]
    """Gets one line for a person."""


def gather(case: Case, senses: Senses, now: datetime, skipped: Collection[str] = ()) -> Seen:
    """Ask everything that the checks need that are not skipped."""
    inquiry = Inquiry(case, senses.ask, senses.say, skipped)
    registry = _ask_registry(case, senses, inquiry)
    plugin = inquiry.command("plugin", kots.plugin_version(case.site), outcome.read_plugin_version)
    kubernetes = _ask_cluster(case, inquiry)
    scout = Scout(case, inquiry.ask, senses.pull_user)
    installed = {
        member.slug: inquiry.answer("installed", partial(scout.is_installed, member))
        for member in case.members
    }
    ways = inquiry.answer("installed", lambda: scout.ways(installed)).given
    return Seen(
        case=case,
        now=now,
        registry=registry,
        cluster=kubernetes,
        console=ConsoleSeen(
            plugin=plugin, installed=installed, ways={} if isinstance(ways, TransferError) else ways
        ),
        machine=_ask_machine(case, senses, inquiry, installed),
    )


def _ask_registry(case: Case, senses: Senses, inquiry: Inquiry) -> RegistrySeen:
    host = case.site.registry.endpoint.registry

    def enter(how: Callable[[], RegistryAccess], work: Callable[[RegistryClient], _T]) -> _T:
        with let_in(host, how()) as client:
            return work(client)

    def push(client: RegistryClient) -> Access:
        case.images.get()
        return try_uploads(client, case.repositories)

    def held(client: RegistryClient) -> Held:
        return look_for(client, case.images.get())

    def pull(client: RegistryClient) -> Access:
        return try_reading(client, case.images.get().relocations)

    entry = inquiry.answer("registry", lambda: enter(senses.pusher, _nothing))
    closed = isinstance(entry.given, TransferError)
    shut: Answer[Any] = Answer(not_asked("the registry lets nobody in"))
    return RegistrySeen(
        entry=entry,
        push=shut if closed else inquiry.answer("push", lambda: enter(senses.pusher, push)),
        held=shut if closed else inquiry.answer("images", lambda: enter(senses.pusher, held)),
        pull=inquiry.answer("pull", lambda: enter(senses.puller, pull)),
    )


def _ask_cluster(case: Case, inquiry: Inquiry) -> ClusterSeen:
    site, ask = case.site, inquiry.command
    versions = kubectl.get_versions(site)
    kubectl_itself = ask("versions", versions, cluster.read_kubectl_version)
    version = ask("versions", versions, cluster.read_cluster_version)
    if isinstance(version.given, ToolError):
        inquiry.give_up("the cluster told no version either")
    all_rights = ask("rights", kubectl.may_do_everything(site), cluster.read_permission)
    some_rights = {
        name: ask("rights", kubectl.list_rights(site, name), cluster.read_rights)
        for name in (case.namespaces if all_rights.given is False else ())
    }
    phases = {
        name: ask("namespaces", kubectl.get_namespace(site, name), cluster.read_phase)
        for name in case.namespaces
    }
    may_create: Answer[bool] = Answer(not_asked("every namespace is there"))
    if None in [phase.given for phase in phases.values()]:
        command = kubectl.may_create_namespaces(site)
        may_create = ask("namespaces", command, cluster.read_permission)
    classes, services = kubectl.get_storage_classes(site), kubectl.get_services(site)
    return ClusterSeen(
        kubectl=kubectl_itself,
        version=version,
        may_do_everything=all_rights,
        rights=some_rights,
        namespaces=phases,
        may_create_namespaces=may_create,
        nodes=ask("nodes", kubectl.get_nodes(site), cluster.read_nodes),
        pods=ask("pods", kubectl.list_pods(site), cluster.read_pods),
        storage_classes=ask("storage-classes", classes, cluster.read_storage_classes),
        node_ports=ask("node-ports", services, cluster.read_node_ports),
    )


def _ask_machine(
    case: Case, senses: Senses, inquiry: Inquiry, installed: Mapping[str, Answer[bool]]
) -> MachineSeen:
    new = [m.application for m in case.members if installed[m.slug].given is not True]
    return MachineSeen(
        files=inquiry.answer("files", lambda: senses.check_files(new)),
        console_port_busy=inquiry.answer("console-port", lambda: senses.is_busy(CONSOLE_PORT)),
        addresses={
            host: inquiry.answer("addresses", partial(senses.resolve, host)) for host in case.hosts
        },
        free=inquiry.answer("space", lambda: senses.free_bytes(case.unpacked_in or ".")),
    )


def _nothing(_client: RegistryClient) -> None:
    pass
