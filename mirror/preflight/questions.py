"""What a preflight asks, and whom: known before anybody is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mirror import kots
from mirror.command import Command
from mirror.kube import kubectl, openshift
from mirror.kube.pullsecret import get_pull_secrets
from mirror.preflight.model import Case
from mirror.preflight.ports import CONSOLE_PORT
from mirror.site import DockerConfig, by_namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to ask."""

    name: str
    why: str
    """What is asked, for a person."""
    checks: tuple[str, ...]
    """Those that need the answer; if all of them are skipped, nobody is asked."""
    commands: tuple[Command, ...] = ()
    lines: tuple[str, ...] = ()
    """What is asked without a command: requests and the like."""

    def is_wanted(self, skipped: Collection[str]) -> bool:
        """Whether some check needs the answer."""
        return not set(self.checks) <= set(skipped)


def questions(case: Case) -> tuple[Question, ...]:
    """Everything that is asked, in this order; some of it only if an answer before asks for it."""
    return (*_of_registry(case), *_of_cluster(case), *_of_console(case), *_of_machine(case))


def _of_registry(case: Case) -> Iterator[Question]:
    registry = case.site.registry
    scheme = "http" if registry.plain_http else "https"
    base = f"{scheme}://{registry.endpoint.registry}/v2/"
    pusher = "docker's files" if isinstance(registry.credentials, DockerConfig) else "credentials"
    who = f"with registry.{pusher}" if registry.credentials else "without a password"
    puller = "with registry.pullCredentials" if registry.pull_credentials else who
    paths = case.repositories
    yield Question(
        name="registry",
        why="does the registry let us in?",
        checks=("registry", "push", "images"),
        lines=(f"GET {base} {who}",),
    )
    yield Question(
        name="push",
        why="does it take an upload in every repository? Each is begun and cancelled",
        checks=("push",),
        lines=tuple(f"POST {base}{path}/blobs/uploads/, then DELETE of it" for path in paths),
    )
    yield Question(
        name="images",
        why="does it hold every image, down to each blob?",
        checks=("images",),
        lines=(f"HEAD and GET {base}…/manifests/…, HEAD {base}…/blobs/… of each image",),
    )
    yield Question(
        name="pull",
        why="may every repository be read by whom the cluster pulls as?",
        checks=("pull",),
        lines=(
            f"GET {base} {puller}",
            f"HEAD {base}…/manifests/… of one image in each repository",
        ),
    )


def _of_cluster(case: Case) -> Iterator[Question]:
    site = case.site
    yield Question(
        name="plugin",
        why="of which version is kubectl-kots?",
        checks=("plugin", "plan"),
        commands=(kots.plugin_version(site),),
    )
    yield Question(
        name="versions",
        why="of which versions are kubectl and the cluster?",
        checks=("kubectl", "cluster"),
        commands=(kubectl.get_versions(site),),
    )
    yield Question(
        name="rights",
        why="may we do everything; if not, what?",
        checks=("rights",),
        commands=(
            kubectl.may_do_everything(site),
            *(kubectl.list_rights(site, name) for name in case.namespaces),
        ),
    )
    yield Question(
        name="namespaces",
        why="are the namespaces there; if not, may they be created?",
        checks=("namespace",),
        commands=(
            *(kubectl.get_namespace(site, name) for name in case.namespaces),
            kubectl.may_create_namespaces(site),
        ),
    )
    yield Question(
        name="nodes",
        why="how many nodes are there, and how large are they?",
        checks=("nodes", "cpu", "memory"),
        commands=(kubectl.get_nodes(site),),
    )
    yield Question(
        name="pods",
        why="what have other pods reserved of the nodes?",
        checks=("cpu", "memory"),
        commands=(kubectl.list_pods(site),),
    )
    yield Question(
        name="storage-classes",
        why="which StorageClasses are there?",
        checks=("storage-class",),
        commands=(kubectl.get_storage_classes(site),),
    )
    yield Question(
        name="node-ports",
        why="which node ports are taken?",
        checks=("node-port", "ports"),
        commands=(kubectl.get_services(site),),
    )


def _of_console(case: Case) -> Iterator[Question]:
    site = case.site
    applications = tuple(member.application for member in case.members) or site.applications
    asked = [openshift.get_api_groups(site)]
    for namespace, members in by_namespace(applications).items():
        secrets = get_pull_secrets(site, namespace, (one.slug for one in members))
        asked += [kots.get_console(site, namespace), secrets, kots.get_apps(site, namespace)]
        asked += [kots.get_versions(site, application) for application in members]
    yield Question(
        name="installed",
        why="is it an OpenShift; does an admin console run; with which pull secrets and releases?",
        checks=("plan", "rights", "config", "licence", "files", "space"),
        commands=(*asked, openshift.get_oc_version(site)),
    )


def _of_machine(case: Case) -> Iterator[Question]:
    site = case.site
    files = [one.license_file for one in site.applications]
    files += [one.config_values for one in site.applications if one.config_values]
    files += [site.cluster.kubeconfig] if site.cluster.kubeconfig else []
    yield Question(
        name="files",
        why="can every file and secret be read that the site file names?",
        checks=("files",),
        lines=tuple(f"open {path}" for path in files),
    )
    yield Question(
        name="console-port",
        why="does something listen here on the port of the admin console?",
        checks=("console-port",),
        lines=(f"bind 127.0.0.1:{CONSOLE_PORT}",),
    )
    yield Question(
        name="addresses",
        why="what do the names of hosts resolve to?",
        checks=("dns",),
        lines=tuple(f"look up {host}" for host in case.hosts),
    )
    if case.unpacked_in:
        yield Question(
            name="space",
            why="how much room is there for archives?",
            checks=("space",),
            lines=(f"free bytes of {case.unpacked_in}",),
        )
