"""kubectl-kots out of a bundle: the program that speaks for KOTS on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mirror.command import Command
from mirror.kots.outcome import with_v
from mirror.operation.model import Edit, InstallPlugin, Plan, Run, Step
from transfer.errors import NotFound, PolicyError

PROGRAM = "kubectl-kots"
"""How kubectl finds its plugin: under this name, first on PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedPlugin:
    """One archive of the plugin among the sources."""

    platform: str
    """Such as `linux/amd64`."""
    archive: str
    """Absolute path."""
    digest: str
    version: str | None
    """What it says of itself, None where it says nothing."""
    console: str | None
    """The version of the admin console that crossed with it, None where none did."""


def plan_plugin(
    carried: Sequence[CarriedPlugin], platform: str, folder: str, *, foreign: bool
) -> Plan:
    """Put the plugin for a platform into a folder.

    Harness guide, "Install KOTS plugin", without the network.

    Args:
        carried: What the sources have.
        platform: The machine's, such as `linux/amd64`.
        folder: Absolute path.
        foreign: It is for another machine than this one, and cannot be tried here.

    Raises:
        NotFound: there is none for the platform.
        PolicyError: it is of another version than the admin console.
    """
    plugin = next((one for one in carried if one.platform == platform), None)
    if plugin is None:
        known = ", ".join(one.platform for one in carried) or "none"
        raise NotFound(
            f"no {PROGRAM} for {platform} among the sources; they have it for: {known}",
            hint="name the platform in kots.platforms of the bundle's spec, or give --platform",
        )
    _check(plugin)
    path = f"{folder}/{PROGRAM}"
    change = InstallPlugin(archive=plugin.archive, digest=plugin.digest)
    what = f"{PROGRAM} {with_v(plugin.version)}" if plugin.version else PROGRAM
    steps = [
        Step(
            name="install-plugin",
            why=f"Put {what} for {platform} there; the version before is there until it is whole.",
            action=Edit(path=path, change=change),
            undo=f"delete {path}; one of before has to be installed again from where it came",
        )
    ]
    if not foreign:
        steps.append(
            Step(
                name="try-plugin",
                why="See that it runs on this machine.",
                action=Run(command=Command(argv=(path, "version", "--output=json"))),
            )
        )
    return Plan(title=f"install {PROGRAM} to {folder}", steps=tuple(steps), notes=_notes(plugin))


def _check(plugin: CarriedPlugin) -> None:
    if plugin.version and plugin.console and with_v(plugin.version) != plugin.console:
        raise PolicyError(
            f"{plugin.archive} is {PROGRAM} {with_v(plugin.version)}; the admin console is "
            f"{plugin.console}, and the plugin deploys and talks to the console of its own version",
            hint="take both from one KOTS release",
        )


def _notes(plugin: CarriedPlugin) -> tuple[str, ...]:
    if plugin.version is None:
        return (f"{plugin.archive} does not say its version: kubectl kots version tells it.",)
    if plugin.console is None:
        return ("No admin console is among the sources: it has to be of the same version.",)
    return ()
