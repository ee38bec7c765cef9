"""The state that a run starts from: asked of the plugin and of the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mirror import kots
from mirror.deploy.assume import ANY, CONSOLE
from mirror.deploy.model import Deployed, Known, Order, State, Task
from mirror.deploy.status import waiting
from mirror.kots import outcome
from mirror.kots.outcome import Version
from mirror.kube import openshift
from mirror.kube.kubectl import get_namespace
from mirror.kube.pullsecret import Puller, get_pull_secrets, outdated
from mirror.operation.hands import AskCluster
from mirror.site import Application, Site, by_namespace
from transfer.errors import PolicyError, ToolError, raise_together
from transfer.kots.upgrade import Installed
from transfer.kots.values import ConfigValues


def observe(
    site: Site, applications: Iterable[Application], known: Known, ask: AskCluster
) -> State:
    """What runs in the namespaces of some applications.

    Args:
        site: Where to ask.
        applications: Whose namespaces to look at.
        known: What is known without asking.
        ask: Runs a command that changes nothing.

    Raises:
        ToolError: kubectl or the plugin cannot be run, or fails.
        PolicyError: something else is installed than was stated.
    """
    command = kots.plugin_version(site)
    plugin = outcome.read_plugin_version(ask(command), command)
    is_openshift = known.order.task is Task.INSTALL and _is_openshift(site, ask)
    found = {
        namespace: _look(site, namespace, members, known.puller, ask)
        for namespace, members in by_namespace(applications).items()
    }
    _compare(known.stated, found)
    if is_openshift:
        found = {
            namespace: replace(deployed, exists=_exists(site, namespace, deployed, ask))
            for namespace, deployed in found.items()
        }
    return State(
        namespaces=found,
        known=known,
        running=_answers(site, known.order, found, ask),
        plugin=plugin,
        is_openshift=is_openshift,
        knows_puller=known.puller is not None,
        has_oc=not is_openshift or _has_oc(site, ask),
    )


def _is_openshift(site: Site, ask: AskCluster) -> bool:
    if site.cluster.openshift:
        return True
    command = openshift.get_api_groups(site)
    return openshift.is_openshift(ask(command), command)


def _exists(site: Site, namespace: str, deployed: Deployed, ask: AskCluster) -> bool:
    if deployed.console:
        return True
    command = get_namespace(site, namespace)
    finished = ask(command)
    outcome.check(finished, command)
    return bool(finished.stdout)


def _answers(
    site: Site, order: Order, found: Mapping[str, Deployed], ask: AskCluster
) -> ConfigValues | None:
    """The answers to be taken over; passwords among them are encrypted."""
    if order.take_from is None:
        return None
    application = site.application(order.take_from)
    deployed = found.get(application.namespace)
    if deployed is None or application.slug not in deployed.applications:
        return None
    command = kots.get_config(site, application)
    finished = ask(command)
    outcome.check(replace(finished, stdout=()), command)  # no answer is ever repeated
    return ConfigValues.parse("\n".join(finished.stdout), str(command))


def _has_oc(site: Site, ask: AskCluster) -> bool:
    """Whether `oc` can be started; without it, the same is done by hand."""
    try:
        return ask(openshift.get_oc_version(site)).exit_code == 0
    except ToolError:
        return False


def _look(
    site: Site,
    namespace: str,
    applications: Iterable[Application],
    puller: Puller | None,
    ask: AskCluster,
) -> Deployed:
    command = kots.get_console(site, namespace)
    console = outcome.read_console(ask(command), command)
    if console is None:
        return Deployed(console=None)
    login = _outdated(site, namespace, applications, puller, ask)
    command = kots.get_apps(site, namespace)
    answer = ask(command)
    labels = outcome.read_apps(answer, command)
    states = outcome.read_app_states(answer, command)
    versions = {one.slug: _versions(site, one, ask) for one in applications if one.slug in labels}
    return Deployed(
        console=console,
        outdated=login,
        known=tuple(labels),
        waiting={slug: waiting(found) for slug, found in versions.items()},
        applications={slug: _installed(labels[slug], found) for slug, found in versions.items()},
        unready=frozenset(slug for slug, state in states.items() if state != "ready"),
    )


def _versions(site: Site, application: Application, ask: AskCluster) -> tuple[Version, ...]:
    command = kots.get_versions(site, application)
    return outcome.read_versions(ask(command), command)


def _outdated(
    site: Site,
    namespace: str,
    applications: Iterable[Application],
    puller: Puller | None,
    ask: AskCluster,
) -> frozenset[str]:
    if puller is None:
        return frozenset()
    command = get_pull_secrets(site, namespace, (one.slug for one in applications))
    return outdated(ask(command), command, puller)


def _installed(label: str, versions: Iterable[Version]) -> Installed:
    for version in versions:
        if label and version.label == label:
            return Installed(label=label, cursor=version.cursor, channel_id=version.channel_id)
    return Installed(label=label)


def _compare(stated: Mapping[str, str], found: Mapping[str, Deployed]) -> None:
    faults = []
    for namespace, deployed in found.items():
        runs = {slug: installed.label for slug, installed in deployed.applications.items()}
        if deployed.console:
            runs[CONSOLE] = deployed.console.version
        for name, version in runs.items():
            expected = stated.get(name, version if name == CONSOLE else stated.get(ANY, version))
            if expected != version:
                faults.append(
                    PolicyError(
                        f"{name} in namespace {namespace}: --from says {expected}, "
                        f"the cluster has {version or 'none deployed'}"
                    )
                )
    raise_together(
        PolicyError,
        "the cluster does not run what --from says",
        faults,
        hint="leave --from out: a run reads the installed versions itself",
    )
