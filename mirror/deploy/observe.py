"""The state that a run starts from: asked of the plugin and of the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mirror import kots, outcome
from mirror.deploy.assume import ANY, CONSOLE
from mirror.deploy.model import Deployed, State
from mirror.operation.hands import AskCluster
from mirror.site import Application, Site, by_namespace
from transfer.errors import PolicyError, raise_together
from transfer.kots.licence import Licence
from transfer.kots.upgrade import Installed


def observe(
    site: Site,
    applications: Iterable[Application],
    ask: AskCluster,
    stated: Mapping[str, str],
    licences: Mapping[str, Licence | None],
) -> State:
    """What runs in the namespaces of some applications.

    Args:
        site: Where to ask.
        applications: Whose namespaces to look at.
        ask: Runs a command that changes nothing.
        stated: What a person said is installed; see `assume`.
        licences: By slug.

    Raises:
        ToolError: kubectl or the plugin cannot be run, or fails.
        PolicyError: something else is installed than was stated.
    """
    command = kots.plugin_version(site)
    plugin = outcome.read_plugin_version(ask(command), command)
    found = {
        namespace: _look(site, namespace, members, ask)
        for namespace, members in by_namespace(applications).items()
    }
    _compare(stated, found)
    return State(namespaces=found, licences=licences, plugin=plugin)


def _look(
    site: Site, namespace: str, applications: Iterable[Application], ask: AskCluster
) -> Deployed:
    command = kots.get_console(site, namespace)
    console = outcome.read_console(ask(command), command)
    if console is None:
        return Deployed(console=None)
    command = kots.get_apps(site, namespace)
    labels = outcome.read_apps(ask(command), command)
    return Deployed(
        console=console,
        applications={
            application.slug: _installed(site, application, labels[application.slug], ask)
            for application in applications
            if application.slug in labels
        },
    )


def _installed(site: Site, application: Application, label: str, ask: AskCluster) -> Installed:
    command = kots.get_versions(site, application)
    for version in outcome.read_versions(ask(command), command):
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
