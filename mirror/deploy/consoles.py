"""Upgrades of admin consoles."""

from __future__ import annotations

from collections.abc import Sequence

from mirror import kots
from mirror.deploy import undoing
from mirror.deploy.draft import Draft
from mirror.offer import Offered
from mirror.operation.model import Await, ConsoleIs, Run, Step
from mirror.site import Application, by_namespace
from transfer.errors import InvalidInput, PolicyError
from transfer.kots.version import is_older


def plan_console_upgrades(draft: Draft, applications: Sequence[Application]) -> None:
    """Consoles first: a newer one serves older releases, the other way round KOTS refuses."""
    for namespace in by_namespace(applications):
        running = draft.deployed(namespace).console
        if running is None:
            raise PolicyError(
                f"no admin console runs in namespace {namespace}",
                hint="use airgap-mirror install",
            )
        if draft.console is None or draft.order.skip_console:
            if draft.order.console_only:
                raise InvalidInput(
                    "--console-only: no admin console among the sources",
                    hint="give kotsadm.tar.gz, or a bundle that has it",
                )
            continue
        offered = draft.console.release.version_label
        if running.version == offered or is_older(offered, running.version):
            draft.note(
                f"The admin console in namespace {namespace} stays at {running.version}; "
                f"the sources have {offered}."
            )
            continue
        _plan_console_upgrade(draft, namespace, draft.console, running.version)


def _plan_console_upgrade(draft: Draft, namespace: str, console: Offered, running: str) -> None:
    version = console.release.version_label
    draft.deploy_console(namespace, console)
    command = kots.upgrade_console(draft.site, namespace, minio=draft.minio(namespace))
    since = f"from {running} " if running else ""
    why = f"Take the admin console {since}to {version}, before the applications that may need it."
    undo = undoing.console(running)
    draft.add(Step(name="upgrade-console", why=why, action=Run(command=command), undo=undo))
    draft.add(
        Step(
            name="console-is-up",
            why=f"See that the admin console runs {version}.",
            action=Await(
                command=kots.get_console(draft.site, namespace),
                goal=ConsoleIs(version=version),
                seconds=0,
            ),
        )
    )
    draft.note(
        "KOTS never changes the cluster's pull secret kotsadm-private-registry: if the password "
        "of the registry has changed since the install, change it there first."
    )
