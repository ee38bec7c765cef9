"""What a preflight asks, and whom: known before anybody is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mirror import kots
from mirror.command import Command
from mirror.kube import kubectl, openshift
from mirror.kube.pullsecret import get_pull_secrets
from mirror.operation.reading import Check, Form, Need, Shown, Sight
from mirror.preflight import needs
from mirror.preflight.model import Case
from mirror.preflight.ports import CONSOLE_PORT
from mirror.site import Application, DockerConfig, by_namespace, puller_of


@dataclass(frozen=True, slots=True)
class Part:
    """One command, or what is asked without one."""

    check: Check
    why: str = ""
    """What is asked, where that is not all of the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to ask."""

    name: str
    why: str
    """What is asked, for a person."""
    checks: tuple[str, ...]
    """Those that need the answer; if all of them are skipped, nobody is asked."""
    parts: tuple[Part, ...]
    """How it is asked, one after the other."""

    @property
    def commands(self) -> tuple[Command, ...]:
        """What is run for it."""
        return tuple(part.check.command for part in self.parts if part.check.command)

    def is_wanted(self, skipped: Collection[str]) -> bool:
        """Whether some check needs the answer."""
        return not set(self.checks) <= set(skipped)


def questions(case: Case) -> tuple[Question, ...]:
    """Everything that is asked, in this order; some of it only if an answer before asks for it."""
    return (*_of_registry(case), *_of_cluster(case), _of_console(case), *_of_machine(case))


def _of_registry(case: Case) -> Iterator[Question]:
    registry = case.site.registry
    scheme = "http" if registry.plain_http else "https"
    base = f"{scheme}://{registry.endpoint.registry}/v2/"
    pusher = "docker's files" if isinstance(registry.credentials, DockerConfig) else "credentials"
    who = f"with registry.{pusher}" if registry.credentials else "without a password"
    puller = "with registry.pullCredentials" if registry.pull_credentials else who
    yield Question(
        name="registry",
        why="does the registry let us in?",
        checks=("registry", "push", "images"),
        parts=(Part(Check(requests=(f"GET {base} {who}",), needs=(needs.ENTRY,))),),
    )
    uploads = tuple(
        f"POST {base}{path}/blobs/uploads/, then DELETE of it" for path in case.repositories
    )
    yield Question(
        name="push",
        why="does it take an upload in every repository? Each is begun and cancelled",
        checks=("push",),
        parts=(Part(Check(requests=uploads, needs=(needs.UPLOADS,))),),
    )
    looks = (f"HEAD and GET {base}…/manifests/…, HEAD {base}…/blobs/… of each image",)
    yield Question(
        name="images",
        why="does it hold every image, down to each blob?",
        checks=("images",),
        parts=(Part(Check(requests=looks, needs=(needs.of_images(case),))),),
    )
    reads = (f"GET {base} {puller}", f"HEAD {base}…/manifests/… of one image in each repository")
    yield Question(
        name="pull",
        why="may every repository be read by whom the cluster pulls as?",
        checks=("pull",),
        parts=(Part(Check(requests=reads, needs=(needs.READS,))),),
    )


def _of_cluster(case: Case) -> Iterator[Question]:
    site = case.site
    version = kots.plugin_version(site)
    shown = Shown.NOTHING if case.console else Shown.LINES
    yield Question(
        name="plugin",
        why="of which version is kubectl-kots?",
        checks=("plugin", "plan"),
        parts=(Part(Check(command=version, shown=shown, needs=tuple(needs.of_plugin(case)))),),
    )
    versions = kubectl.get_versions(site)
    yield Question(
        name="versions",
        why="of which versions are kubectl and the cluster?",
        checks=("kubectl", "cluster"),
        parts=(
            Part(Check(command=versions, form=Form.VERSIONS, needs=tuple(needs.of_versions()))),
        ),
    )
    yield Question(
        name="rights",
        why="may we do everything; if not, what?",
        checks=("rights",),
        parts=tuple(_rights(case)),
    )
    yield Question(
        name="namespaces",
        why="are the namespaces there; if not, may they be created?",
        checks=("namespace",),
        parts=tuple(_namespaces(case)),
    )
    yield from _of_nodes(case)
    yield Question(
        name="storage-classes",
        why="which StorageClasses are there?",
        checks=("storage-class",),
        parts=(
            Part(
                Check(
                    command=kubectl.get_storage_classes(site),
                    shown=Shown.NAMES,
                    needs=tuple(needs.of_storage_classes(case)),
                )
            ),
        ),
    )
    yield Question(
        name="node-ports",
        why="which node ports are taken?",
        checks=("node-port", "ports"),
        parts=(
            Part(Check(command=kubectl.get_services(site), needs=tuple(needs.of_node_ports(case)))),
        ),
    )


def _rights(case: Case) -> Iterator[Part]:
    command = kubectl.may_do_everything(case.site)
    check = Check(command=command, form=Form.WORD, needs=(needs.EVERYTHING,))
    yield Part(check, "may we do everything?")
    for namespace in case.namespaces:
        check = Check(
            command=kubectl.list_rights(case.site, namespace),
            form=Form.LINES,
            shown=Shown.LINES,
            needs=(needs.of_rights(case, namespace),),
            only=Need(words="not everything is allowed", sight=Sight.LACKS_RIGHTS),
        )
        yield Part(check, f"what may we do in namespace {namespace}?")


def _namespaces(case: Case) -> Iterator[Part]:
    for namespace in case.namespaces:
        command = kubectl.get_namespace(case.site, namespace)
        check = Check(command=command, form=Form.MAYBE, needs=(needs.is_active(namespace),))
        yield Part(check, f"is namespace {namespace} there?")
    check = Check(
        command=kubectl.may_create_namespaces(case.site),
        form=Form.WORD,
        needs=(needs.may_create(case),),
        only=Need(words="a namespace is not there", sight=Sight.LACKS_NAMESPACE),
    )
    yield Part(check, "may namespaces be created?")


def _of_nodes(case: Case) -> Iterator[Question]:
    nodes, pods = kubectl.get_nodes(case.site), kubectl.list_pods(case.site)
    large, free = tuple(needs.of_nodes(case)), tuple(needs.of_pods(case))
    yield Question(
        name="nodes",
        why="how many nodes are there, and how large are they?",
        checks=("nodes", "cpu", "memory"),
        parts=(Part(Check(command=nodes, shown=Shown.NODES, needs=large)),),
    )
    yield Question(
        name="pods",
        why="what have other pods reserved of the nodes?",
        checks=("cpu", "memory"),
        parts=(Part(Check(command=pods, form=Form.LINES, shown=Shown.LINES, needs=free)),),
    )


def _of_console(case: Case) -> Question:
    applications = tuple(member.application for member in case.members) or case.site.applications
    parts = [
        part
        for namespace, members in by_namespace(applications).items()
        for part in _installed(case, namespace, members)
    ]
    if case.members:
        parts += _openshift(case, tuple(member.slug for member in case.members))
    return Question(
        name="installed",
        why="is it an OpenShift; does an admin console run; with which pull secrets and releases?",
        checks=("plan", "rights", "config", "licence", "files", "space"),
        parts=tuple(parts),
    )


def _installed(case: Case, namespace: str, members: Collection[Application]) -> Iterator[Part]:
    site, there = case.site, f"an admin console is in namespace {namespace}"
    console = kots.get_console(site, namespace)
    check = Check(command=console, form=Form.MAYBE, shown=Shown.CONSOLE, of=namespace)
    yield Part(check, f"does an admin console run in namespace {namespace}?")
    only = Need(words=there, sight=Sight.HAS_CONSOLE, arguments=(namespace,))
    if puller_of(site.registry):
        check = Check(
            command=get_pull_secrets(site, namespace, (one.slug for one in members)),
            form=Form.SECRET,
            needs=tuple(needs.of_pull_secrets(case)),
            only=only,
        )
        yield Part(check, f"what do the nodes pull with in namespace {namespace}?")
    command = kots.get_apps(site, namespace)
    check = Check(command=command, form=Form.LIST, shown=Shown.APPLICATIONS, only=only)
    yield Part(check, f"which applications does the console in namespace {namespace} have?")
    for one in members:
        carried = (needs.of_way(member) for member in case.members if member.application == one)
        words, sight = f"{one.slug} is installed", Sight.HAS_APPLICATION
        check = Check(
            command=kots.get_versions(site, one),
            form=Form.LIST,
            shown=Shown.VERSIONS,
            needs=tuple(carried),
            only=Need(words=words, sight=sight, arguments=(one.slug,)),
        )
        yield Part(check, f"which releases of {one.slug} are there?")


def _openshift(case: Case, slugs: tuple[str, ...]) -> Iterator[Part]:
    """Only an install wants to know."""
    words = f"{' or '.join(slugs)} is still to be installed"
    new = Need(words=words, sight=Sight.LACKS_APPLICATION, arguments=slugs)
    if not case.site.cluster.openshift:
        groups, group = openshift.get_api_groups(case.site), openshift.GROUP
        check = Check(command=groups, shown=Shown.OPENSHIFT, of=group, only=new)
        yield Part(check, "is it an OpenShift?")
        words, sight = f"{words}, on an OpenShift", Sight.NEEDS_OPENSHIFT_TOOL
        new = Need(words=words, sight=sight, arguments=slugs)
    command = openshift.get_oc_version(case.site)
    check = Check(command=command, form=Form.ANY, needs=(needs.OC,), only=new)
    yield Part(check, "can oc be started?")


def _of_machine(case: Case) -> Iterator[Question]:
    wanted = tuple(needs.of_files(case))
    yield Question(
        name="files",
        why="can every file and secret be read that the site file names?",
        checks=("files",),
        parts=(Part(Check(needs=wanted)),),
    )
    yield Question(
        name="console-port",
        why="does something listen here on the port of the admin console?",
        checks=("console-port",),
        parts=(Part(Check(requests=(f"bind 127.0.0.1:{CONSOLE_PORT}",), needs=(needs.PORT,))),),
    )
    yield Question(
        name="addresses",
        why="what do the names of hosts resolve to?",
        checks=("dns",),
        parts=(
            Part(
                Check(
                    requests=tuple(f"look up {host}" for host in case.hosts),
                    needs=needs.of_hosts(case),
                )
            ),
        ),
    )
    if case.unpacked_in:
        yield Question(
            name="space",
            why="how much room is there for archives?",
            checks=("space",),
            parts=(
                Part(
                    Check(
                        requests=(f"free bytes of {case.unpacked_in}",),
                        needs=(needs.of_space(case),),
                    )
                ),
            ),
        )
