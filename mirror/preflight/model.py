"""What a preflight sees: what it is about, and what came of every question."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Generic, TypeVar

from mirror.config.settings import Settings
from mirror.kots import Engine
from mirror.kube.cluster import Node, NodePort, Reserved, Rights, StorageClass
from mirror.offer import Offered
from mirror.site import Application, Site, by_namespace
from transfer.contents import ReleaseRecord
from transfer.errors import TransferError
from transfer.kots.config import Config
from transfer.kots.licence import Licence
from transfer.kots.values import ConfigValues
from transfer.kots.version import numbers
from transfer.relocate import RelocationPlan

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[_T]):
    """What came of a question: a value, or why there is none."""

    given: _T | TransferError

    def get(self) -> _T:
        """The value.

        Raises:
            TransferError: there is none.
        """
        if isinstance(self.given, TransferError):
            raise self.given
        return self.given


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One application of the site that the sources carry, as its files say."""

    application: Application
    releases: tuple[ReleaseRecord, ...]
    """Carried ones, oldest first."""
    licence: Answer[Licence]
    config: Answer[Config]
    """What the newest release asks."""
    values: Answer[ConfigValues | None]
    """What the site answers; None where it names no file."""

    @property
    def slug(self) -> str:
        """The application's."""
        return self.application.slug

    def settings(self) -> Settings:
        """The site's answers that its cluster has to fit.

        Raises:
            TransferError: the answers or the questions cannot be read.
        """
        values = self.values.get() or ConfigValues(file="")
        return Settings.read(values, self.config.get())


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a preflight is about: all that files say, before anybody is asked."""

    site: Site
    offers: tuple[Offered, ...]
    images: Answer[RelocationPlan]
    members: tuple[Member, ...]
    strangers: tuple[str, ...] = ()
    """Slugs of applications that the sources carry and the site file does not list."""
    engine: Engine = Engine.MIRROR
    work_dir: str | None = None
    """Where archives are put together for KOTS, and unpacked: absolute path."""
    temporary: str = "/tmp"  # noqa: S108 - named, not written
    """Where KOTS unpacks archives otherwise."""

    @property
    def unpacked_in(self) -> str | None:
        """Where KOTS unpacks archives; None where it gets archives without images."""
        return (self.work_dir or self.temporary) if self.engine is Engine.KOTS else None

    @property
    def console(self) -> str:
        """The version of the admin console that the sources carry; "" where they carry none."""
        versions = (one.release.version_label for one in self.offers if one.is_console)
        return max(versions, key=lambda version: numbers(version) or (), default="")

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those of the site's applications."""
        return tuple(by_namespace(self.site.applications))

    @property
    def repositories(self) -> tuple[str, ...]:
        """The paths of the repositories that images go to; none where that cannot be told."""
        plan = self.images.given
        if isinstance(plan, TransferError):
            return ()
        paths = (one.destination.repository.path for one in plan.relocations)
        return tuple(sorted(set(paths)))

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that users enter, as far as they are names and no addresses."""
        found = dict[str, None]()
        for member in self.members:
            with suppress(TransferError):
                found[member.settings().host] = None
        return tuple(host for host in found if host and not is_address(host))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the registry holds of the images of the sources."""

    images: int
    missing: tuple[str, ...] = ()
    different: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What came of asking for something in each repository."""

    repositories: int
    refused: Mapping[str, TransferError] = field(default_factory=dict)
    """By the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What an install or upgrade would do."""

    stops: tuple[str, ...] = ()
    """What would be deployed, one after the other."""
    by_hand: tuple[str, ...] = ()
    """What only a person can do on the way."""
    notes: tuple[str, ...] = ()
    room: int = 0
    """Bytes that KOTS takes of a folder, with what is put together for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySeen:
    """What the registry answered."""

    entry: Answer[None]
    """Nothing but that it lets in whoever pushes."""
    push: Answer[Access]
    pull: Answer[Access]
    held: Answer[Held]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSeen:
    """What Kubernetes answered."""

    kubectl: Answer[str]
    """The version of kubectl."""
    version: Answer[str]
    """The version of the cluster."""
    may_do_everything: Answer[bool]
    rights: Mapping[str, Answer[Rights]]
    """By the namespace; empty where everything is allowed."""
    namespaces: Mapping[str, Answer[str | None]]
    """The phase of each, by its name; None where it is not there."""
    may_create_namespaces: Answer[bool]
    nodes: Answer[tuple[Node, ...]]
    pods: Answer[tuple[Reserved, ...]]
    storage_classes: Answer[tuple[StorageClass, ...]]
    node_ports: Answer[tuple[NodePort, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSeen:
    """What kubectl-kots and the admin console answered."""

    plugin: Answer[str]
    """The version of kubectl-kots."""
    installed: Mapping[str, Answer[bool]]
    """Whether an application is in the console, by its slug."""
    ways: Mapping[str, Answer[Way]]
    """What an install or upgrade would do, by what it is about."""

    def has(self, slug: str) -> bool:
        """Whether an application is known to be there."""
        return slug in self.installed and self.installed[slug].given is True


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSeen:
    """What our own machine answered."""

    files: Answer[int]
    """How many files and secrets the site file names; each can be read."""
    console_port_busy: Answer[bool]
    """Whether something listens here on the admin console's port."""
    addresses: Mapping[str, Answer[tuple[str, ...]]]
    """What the names of hosts resolve to."""
    free: Answer[int]
    """Bytes in the folder for archives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that was asked, and what came of it."""

    case: Case
    now: datetime
    registry: RegistrySeen
    cluster: ClusterSeen
    console: ConsoleSeen
    machine: MachineSeen

    @property
    def site(self) -> Site:
        """The site."""
        return self.case.site

    @property
    def members(self) -> tuple[Member, ...]:
        """The applications that are carried."""
        return self.case.members


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
