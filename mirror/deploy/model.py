"""The values that a plan is made from, and the plan itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mirror.kots import Command, Engine
from mirror.outcome import Console
from mirror.site import Application
from transfer.contents import ArchiveKind, ArchiveRecord, ReleaseRecord
from transfer.kots.licence import Licence
from transfer.kots.upgrade import Installed
from transfer.relocate import Relocation


class Action(StrEnum):
    """What is asked for."""

    INSTALL = "install"
    UPGRADE = "upgrade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One vendor's archive among the sources, and the files there are of it."""

    record: ArchiveRecord
    slim: str | None
    """What KOTS gets when the images were pushed: absolute path, None where there is none."""
    full: str | None
    """The archive with its images: absolute path, None where it has to be put together again."""
    majors: tuple[str, ...] = ()
    """The vendor's major releases of its application, oldest first, as far as a bundle says."""
    allowed: tuple[str, ...] = ()
    """The rules that whoever built its bundle let pass."""

    @property
    def release(self) -> ReleaseRecord:
        """What the archive says of itself."""
        return self.record.release

    @property
    def is_console(self) -> bool:
        """Whether it is the admin console."""
        return self.record.kind is ArchiveKind.ADMIN_CONSOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asked for."""

    action: Action
    engine: Engine = Engine.MIRROR
    only: str | None = None
    """The slug of one application; None means all, in the order of the sources."""
    skip_console: bool = False
    """Leave the admin console as it is; it has to be there."""
    console_only: bool = False
    """Leave the applications as they are."""
    work_dir: str | None = None
    """Absolute path of the folder where full archives are put together and unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What runs in one namespace."""

    console: Console | None
    applications: Mapping[str, Installed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a plan starts from: read from the cluster, or assumed."""

    namespaces: Mapping[str, Deployed]
    licences: Mapping[str, Licence | None]
    """By slug; None where the file is not at hand."""
    plugin: str | None = None
    """The version of kubectl-kots; None where it was not asked."""
    assumptions: tuple[str, ...] = ()
    """What was taken for granted instead of being read; empty for a real run."""


class Kind(StrEnum):
    """What a step does."""

    READ = "read"
    """Ask the plugin or the cluster, before everything else."""
    IMAGES = "images"
    """Look for every image that KOTS will pull in the registry."""
    PUSHED = "pushed"
    """The same for those that KOTS has just pushed."""
    ASSEMBLE = "assemble"
    """Put a full archive together."""
    PUSH = "push"
    CONSOLE = "console"
    INSTALL = "install"
    UPGRADE = "upgrade"
    CONFIRM_CONSOLE = "confirm-console"
    CONFIRM = "confirm"
    """Ask the console until the release is deployed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do, and why."""

    kind: Kind
    why: str
    command: Command | None = None
    application: Application | None = None
    version: str | None = None
    """What has to be deployed afterwards."""
    archive: Offered | None = None
    """For ASSEMBLE: what to put together, and `path`, where."""
    path: str | None = None
    handed: str | None = None
    """The archive that the command gives to KOTS: its absolute path."""
    images: tuple[Relocation, ...] = ()
    """For IMAGES and PUSHED: what the registry has to hold, down to each blob."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything an order leads to, in the order of execution."""

    title: str
    steps: tuple[Step, ...]
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know: done already, left out, to be done by hand."""

    @property
    def images(self) -> tuple[Relocation, ...]:
        """What the registry is asked for."""
        return tuple(image for step in self.steps for image in step.images)
