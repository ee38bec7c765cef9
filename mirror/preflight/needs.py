"""What the answers to the questions of a preflight have to be, as far as files tell.

A script judges by it what a shell can see for sure; the rest is for whoever reads the answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mirror.config.advice import NODE_PORTS
from mirror.config.settings import NODE_PORT, Settings
from mirror.kots import PLUGIN_ON_PATH, Engine
from mirror.kots.outcome import with_v
from mirror.kube.pullsecret import OF_CONSOLE
from mirror.operation.reading import Need, Sight
from mirror.preflight import access, capacity, ports, rights, storage, versions
from mirror.preflight.model import Case, Member
from mirror.secret import SecretSource
from mirror.site import Application, Login, Rbac, puller_of
from transfer.errors import TransferError
from transfer.text import counted, human_bytes

_NEWER_KUBECTL = "install a kubectl of the cluster's version"


def settings_of(member: Member) -> Settings | None:
    """What a site answers; None where it cannot be read, which the plan says."""
    try:
        return member.settings()
    except TransferError:
        return None


def of_plugin(case: Case) -> Iterator[Need]:
    """The version of the console that is carried."""
    if case.console:
        yield Need(
            words=f"kubectl-kots is {case.console}, as the admin console carried",
            sight=Sight.PLUGIN_IS,
            arguments=(with_v(case.console),),
            hint=PLUGIN_ON_PATH,
        )


def of_versions() -> Iterator[Need]:
    """Of kubectl and the cluster, together."""
    since, (oldest, newest) = versions.PLUGINS_SINCE, versions.LISTED
    yield Need(
        words=f"kubectl is {since} or newer",
        sight=Sight.KUBECTL_SINCE,
        arguments=(since,),
        hint=_NEWER_KUBECTL,
    )
    yield Need(
        words="kubectl is within one minor version of the cluster",
        sight=Sight.KUBECTL_NEAR,
        hint=_NEWER_KUBECTL,
        warns=True,
    )
    yield Need(
        words=f"the cluster is {oldest} to {newest}, as the vendor's list of platforms says",
        sight=Sight.CLUSTER_WITHIN,
        arguments=(oldest, newest),
        hint="ask the vendor whether your release runs on it; the vendor's own preflight warns "
        f"below {versions.GUIDE_SINCE}.0",
        warns=True,
    )


EVERYTHING = Need(
    words="everything may be done, which KOTS wants to see before it installs",
    sight=Sight.MAY_DO_EVERYTHING,
    hint=rights.ASK,
    warns=True,
)


def of_rights(case: Case, namespace: str) -> Need:
    """The least role, where not everything is allowed."""
    resources = defaultdict(list)
    for resource, verbs in rights.MINIMUM.items():
        resources[verbs].append(resource)
    installed = " and ".join(member.slug for member in case.members) or "everything"
    least = "; ".join(
        f"{', '.join(names)}: {', '.join(verbs)}" for verbs, names in resources.items()
    )
    more = f"{installed} need not be installed, for which KOTS wants more, and "
    return Need(
        words=f"{more if case.site.cluster.rbac is Rbac.CLUSTER else ''}in namespace {namespace} "
        f"all of this is allowed: {least}",
        hint=rights.ASK,
    )


def is_active(namespace: str) -> Need:
    """A namespace, as far as it is there."""
    return Need(
        words=f"namespace {namespace} is Active",
        sight=Sight.IS_ACTIVE,
        arguments=(namespace,),
        hint="wait until it is gone, or find out what holds it: kubectl get namespace",
    )


def may_create(case: Case) -> Need:
    """Where one is not."""
    names = " ".join(case.namespaces)
    return Need(
        words="namespaces may be created",
        sight=Sight.SAYS_YES,
        hint=f"let somebody create it: kubectl create namespace {names}",
    )


def of_nodes(case: Case) -> Iterator[Need]:
    """That there are some, and how large."""
    yield Need(
        words="some nodes take pods: ready, not cordoned, without a taint that keeps pods off",
        hint="see kubectl get nodes",
    )
    if capacity.wants_large_nodes(case):
        yield Need(words=f"these have {capacity.NODE_SIZE} each", hint="use larger machines")


def of_pods(case: Case) -> Iterator[Need]:
    """What nodes have for pods, less what others have reserved."""
    own = " and ".join(case.namespaces)
    kinds = {"CPU": capacity.cpu_needed(case), "memory": capacity.memory_needed(case)}
    for kind, needed in kinds.items():
        if needed:
            yield Need(
                words=f"of the {kind} that these nodes have for pods, what pods outside of {own} "
                f"have reserved leaves {needed}",
                hint="add nodes, or larger ones",
            )
        else:
            yield Need(words=f"there is enough {kind}", hint=capacity.STATE_IT, warns=True)


def of_storage_classes(case: Case) -> Iterator[Need]:
    """The class that each configuration names, and how much is behind it."""
    for member in case.members:
        settings = settings_of(member)
        if settings and settings.storage_class:
            name = settings.storage_class
            yield Need(
                words=f"StorageClass {name}, which the values of {member.slug} name, is there",
                sight=Sight.HAS_CLASS,
                arguments=(name,),
                hint=f"create it, or name one that is there in the values of {member.slug}",
            )
        else:
            yield Need(
                words=f"for {member.slug}, whose values name none, a StorageClass is the default "
                f"one, or is named {storage.UNNAMED}",
                sight=Sight.HAS_DEFAULT_CLASS,
                arguments=(storage.UNNAMED,),
                hint="name one in the configuration values, or annotate one as the default",
            )
    if needed := capacity.storage_needed(case):
        yield Need(
            words=f"the storage behind it has {needed}",
            hint="ask whoever runs the storage",
            warns=True,
        )


def of_node_ports(case: Case) -> Iterator[Need]:
    """Those that Harness takes."""
    for member in case.members:
        settings = settings_of(member)
        if settings is None:
            continue
        if settings.node_port is not None:
            yield _free(case, member, settings.node_port or str(NODE_PORT), warns=False)
        if settings.is_in_guide:
            used = {ports.GRPC_PORT: settings.uses_grpc_port, ports.MINIO_PORT: settings.uses_minio}
            for port, is_used in used.items():
                yield _free(case, member, str(port), warns=not is_used)


def _free(case: Case, member: Member, port: str, *, warns: bool) -> Need:
    if not port.isdecimal() or int(port) not in NODE_PORTS:
        return Need(
            words=f"NodePort of {member.slug} is {NODE_PORTS.start} to {NODE_PORTS.stop - 1}; its "
            f"values say {port}",
            hint="correct NodePort in the configuration values",
        )
    return Need(
        words=f"node port {port} is free for {member.slug}",
        sight=Sight.PORT_IS_FREE,
        arguments=(port, *case.namespaces),
        hint="choose another in the configuration values and the load balancer, or free it",
        warns=warns,
    )


def of_pull_secrets(case: Case) -> Iterator[Need]:
    """Those that are there hold the login that the site file names now."""
    login = puller_of(case.site.registry)
    if login:
        host = case.site.registry.endpoint.registry
        yield Need(
            words="the pull secrets have the user and the password of the site file",
            sight=Sight.PULLS_AS,
            arguments=(OF_CONSOLE, host, login.username, login.password),
            hint="an upgrade says what is then done by hand",
            warns=True,
        )


def of_way(member: Member) -> Need:
    """That the releases lead on from what is there."""
    steps = ", then ".join(release.version_label for release in member.releases)
    return Need(
        words=f"what is deployed of {member.slug} leads to what is carried, {steps}: no release "
        "that they require is left out, nor more than four major ones",
        hint="airgap-mirror upgrade --dry-run says what is missing",
    )


OC = Need(
    words="oc can be started",
    sight=Sight.ENDED_WELL,
    hint="without it, kubectl does the same, and a person where it cannot",
    warns=True,
)


def of_files(case: Case) -> Iterator[Need]:
    """Everything that an install is given; what runs already needs it no more."""
    if case.site.cluster.kubeconfig:
        yield _readable(case.site.cluster.kubeconfig)
    logins = (case.site.registry.credentials, case.site.registry.pull_credentials)
    for login in logins:
        if isinstance(login, Login):
            values = (login.username, login.password)
            yield from (_set(one) for one in values if not isinstance(one, str))
    for member in case.members:
        one = member.application
        yield _readable(one.license_file, one)
        yield from (_readable(one.config_values, one),) if one.config_values else ()
        yield from (_set(one.shared_password, one),) if one.shared_password else ()


def _readable(path: str, application: Application | None = None) -> Need:
    return Need(
        words=f"{path} can be read",
        sight=Sight.IS_READABLE,
        arguments=(path, *([application.slug] if application else [])),
        hint="put it there",
    )


def _set(source: SecretSource, application: Application | None = None) -> Need:
    return Need(
        words=f"{source} has a value",
        sight=Sight.IS_SET,
        arguments=(source, *([application.slug] if application else [])),
        hint="set it, or put it there",
    )


ENTRY = Need(
    words="it answers with 200, and with a certificate that nodes accept",
    hint="correct the address, the certificate, the user or the password",
)
UPLOADS = Need(
    words="each upload is accepted, with 202",
    hint="create the project or repository there, or give the user of credentials the right",
)
READS = Need(
    words="each answers with 200, or with 404 where nothing was pushed yet",
    hint="give the right to the user of pullCredentials",
)
PORT = Need(
    words=f"nothing listens on port {ports.CONSOLE_PORT} of this machine",
    hint="end what listens there, or open the console with another --port",
    warns=True,
)


def of_images(case: Case) -> Need:
    """All of them, unless KOTS pushes them."""
    plan = case.images.given
    count = (
        "" if isinstance(plan, TransferError) else f" of {counted(len(plan.relocations), 'image')}"
    )
    return Need(
        words=f"the registry has each{count} that airgap-mirror plan lists for the same sources, "
        "by digest, with everything below it",
        hint=access.PUSH_FIRST,
        warns=case.engine is Engine.KOTS,
    )


def of_hosts(case: Case) -> tuple[Need, ...]:
    """The names that users enter lead to the load balancer."""
    found = (settings_of(member) for member in case.members)
    leads = {(one.host, one.balancer): None for one in found if one and one.host in case.hosts}
    return tuple(
        Need(
            words=f"{host} leads to the load balancer{f', {balancer}' if balancer else ''}",
            hint="correct the DNS entry, or External Loadbalancer in the configuration values",
        )
        for host, balancer in leads
    )


def of_space(case: Case) -> Need:
    """For archives that are put together, and the largest once more, unpacked."""
    sizes = [offer.record.size for offer in case.offers]
    needed = human_bytes(sum(sizes) + max(sizes, default=0))
    return Need(
        words=f"{case.unpacked_in} has {needed} free, or less where not all is put together",
        hint="make room there, or choose another folder: --work-dir",
    )
