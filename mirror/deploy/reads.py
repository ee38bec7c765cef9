"""The questions that come before every plan, for the plugin and for the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mirror import kots
from mirror.deploy.model import Deployed, Order, State, Task
from mirror.kube import openshift
from mirror.kube.kubectl import get_namespace
from mirror.kube.pullsecret import OF_CONSOLE, get_pull_secrets
from mirror.operation.model import Ask, Step
from mirror.operation.wanted import (
    ConsoleIs,
    Expectation,
    IsAbsent,
    IsDeployed,
    NoConsole,
    NoNamespace,
    NoOpenShift,
    PluginIs,
    PullsAs,
    PullsFrom,
)
from mirror.site import Application, Site, by_namespace, puller_of

_NOTHING = Deployed(console=None, exists=False)


def reads(
    site: Site,
    order: Order,
    state: State,
    applications: Iterable[Application],
    expected: str | None,
) -> Iterator[Step]:
    """What a run asks before it decides; `expected` is the plugin's version, where it matters."""
    wanted = f"; it must be {expected}" if expected else ""
    yield Step(
        name="read-plugin",
        why="Ask the plugin for its version, which is the version of the admin console that it "
        f"deploys{wanted}.",
        action=Ask(
            command=kots.plugin_version(site),
            expected=(PluginIs(version=expected),) if expected else (),
        ),
    )
    if order.task is Task.INSTALL and not site.cluster.openshift:
        yield Step(
            name="read-api-groups",
            why="Ask whether the cluster is an OpenShift.",
            action=Ask(
                command=openshift.get_api_groups(site),
                expected=() if state.is_openshift else (NoOpenShift(group=openshift.GROUP),),
            ),
        )
    for namespace, members in by_namespace(applications).items():
        yield from _of_namespace(site, order, namespace, members, state)
    if state.is_openshift:
        yield Step(
            name="read-oc",
            why="Ask whether oc is there, which is how service accounts get more rights.",
            action=Ask(command=openshift.get_oc_version(site)),
        )


def _of_namespace(
    site: Site, order: Order, namespace: str, members: Sequence[Application], state: State
) -> Iterator[Step]:
    deployed = state.namespaces.get(namespace, _NOTHING)
    yield Step(
        name="read-console",
        why="Ask the cluster which admin console runs, and which registry it pulls from.",
        action=Ask(
            command=kots.get_console(site, namespace),
            expected=tuple(_console(site, order, deployed)),
        ),
    )
    if deployed.console is None:
        if state.is_openshift:
            yield Step(
                name="read-namespace",
                why=f"Ask whether the namespace {namespace} is there.",
                action=Ask(
                    command=get_namespace(site, namespace),
                    expected=() if deployed.exists else (NoNamespace(namespace=namespace),),
                ),
            )
        return
    if state.knows_puller:
        yield Step(
            name="read-pull-secrets",
            why="Ask for the cluster's pull secrets, to compare their user and password with those "
            "of the site file. The answer holds the password, encoded and not encrypted: let "
            "nobody see it.",
            action=Ask(
                command=get_pull_secrets(site, namespace, (one.slug for one in members)),
                expected=() if deployed.outdated else tuple(_puller(site)),
            ),
        )
    absent = (IsAbsent(slug=one.slug) for one in members if one.slug not in deployed.applications)
    yield Step(
        name="read-applications",
        why="Ask the console which applications it has.",
        action=Ask(
            command=kots.get_apps(site, namespace),
            expected=tuple(absent) if order.task is Task.INSTALL else (),
        ),
    )
    for application in members:
        installed = deployed.applications.get(application.slug)
        if installed is not None:
            goal = IsDeployed(slug=application.slug, version=installed.label)
            if order.take_from == application.slug:
                yield _read_config(site, application)
            yield Step(
                name=f"read-{application.slug}",
                why=f"Ask which release of {application.slug} is deployed.",
                action=Ask(
                    command=kots.get_versions(site, application),
                    expected=(goal,) if installed.label else (),
                ),
            )


def _read_config(site: Site, application: Application) -> Step:
    return Step(
        name=f"read-config-{application.slug}",
        why=f"Ask for the answers of {application.slug}, to compare them with those of the site "
        "file; passwords among them are encrypted.",
        action=Ask(command=kots.get_config(site, application)),
    )


def _puller(site: Site) -> Iterator[PullsAs]:
    login = puller_of(site.registry)
    if login:
        host = site.registry.endpoint.registry
        user, password = login.username, login.password
        yield PullsAs(secret=OF_CONSOLE, host=host, username=user, password=password)


def _console(site: Site, order: Order, deployed: Deployed) -> Iterator[Expectation]:
    console = deployed.console
    if console is None:
        yield NoConsole()
        return
    if console.version:
        yield ConsoleIs(version=console.version)
    if not order.connected:
        yield PullsFrom(registry=console.registry or str(site.registry.endpoint))
