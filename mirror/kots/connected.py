"""The `kubectl kots` commands of a site that reaches the vendor: nothing is carried, or pushed."""

from __future__ import annotations

from mirror.command import Command, Value
from mirror.kots.commands import cluster_flags, rbac_flags
from mirror.site import Application, Site


def install(site: Site, application: Application, channel: str | None, *, console: bool) -> Command:
    """Install the newest release of a channel: with `console` the admin console too."""
    upstream = f"{application.slug}/{channel}" if channel else application.slug
    answers = [f"--config-values={application.config_values}"] if application.config_values else []
    argv = [
        *("kubectl", "kots", "install", upstream),
        *cluster_flags(site, application.namespace),
        f"--license-file={application.license_file}",
        *answers,
        *rbac_flags(site, install=True),
        *([] if console else ["--exclude-admin-console"]),
        *(["--with-minio=false"] if application.with_minio is False else []),
        *(["--skip-preflights"] if application.skip_preflights else []),
        "--no-port-forward",  # otherwise it waits for Ctrl-C once it is done
        f"--wait-duration={site.waits.wait}",
        f"--preflights-wait-duration={site.waits.preflights}",
    ]
    # An empty value counts as none. Given one, KOTS would change the running console's password.
    password: Value = (application.shared_password if console else None) or ""
    return Command(argv=tuple(argv), environment=(("KOTS_SHARED_PASSWORD", password),))


def upgrade_application(site: Site, application: Application, label: str | None) -> Command:
    """Take an application to the newest release of its channel, or to another, and deploy it."""
    argv = [
        *("kubectl", "kots", "upstream", "upgrade", application.slug),
        *cluster_flags(site, application.namespace),
        *(["--skip-preflights"] if application.skip_preflights else []),
        f"--deploy-version-label={label}" if label else "--deploy",
        "--output=json",
    ]
    return Command(argv=tuple(argv))


def upgrade_console(site: Site, namespace: str) -> Command:
    """Take the admin console to the plugin's version; its images come from where it finds them."""
    argv = [
        *("kubectl", "kots", "admin-console", "upgrade"),
        *cluster_flags(site, namespace),
        *rbac_flags(site, install=False),
        f"--wait-duration={site.waits.wait}",
    ]
    return Command(argv=tuple(argv))
