"""The `kubectl kots` commands of an air gapped site, as values.

Every registry name comes from the one endpoint of the site. `--kotsadm-namespace` is never
given: KOTS joins it to a registry that already has a path, and so pushes application images to
another place than the console's (KOTS: cmd/kots/cli/install.go, getRegistryConfig). Passwords
travel as `KOTS_*` environment variables, which KOTS reads for every flag (cmd/kots/cli/root.go).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mirror.command import Command, Value
from mirror.kube.kubectl import kubectl
from mirror.site import Application, DockerConfig, Login, LoginSource, Rbac, Site, SiteRegistry

PLUGIN_ON_PATH = (
    "unpack the kots_….tar.gz below files/kubectl-kots/ of the bundle, and put the program kots "
    "in it first on PATH, under the name kubectl-kots"
)
"""How a site gets the plugin that crossed."""


class Engine(StrEnum):
    """Who puts the images into the registry."""

    MIRROR = "mirror"
    """We did, and proved it; KOTS gets archives without images."""
    KOTS = "kots"
    """KOTS does, from the vendor's full archives."""


def plugin_version(site: Site) -> Command:
    """Ask the plugin for its version, which is the version of the console it deploys."""
    return Command(argv=("kubectl", "kots", "version", *cluster_flags(site), "--output=json"))


def get_console(site: Site, namespace: str) -> Command:
    """Ask the cluster for the admin console and the registry it was installed with."""
    names = ("deployment/kotsadm", "statefulset/kotsadm", "configmap/kotsadm-confg")
    words = ("get", *names, "--ignore-not-found", "--output=json")
    return kubectl(site, *words, namespace=namespace)


def get_apps(site: Site, namespace: str) -> Command:
    """Ask the console for its applications."""
    return Command(
        argv=("kubectl", "kots", "get", "apps", *cluster_flags(site, namespace), "--output=json")
    )


def get_versions(site: Site, application: Application) -> Command:
    """Ask the console for the versions of an application that it knows, newest first."""
    options = (*cluster_flags(site, application.namespace), "--output=json")
    return Command(argv=("kubectl", "kots", "get", "versions", application.slug, *options))


def get_config(site: Site, application: Application, *, decrypt: bool = False) -> Command:
    """Ask the console for the answers that the deployed release of an application has.

    Passwords among them are as the console keeps them, encrypted, unless `decrypt` is given.
    """
    options = (
        *cluster_flags(site, application.namespace),
        f"--appslug={application.slug}",
        "--current",
    )
    return Command(
        argv=("kubectl", "kots", "get", "config", *options, *(["--decrypt"] if decrypt else []))
    )


def take_snapshot(site: Site, namespace: str) -> Command:
    """Let the console take a full snapshot, for which it needs Velero and a place to store it."""
    return Command(argv=("kubectl", "kots", "backup", *cluster_flags(site, namespace)))


def remove(site: Site, application: Application) -> Command:
    """Take an application out of the console, and out of the cluster; its volumes stay."""
    options = (*cluster_flags(site, application.namespace), "--undeploy", "--force")
    return Command(argv=("kubectl", "kots", "remove", application.slug, *options))


def push_images(site: Site, namespace: str, archive: str, temporary: str | None) -> Command:
    """Let KOTS push the images of a full archive; it unpacks the archive below `temporary`."""
    login = site.registry.credentials
    arguments = (archive, str(site.registry.endpoint), *cluster_flags(site, namespace))
    return Command(
        argv=("kubectl", "kots", "admin-console", "push-images", *arguments, *_check(login)),
        environment=(*_environment(login), *_temporary(temporary)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What KOTS is given for one release of an application, and what it has to do with it."""

    archive: str
    """Absolute path of the `.airgap` file."""
    push: bool
    """KOTS pushes the images; otherwise they are in the registry already."""
    channel: str | None = None
    """The slug of the channel to install from; an upgrade stays on its own."""
    temporary: str | None = None
    """Where KOTS unpacks the archive if it pushes; None is its own choice."""


def install(
    site: Site,
    application: Application,
    handover: Handover,
    *,
    minio: bool,
    console: bool,
) -> Command:
    """Install an application: with `console` the admin console too, else into the running one."""
    slug = application.slug
    upstream = f"{slug}/{handover.channel}" if handover.channel else slug
    login = _user(site.registry, push=handover.push)
    argv = [
        *("kubectl", "kots", "install", upstream),
        *cluster_flags(site, application.namespace),
        f"--license-file={application.license_file}",
        *_option("--config-values", application.config_values),
        *_archive(site, handover),
        *_check(login),
        *rbac_flags(site, install=True),
        *([] if console else ["--exclude-admin-console"]),
        *_minio(minio=minio),
        *(["--skip-preflights"] if application.skip_preflights else []),
        "--no-port-forward",  # otherwise it waits for Ctrl-C once it is done
        f"--wait-duration={site.waits.wait}",
        f"--preflights-wait-duration={site.waits.preflights}",
    ]
    # An empty value counts as none. Given one, KOTS would change the running console's password.
    password: Value = (application.shared_password if console else None) or ""
    environment = (*_environment(login), ("KOTS_SHARED_PASSWORD", password))
    return Command(argv=tuple(argv), environment=(*environment, *_temporary(handover.temporary)))


def upgrade_application(site: Site, application: Application, handover: Handover) -> Command:
    """Take an application to another release and deploy it."""
    login = _user(site.registry, push=handover.push)
    argv = [
        *("kubectl", "kots", "upstream", "upgrade", application.slug),
        *cluster_flags(site, application.namespace),
        *_archive(site, handover),
        *_check(login),
        *(["--skip-preflights"] if application.skip_preflights else []),
        "--deploy",
        "--output=json",
    ]
    return Command(
        argv=tuple(argv),
        environment=(*_environment(login), *_temporary(handover.temporary)),
    )


def upgrade_console(site: Site, namespace: str, *, minio: bool) -> Command:
    """Take the admin console to the plugin's version.

    KOTS forgets the registry between installs and upgrades: without the flags it would point the
    console at docker.io again (KOTS: pkg/kotsadm/main.go, Upgrade).
    """
    login = _user(site.registry, push=False)
    argv = [
        *("kubectl", "kots", "admin-console", "upgrade"),
        *cluster_flags(site, namespace),
        f"--kotsadm-registry={site.registry.endpoint}",
        *rbac_flags(site, install=False),
        *_minio(minio=minio),
        f"--wait-duration={site.waits.wait}",
    ]
    return Command(argv=tuple(argv), environment=_environment(login))


def rbac_flags(site: Site, *, install: bool) -> list[str]:
    """What KOTS does about roles (KOTS: cmd/kots/cli/install.go and admin-console-upgrade.go).

    It asks whether the user may do everything unless it is told not to, also where the role that
    it is to make is a small one. An upgrade of the console keeps the role that is there.
    """
    rbac = site.cluster.rbac
    if rbac is Rbac.CLUSTER:
        return []
    minimal = install and rbac is Rbac.MINIMAL
    return ["--use-minimal-rbac" if minimal else "--ensure-rbac=false", "--skip-rbac-check"]


def cluster_flags(site: Site, namespace: str | None = None) -> list[str]:
    """The flags of kubectl; they follow the plugin's name, where kubectl wants them."""
    return [
        *_option("--kubeconfig", site.cluster.kubeconfig),
        *_option("--context", site.cluster.context),
        *_option("--namespace", namespace),
    ]


def _archive(site: Site, handover: Handover) -> list[str]:
    return [
        f"--airgap-bundle={handover.archive}",
        f"--kotsadm-registry={site.registry.endpoint}",
        *([] if handover.push else ["--disable-image-push"]),
    ]


def _user(registry: SiteRegistry, *, push: bool) -> LoginSource:
    """Who KOTS is in the registry: it hands the same user to the cluster for pulling."""
    if registry.pull_credentials and not push:
        return registry.pull_credentials
    return registry.credentials


def _check(login: LoginSource) -> list[str]:
    """KOTS tests the access with what it was given, and knows nothing of docker's files."""
    return ["--skip-registry-check"] if isinstance(login, DockerConfig) else []


def _environment(login: LoginSource) -> tuple[tuple[str, Value], ...]:
    if not isinstance(login, Login):
        return ()
    return (
        ("KOTS_REGISTRY_USERNAME", login.username),
        ("KOTS_REGISTRY_PASSWORD", login.password),
    )


def _temporary(folder: str | None) -> tuple[tuple[str, Value], ...]:
    return (("TMPDIR", folder),) if folder else ()


def _minio(*, minio: bool) -> list[str]:
    return [] if minio else ["--with-minio=false"]


def _option(name: str, value: str | None) -> list[str]:
    return [f"{name}={value}"] if value else []
