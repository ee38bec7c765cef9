"""How the steps of installs and upgrades can be undone, once they were taken."""

from __future__ import annotations

from mirror import kots
from mirror.command import Command
from mirror.site import Application, Site


def install(site: Site, application: Application, *, console: bool) -> str:
    """An application, with `console` the admin console too."""
    slug, namespace = application.slug, application.namespace
    text = (
        f"this takes {slug} out again; its volumes stay until they are deleted, and with them what "
        "users have stored"
    )
    if console:
        text += f"; the admin console goes with the namespace {namespace}, if nothing else uses it"
    return with_command(text, kots.remove(site, application))


def with_command(text: str, command: Command) -> str:
    """How to undo a step, with the command to paste."""
    return f"{text}:\n    {command.shell_line()}"


def console(before: str) -> str:
    """The admin console, from the version it had before."""
    return (
        f"nothing goes back by itself: KOTS keeps no way from a newer admin console to "
        f"{before or 'an older one'}; restore a snapshot of its namespace, or go on"
    )


AGAIN = "nothing to go back to: it is the same admin console, with another pull secret"


def upgrade(application: Application, label: str, before: str, *, required: bool) -> str:
    """An application, to the release of a label.

    Args:
        application: Which.
        label: Of the release that was deployed.
        before: Of the one that ran until then; "" where nobody knows.
        required: KOTS goes back to nothing before a release that the vendor requires (KOTS:
            pkg/update/required.go).
    """
    if required:
        return (
            f"restore the backup: {label} is a required release, and KOTS deploys none again that "
            "is older"
        )
    return (
        f"in the admin console, Version history of {application.slug}, Rollback to "
        f"{before or 'the release before'}, where the vendor allows that and as long as no "
        "database was migrated; otherwise restore the backup"
    )
