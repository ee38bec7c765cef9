"""The values that a plan of an install or upgrade is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mirror.kots import Engine
from mirror.kots.outcome import Console, Version
from mirror.kube.pullsecret import Puller
from transfer.kots.config import Config
from transfer.kots.licence import Licence
from transfer.kots.upgrade import Installed
from transfer.kots.values import ConfigValues


class Task(StrEnum):
    """What is asked for."""

    INSTALL = "install"
    UPGRADE = "upgrade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asked for."""

    task: Task
    engine: Engine = Engine.MIRROR
    only: str | None = None
    """The slug of one application; None means all, in the order of the sources."""
    skip_console: bool = False
    """Leave the admin console as it is; it has to be there."""
    console_only: bool = False
    """Leave the applications as they are."""
    work_dir: str | None = None
    """Absolute path of the folder where full archives are put together and unpacked."""
    take_from: str | None = None
    """The slug of the application whose answers the others take over."""
    decrypt: bool = False
    """Take them over in the clear."""
    legacy: bool = False
    """After the first application, a person moves the data of an old installation."""
    connected: bool = False
    """The vendor is reached: KOTS fetches what it needs, and nothing is carried."""
    label: str | None = None
    """Connected: the release to upgrade to; None is the newest."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """What the applications of archives are called at the site, where that is not the same."""
    folder: str = ""
    """Absolute path of the folder of the site file, where answers are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known before anything is asked."""

    order: Order
    stated: Mapping[str, str] = field(default_factory=dict)
    """What a person said is installed: a slug, `CONSOLE` or `ANY`, and a version."""
    licences: Mapping[str, Licence | None] = field(default_factory=dict)
    """By slug; None where the file is not at hand."""
    renew: bool = False
    """A person said that the password of the registry has changed; who asks sees for himself."""
    puller: Puller | None = None
    """Who the cluster is to be in the registry; None where that is not known, or nobody."""
    configs: Mapping[str, Config] = field(default_factory=dict)
    """What the newest release of an application asks, by slug, as far as that is at hand."""
    answers: Mapping[str, ConfigValues] = field(default_factory=dict)
    """What the site file's configValues answer, by slug."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What runs in one namespace."""

    console: Console | None
    exists: bool = True
    """Whether the namespace is there."""
    known: tuple[str, ...] = ()
    """The slugs of all that the console has."""
    waiting: Mapping[str, Sequence[Version]] = field(default_factory=dict)
    """By slug: versions that the console has, newer than the deployed one, the newest first."""
    outdated: frozenset[str] = frozenset()
    """Pull secrets that have another user or password than the site file."""
    applications: Mapping[str, Installed] = field(default_factory=dict)
    unready: frozenset[str] = frozenset()
    """The slugs of applications that are deployed, and of which something is not ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a plan starts from: read from the cluster, or assumed."""

    namespaces: Mapping[str, Deployed]
    known: Known
    running: ConfigValues | None = None
    """The answers that are to be taken over, where their application is there already."""
    plugin: str | None = None
    """The version of kubectl-kots; None where it was not asked."""
    is_openshift: bool = False
    """Of an upgrade it does not matter, and is not asked."""
    knows_puller: bool = True
    """Whether the pull secrets could be compared."""
    has_oc: bool = True
    """Whether its program is there too."""
    assumptions: tuple[str, ...] = ()
    """What was taken for granted instead of being read; empty for a real run."""
