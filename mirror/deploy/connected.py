"""Installs and upgrades where the vendor is reached: KOTS fetches what it needs itself."""

from __future__ import annotations

from collections.abc import Sequence

from mirror import kots
from mirror.deploy import undoing
from mirror.deploy.accounts import allow_accounts
from mirror.deploy.arrival import see_arrive, see_ready
from mirror.deploy.backup import backup
from mirror.deploy.draft import Draft
from mirror.deploy.installs import check_password, migrate, undeployed
from mirror.deploy.model import Order, State, Task
from mirror.deploy.takeover import take_over
from mirror.kots import connected
from mirror.operation.model import Await, Judge, Plan, Run, Step
from mirror.operation.wanted import ConsoleIs
from mirror.site import Application, Site, by_namespace
from transfer.errors import PolicyError
from transfer.kots.licence import Licence
from transfer.kots.version import is_older

_STABLE = "stable"
"""The channel that KOTS takes where none is named."""


def plan_connected(
    site: Site, order: Order, state: State, applications: Sequence[Application]
) -> Plan:
    """Every step of an order at a site that reaches the vendor.

    Harness guide, "Option 2: Connected installation", and "Connected" below "Updating Harness
    FirstGen" and "Updating Harness NextGen".

    Raises:
        InvalidInput: the site file lacks something.
        PolicyError: there is nothing to upgrade, or the licence has another channel.
    """
    draft = Draft(site, order, state, None)
    if order.task is Task.INSTALL:
        for application in applications:
            _install(draft, application)
    else:
        draft.begin_with(backup(draft, applications, {}))
        for namespace in by_namespace(applications):
            _upgrade_console(draft, namespace)
        for application in () if order.console_only else applications:
            _upgrade(draft, application)
    what = " and ".join(one.slug for one in applications)
    if order.console_only:
        what = "the admin console"
    seen = [*applications]
    if order.take_from and order.take_from not in {one.slug for one in seen}:
        seen.insert(0, site.application(order.take_from))
    return draft.finish(f"{order.task.value} {what} at {site.name}, connected", seen)


def _install(draft: Draft, application: Application) -> None:
    slug, namespace = application.slug, application.namespace
    installed = draft.deployed(namespace).applications.get(slug)
    if installed:
        if not installed.label:
            raise undeployed(draft.site, application)
        draft.note(f"{slug} is installed already: airgap-mirror upgrade takes it further.")
        see_ready(draft, application)
        return
    console = not draft.has_console(namespace)
    if console:
        check_password(application)
        draft.start_console(namespace)
    channel = _channel(application, draft.state.known.licences.get(slug))
    allow_accounts(draft, application)
    migrate(draft, application)
    application = take_over(draft, application)
    what = "Install the admin console, and" if console else "Add"
    draft.add(
        Step(
            name=f"install-{slug}",
            why=f"{what} the newest release of {slug}; KOTS fetches it from the vendor.",
            action=Run(
                command=connected.install(draft.site, application, channel, console=console),
                judge=Judge.INSTALL,
            ),
            undo=undoing.install(draft.site, application, console=console),
        )
    )
    see_arrive(draft, application, None)


def _channel(application: Application, licence: Licence | None) -> str | None:
    """The channel to install from; None leaves the choice to KOTS.

    Raises:
        PolicyError: the licence does not allow it.
    """
    chosen = application.channel
    allowed = list(licence.channels) if licence else []
    if not allowed:
        return chosen
    if chosen is None and (_STABLE in allowed or len(allowed) == 1):
        return _STABLE if _STABLE in allowed else allowed[0]
    if chosen not in allowed:
        raise PolicyError(
            f"{application.slug}: the licence allows {', '.join(allowed)}; the site file names "
            f"{chosen or 'none of them'}",
            hint=f"name one of them: applications.{application.slug}.channel",
        )
    return chosen


def _upgrade_console(draft: Draft, namespace: str) -> None:
    running = draft.deployed(namespace).console
    if running is None:
        raise PolicyError(
            f"no admin console runs in namespace {namespace}",
            hint="use airgap-mirror install --connected",
        )
    version = draft.state.plugin
    if draft.order.skip_console:
        return
    if version and not is_older(running.version, version):
        draft.note(
            f"The admin console in namespace {namespace} is {running.version}, and so is the "
            f"plugin or older ({version}): a newer kubectl-kots takes it further."
        )
        return
    draft.start_console(namespace)
    draft.add(
        Step(
            name="upgrade-console",
            why=f"Take the admin console to {version or 'the version of the plugin'}.",
            action=Run(command=connected.upgrade_console(draft.site, namespace)),
            undo=undoing.console(running.version),
        )
    )
    action = Await(
        command=kots.get_console(draft.site, namespace),
        goal=ConsoleIs(version=""),
        seconds=0,
        plugin=kots.plugin_version(draft.site),
    )
    why = "See that the admin console runs the version of the plugin."
    draft.add(Step(name="console-is-up", why=why, action=action))


def _upgrade(draft: Draft, application: Application) -> None:
    slug, label = application.slug, draft.order.label
    applications = draft.deployed(application.namespace).applications
    if slug not in applications:
        raise PolicyError(
            f"{slug} is not installed in namespace {application.namespace}",
            hint="use airgap-mirror install --connected",
        )
    before = applications[slug].label
    if label and label == before:
        draft.note(f"{slug} is at {label} already.")
        see_ready(draft, application)
        return
    if not label:
        draft.note(
            f"KOTS takes {slug} to the newest release of its channel at once. The vendor wants no "
            "step of more than four major releases: name each on the way with --version LABEL."
        )
    draft.add(
        Step(
            name=f"upgrade-{slug}",
            why=f"Take {slug} to {label or 'the newest release'}; KOTS fetches it from the vendor.",
            action=Run(
                command=connected.upgrade_application(draft.site, application, label),
                judge=Judge.ANSWER,
            ),
            undo=undoing.upgrade(application, label or "", before, required=False),
        )
    )
    see_arrive(draft, application, label)
