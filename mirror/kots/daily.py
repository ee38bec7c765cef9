"""The `kubectl kots` commands for the days after an install, as values.

Source: KOTS cmd/kots/cli/download.go, upload.go and admin-console.go. Where the first two are asked
for JSON, they end with exit code 0 whatever happened.
"""

from __future__ import annotations

from mirror.command import Command
from mirror.site import Application, Site

CONSOLE_PORT = 8800
"""Where KOTS forwards to; where it is taken, KOTS alone looks for the next one that is free."""


def download(site: Site, application: Application, folder: str, *, overwrite: bool) -> Command:
    """Get the manifests of the deployed version into `folder`, in a folder named by the slug.

    Without `overwrite`, KOTS refuses to if that is there. It gives the latest version unless it
    is told otherwise, deployed or not. Passwords among the configuration stay encrypted.
    """
    return _kots(
        site,
        *("download", f"--slug={application.slug}", f"--dest={folder}", "--current"),
        *(["--overwrite"] if overwrite else []),
        namespace=application.namespace,
    )


def upload(site: Site, application: Application, folder: str) -> Command:
    """Make a new version of an application from its manifests, and deploy it."""
    return _kots(
        site,
        *("upload", folder, f"--slug={application.slug}", "--deploy"),
        *(["--skip-preflights"] if application.skip_preflights else []),
        "--output=json",
        namespace=application.namespace,
    )


def open_console(site: Site, namespace: str, port: int) -> Command:
    """Forward a local port to the admin console, until Ctrl-C."""
    return _kots(site, "admin-console", f"--port={port}", namespace=namespace)


def _kots(site: Site, *words: str, namespace: str) -> Command:
    places = {
        "--kubeconfig": site.cluster.kubeconfig,
        "--context": site.cluster.context,
        "--namespace": namespace,
    }
    flags = (f"{flag}={value}" for flag, value in places.items() if value)
    return Command(argv=("kubectl", "kots", *words, *flags))
