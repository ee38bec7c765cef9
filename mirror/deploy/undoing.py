"""How the steps of installs and upgrades can be undone, once they were taken."""

from __future__ import annotations

import shlex

from mirror.site import Application, Site


def install(_site: Site, application: Application, *, console: bool) -> str:
    """An application, with `console` the admin console too."""
    slug, namespace = application.slug, application.namespace
    remove = shlex.join(("kubectl", "kots", "remove", slug, "--namespace", namespace))
    text = (
        f"{remove} --undeploy --force takes {slug} out again; its volumes stay until they are "
        "deleted, and with them what users have stored"
    )
    if console:
        text += f"; the admin console goes with the namespace {namespace}, if nothing else uses it"
    return text


def console(before: str) -> str:
    """The admin console, from the version it had before."""
    return (
        f"nothing goes back by itself: KOTS keeps no way from a newer admin console to "
        f"{before or 'an older one'}; restore a snapshot of its namespace, or go on"
    )


AGAIN = "nothing to go back to: it is the same admin console, with another pull secret"


def upgrade(application: Application, label: str) -> str:
    """An application, to the release of this label."""
    return (
        f"in the admin console, Version history of {application.slug}, Rollback to the release "
        f"before {label} where the vendor allows it; never below a required "
        "release, and not once the databases were migrated: then restore the backup"
    )
