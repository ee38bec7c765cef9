"""The site: one disconnected installation, as values. Paths are absolute.

Secrets are the places where they will be read, never values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mirror.downtime import Downtime
from mirror.requirements import Mode, Requirement
from mirror.secret import FromEnvironment, SecretSource
from mirror.spelling import known_as
from transfer.errors import InvalidInput
from transfer.habits import UNKNOWN, Habits
from transfer.reference import Repository

WAIT = "30m"
"""How long KOTS may wait for a component; its own 2 minutes also bound the server-side import."""
PREFLIGHTS_WAIT = "15m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A user of the registry."""

    username: str | FromEnvironment
    password: SecretSource


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """The docker credential files and helpers of whoever runs the command."""


LoginSource = Login | DockerConfig | None
"""None: the registry asks for no password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRegistry:
    """The site's registry; `endpoint` is the one string every command derives from."""

    endpoint: Repository
    ca_file: str | None = None
    client_cert: str | None = None
    """A certificate of our own, where the registry wants to see one."""
    client_key: str | None = None
    """Its key; None where it is in the same file."""
    plain_http: bool = False
    insecure_skip_tls_verify: bool = False
    credentials: LoginSource = None
    pull_credentials: Login | None = None
    """A user that may only read, for the cluster; None lets it use `credentials`."""
    create_missing: bool = False
    """Whether a push may create projects and repositories."""
    habits: Habits = UNKNOWN
    """What a probe found out."""


def puller_of(registry: SiteRegistry) -> Login | None:
    """Whom the cluster is handed for pulling; None where the nodes pull by themselves."""
    login = registry.pull_credentials or registry.credentials
    return login if isinstance(login, Login) else None


class Rbac(StrEnum):
    """Which role KOTS's console has in the cluster, and who makes it."""

    CLUSTER = "cluster"
    """KOTS makes one for the whole cluster, and wants to be everything for that."""
    MINIMAL = "minimal"
    """KOTS makes one for the namespace, where the application supports that."""
    GIVEN = "given"
    """It is there already: somebody made it, with its service account and binding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """How kubectl finds the cluster, and what KOTS may be there."""

    kubeconfig: str | None = None
    context: str | None = None
    openshift: bool = False
    rbac: Rbac = Rbac.CLUSTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application of the site, by the slug that its licence and its archives carry."""

    slug: str
    license_file: str
    config_values: str | None
    shared_password: SecretSource | None
    channel: str | None
    """The channel's slug; None takes the one that the licence has for the release."""
    namespace: str
    skip_preflights: bool
    with_minio: bool | None
    """Whether the console runs with Minio; None takes it from the console's archive."""
    service_accounts: tuple[str, ...]
    """On OpenShift: who has to be allowed to run as any user; () takes those that are known."""
    requirements: Mode | Requirement | None = None
    """What it needs of the cluster; None takes the vendor's figures, if there are any."""
    downtime: Downtime | None = None
    """What stands still in a planned downtime; None takes what is known of the slug."""


def by_namespace(applications: Iterable[Application]) -> dict[str, list[Application]]:
    """Applications together with those that share their admin console."""
    found: dict[str, list[Application]] = {}
    for application in applications:
        found.setdefault(application.namespace, []).append(application)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Go durations handed to KOTS."""

    wait: str = WAIT
    preflights: str = PREFLIGHTS_WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One disconnected installation."""

    name: str
    registry: SiteRegistry
    cluster: Cluster
    namespace: str
    applications: tuple[Application, ...]
    waits: Waits

    def application(self, slug: str) -> Application:
        """The application with this slug, or with another spelling of it.

        Raises:
            InvalidInput: the site file does not list it.
        """
        spelled = known_as(slug, [application.slug for application in self.applications])
        for application in self.applications:
            if application.slug == spelled:
                return application
        known = ", ".join(application.slug for application in self.applications) or "none"
        raise InvalidInput(
            f"applications.{slug}: not in the site file of {self.name}; listed there: {known}",
            hint="add the application to the site file, or choose another with --app",
        )
