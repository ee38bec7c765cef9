"""Upgrades of admin consoles."""

from __future__ import annotations

from collections.abc import Sequence

from mirror import kots
from mirror.deploy import undoing
from mirror.deploy.draft import Draft
from mirror.deploy.opened import opened
from mirror.kube.kubectl_deploy import delete_secret
from mirror.kube.pullsecret import OF_CONSOLE, of_application
from mirror.operation.model import Await, Person, Run, Step
from mirror.operation.wanted import ConsoleIs
from mirror.site import Application, by_namespace
from transfer.errors import InvalidInput, PolicyError
from transfer.kots.version import is_older


def plan_console_upgrades(draft: Draft, applications: Sequence[Application]) -> None:
    """Consoles first: a newer one serves older releases, the other way round KOTS refuses.

    Harness guide, "Upgrade KOTS admin tool".

    Raises:
        InvalidInput: the console alone was asked for, and the sources have none.
        PolicyError: there is no console to upgrade, or it pulls from another registry.
    """
    for namespace, members in by_namespace(applications).items():
        running = draft.deployed(namespace).console
        if running is None:
            raise PolicyError(
                f"no admin console runs in namespace {namespace}",
                hint="use airgap-mirror install",
            )
        if draft.console is None and draft.order.console_only:
            raise InvalidInput(
                "--console-only: no admin console among the sources",
                hint="give kotsadm.tar.gz, or a bundle that has it",
            )
        _renew_settings(draft, namespace, members)
        if draft.order.skip_console:
            _leave(draft, namespace)
            continue
        _delete_pull_secret(draft, namespace)
        _plan_console(draft, namespace, running.version)


def _plan_console(draft: Draft, namespace: str, running: str) -> None:
    """Take it to the version of the sources, or deploy it again where its pull secret is gone."""
    again = OF_CONSOLE in draft.deployed(namespace).outdated
    offered = draft.console.release.version_label if draft.console else running
    if draft.console and not (running == offered or is_older(offered, running)):
        draft.deploy_console(namespace, draft.console)
        since = f"from {running} " if running else ""
        _deploy(
            draft,
            namespace,
            offered,
            f"Take the admin console {since}to {offered}, before the applications that may need "
            "it.",
            undoing.console(running),
        )
        return
    if offered != running:
        draft.note(
            f"The admin console in namespace {namespace} stays at {running}; "
            f"the sources have {offered}."
        )
    elif draft.console:
        draft.note(f"The admin console in namespace {namespace} is at {running} already.")
    if again:
        draft.check_registry(namespace)
        why = f"Deploy the admin console {running} again, which makes its pull secret anew."
        _deploy(draft, namespace, running, why, undoing.AGAIN)


def _deploy(draft: Draft, namespace: str, version: str, why: str, undo: str) -> None:
    command = kots.upgrade_console(draft.site, namespace, minio=draft.minio(namespace))
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


def _delete_pull_secret(draft: Draft, namespace: str) -> None:
    if OF_CONSOLE in _outdated(draft, namespace):
        draft.add(
            Step(
                name="delete-pull-secret",
                why=f"Delete the pull secret {OF_CONSOLE}, which has another user or password than "
                "the site file: KOTS never changes it, and makes it anew where it is missing.",
                action=Run(command=delete_secret(draft.site, OF_CONSOLE, namespace)),
                undo="the next step makes it again, with the user of the site file",
            )
        )


def _renew_settings(draft: Draft, namespace: str, members: Sequence[Application]) -> None:
    """What the console keeps of the registry for an application, only its pages can change."""
    old = [one.slug for one in members if of_application(one.slug) in _outdated(draft, namespace)]
    if not old:
        return
    registry = draft.site.registry.endpoint
    draft.add(
        Step(
            name="registry-settings",
            why=f"Tell the admin console the new user of the registry for {' and '.join(old)}.",
            action=Person(
                instructions="The pull secrets of these applications are made from settings that "
                f"the admin console keeps.\n\n{opened(draft.site, namespace)}\n\n"
                f"For {' and for '.join(old)}: Registry settings, the user and password that "
                f"may pull from {registry}, tick Disable Pushing Images, save; then Version "
                "history, and deploy the version that this made."
            ),
            recorded=True,
        )
    )


def _outdated(draft: Draft, namespace: str) -> frozenset[str]:
    return draft.deployed(namespace).outdated


def _leave(draft: Draft, namespace: str) -> None:
    if OF_CONSOLE in _outdated(draft, namespace):
        draft.note(
            f"The pull secret {OF_CONSOLE} in namespace {namespace} has another user or password "
            "than the site file; leave --skip-console out to have it made anew."
        )
