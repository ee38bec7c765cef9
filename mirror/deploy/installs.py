"""Installs: the admin console with the first application, the others added to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mirror import kots
from mirror.deploy import undoing
from mirror.deploy.accounts import allow_accounts
from mirror.deploy.arrival import see_arrive, see_ready
from mirror.deploy.draft import Draft
from mirror.deploy.takeover import take_over
from mirror.kube.pullsecret import OF_CONSOLE
from mirror.offer import Offered
from mirror.operation.model import Judge, Person, Run, Step
from mirror.site import Application, Login, Site
from transfer.errors import InvalidInput, PolicyError
from transfer.kots.finding import refuse
from transfer.kots.gate import version_gate
from transfer.kots.licence import choose_channel
from transfer.kots.upgrade import Installed
from transfer.kots.version import is_older

ADDS_APPLICATIONS = "v1.108.2"
"""The first KOTS with `install --exclude-admin-console`."""
UPGRADE_FIRST = "upgrade it first: airgap-mirror upgrade … --console-only"


def plan_installs(draft: Draft, releases: Mapping[Application, Sequence[Offered]]) -> None:
    """Install the newest release of every application that is not there yet.

    Raises:
        InvalidInput: nothing is to be installed, or the site file lacks something.
        PolicyError: KOTS would refuse it, or another release is there.
    """
    if not releases:
        raise InvalidInput(
            "no application among the sources",
            hint="give a bundle with an application, or the vendor's .airgap file",
        )
    for application, offers in releases.items():
        newest = offers[-1]
        version = newest.release.version_label
        installed = draft.deployed(application.namespace).applications.get(application.slug)
        if installed is None:
            _plan_install(draft, application, newest)
        elif installed.label == version:
            draft.note(f"{application.slug} {version} is deployed already.")
            see_ready(draft, application)
        else:
            raise _is_there(draft.site, application, installed, version)


def undeployed(site: Site, application: Application) -> PolicyError:
    """An application that an install left in the console, without a release."""
    remove = kots.remove(site, application).shell_line()
    slug = application.slug
    return PolicyError(
        f"{slug} is in the admin console, but no release of it is deployed",
        hint=f"finish it: airgap-mirror deploy --app {slug}; or remove it, then install again: "
        f"{remove}",
    )


def _is_there(
    site: Site, application: Application, installed: Installed, version: str
) -> PolicyError:
    if not installed.label:
        return undeployed(site, application)
    message = f"{application.slug} {installed.label} is installed; the sources have {version}"
    if is_older(version, installed.label):
        return PolicyError(message, hint="give a newer release: nothing goes back to an older one")
    return PolicyError(message, hint="use airgap-mirror upgrade; --app SLUG installs another one")


def _plan_install(draft: Draft, application: Application, offer: Offered) -> None:
    namespace, release = application.namespace, offer.release
    with_console = not draft.has_console(namespace)
    if with_console:
        _start_console(draft, application)
    else:
        _check_running_console(draft, namespace)
    console = draft.console_version(namespace)
    refuse("", filter(None, [version_gate(application.slug, release, console, install=True)]))
    licence = draft.state.known.licences.get(application.slug)
    channel = application.channel
    if licence:
        channel = choose_channel(licence, application.slug, release, channel)
    handover = draft.hand_over(offer, application, channel)
    allow_accounts(draft, application)
    migrate(draft, application)
    application = take_over(draft, application)
    minio = draft.minio(namespace)
    command = kots.install(draft.site, application, handover, minio=minio, console=with_console)
    what = f"{application.slug} {release.version_label}"
    why = (
        f"Install the admin console {draft.console_version(namespace)}, and {what} with it."
        if with_console
        else f"Add {what} to the admin console, which is left as it is."
    )
    why = f"{why} {draft.images_come(handover)}"
    action = Run(command=command, judge=Judge.INSTALL, handed=handover.archive)
    undo = undoing.install(draft.site, application, console=with_console)
    draft.add(Step(name=f"install-{application.slug}", why=why, action=action, undo=undo))
    if handover.push:
        draft.check_pushed(offer)
    see_arrive(draft, application, release.version_label)
    _install_notes(draft, application, with_console=with_console)


def migrate(draft: Draft, application: Application) -> None:
    """Before whatever comes after the first application, its data has to be there.

    Harness guide, "Legacy FirstGen not using KOTS".
    """
    before = [one for one in draft.site.applications if draft.runs(one) and one != application]
    if not draft.order.legacy or not before or not draft.is_first("legacy"):
        return
    first = before[0]
    draft.add(
        Step(
            name="migrate-data",
            why=f"Move the data of the old installation to {first.slug}, before "
            f"{application.slug} is added.",
            action=Person(
                instructions=f"Run the script that Harness Support gave you for this migration. It "
                f"reads the old installation and writes to {first.slug} in namespace "
                f"{first.namespace}; the pods there have to be running.\n\nSign in to "
                f"{first.slug} then, and see that accounts, applications and deployments of the "
                "old installation are there. Keep the old one until that is so."
            ),
            undo="the old installation is as it was: go back to it, and install anew",
            recorded=True,
        )
    )


def _start_console(draft: Draft, application: Application) -> None:
    namespace = application.namespace
    if draft.order.skip_console:
        raise PolicyError(
            f"--skip-console: no admin console runs in namespace {namespace}",
            hint="leave --skip-console out to have one installed",
        )
    if draft.console is None:
        raise PolicyError(
            f"no admin console runs in namespace {namespace}, and none is among the sources",
            hint="give kotsadm.tar.gz, or a bundle that has it, as a source too",
        )
    check_password(application)
    draft.deploy_console(namespace, draft.console)


def check_password(application: Application) -> None:
    """Refuse an application that comes with the admin console, and has no password for it.

    Raises:
        InvalidInput: the site file names none.
    """
    if application.shared_password is None:
        raise InvalidInput(
            f"applications.{application.slug}.sharedPasswordEnv: is missing; the admin console "
            "that comes with this application needs a password",
            hint="name its source in the site file: sharedPasswordEnv or sharedPasswordFile",
        )


def _check_running_console(draft: Draft, namespace: str) -> None:
    """A second application must not change the console under the first one."""
    draft.check_registry(namespace)
    running = draft.console_version(namespace)
    carried = draft.console.release.version_label if draft.console else ""
    if is_older(running, carried):
        raise PolicyError(
            f"the admin console in namespace {namespace} is {running}; the sources have {carried}",
            hint=UPGRADE_FIRST,
        )
    if OF_CONSOLE in draft.deployed(namespace).outdated:
        raise PolicyError(
            f"the pull secret {OF_CONSOLE} in namespace {namespace} has another user or password "
            "than the site file, and what is added pulls with it",
            hint="have it made anew first: airgap-mirror upgrade … --console-only",
        )
    if is_older(running, ADDS_APPLICATIONS):
        raise PolicyError(
            f"the admin console in namespace {namespace} is {running}; KOTS adds a second "
            f"application from {ADDS_APPLICATIONS} on",
            hint=UPGRADE_FIRST,
        )


def _install_notes(draft: Draft, application: Application, *, with_console: bool) -> None:
    site = draft.site
    if draft.state.known.licences.get(application.slug) is None and not application.channel:
        draft.note(
            f"{application.license_file} was not read: the channel of {application.slug} is "
            "left out here, and KOTS takes `stable` for it. A run takes it from the licence."
        )
    registry = site.registry
    if with_console and (registry.ca_file or registry.plain_http):
        what = "plain HTTP to it" if registry.plain_http else f"the CA in {registry.ca_file}"
        draft.note(
            f"The nodes pull from {registry.endpoint.registry} themselves: their container "
            f"runtime must accept {what}."
        )
    pusher = registry.pull_credentials is None and isinstance(registry.credentials, Login)
    if with_console and pusher:
        draft.note(
            "The user of registry.credentials stays in the cluster, as its pull secret; give "
            "registry.pullCredentials to leave one there that may only read."
        )
