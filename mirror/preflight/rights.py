"""Whether the user of the kubeconfig may do what KOTS does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mirror.kube.cluster import Rights
from mirror.preflight.finding import Found, failed, passed, warned
from mirror.preflight.model import Seen, Way
from mirror.site import Rbac

_ALL = ("get", "list", "watch", "create", "update", "patch", "delete")
_READ_AND_MAKE = ("get", "list", "watch", "create")

MINIMUM: Mapping[str, tuple[str, ...]] = {
    "configmaps": _ALL,
    "persistentvolumeclaims": _ALL,
    "pods": _ALL,
    "secrets": _ALL,
    "services": _ALL,
    "limitranges": _ALL,
    "daemonsets.apps": _ALL,
    "deployments.apps": _ALL,
    "statefulsets.apps": _ALL,
    "jobs.batch": _ALL,
    "cronjobs.batch": _ALL,
    "ingresses.networking.k8s.io": _ALL,
    "namespaces": ("get",),
    "endpoints": ("get",),
    "serviceaccounts": ("get",),
    "roles.rbac.authorization.k8s.io": ("get",),
    "rolebindings.rbac.authorization.k8s.io": ("get",),
    "selfsubjectaccessreviews.authorization.k8s.io": ("create",),
    "selfsubjectrulesreviews.authorization.k8s.io": ("create",),
    "pods/log": _READ_AND_MAKE,
    "pods/exec": _READ_AND_MAKE,
    "pods/portforward": ("create",),  # how kubectl-kots reaches the console
    "jobs.batch/status": ("get",),
}
"""The least role in the namespace, as KOTS's vendor lists it."""

ASK = "ask whoever runs the cluster for a role binding to cluster-admin, at least for the window"


def check_namespaces(seen: Seen) -> Iterator[Found]:
    """Each namespace is there, or may be created; one that is going away is neither."""
    for name in seen.case.namespaces:
        phase = seen.cluster.namespaces[name].get()
        if phase == "Active":
            yield passed(name, "is there")
        elif phase is not None:
            hint = "wait until it is gone, or find out what holds it: kubectl get namespace"
            yield failed(name, f"is {phase}", "there, or gone", hint=hint)
        elif seen.cluster.may_create_namespaces.get():
            yield passed(name, "is not there, and may be created")
        else:
            hint = f"let somebody create it: kubectl create namespace {name}"
            yield failed(name, "is not there, and may not be created", "there", hint=hint)


def check_rights(seen: Seen) -> Iterator[Found]:
    """KOTS installs only for whoever may do everything (KOTS: cmd/kots/cli/install.go, CheckRBAC).

    So it does with an upgrade of its console, unless the site file says that its role is a small
    one, or there already. For upgrades of applications, which it does not check, the least role is
    enough.
    """
    if seen.cluster.may_do_everything.get():
        yield passed("the cluster", "everything is allowed", "* on *")
        return
    if seen.case.site.cluster.rbac is Rbac.CLUSTER and (what := " and ".join(_checked(seen))):
        needed = f"* on *: KOTS checks that before it {what}"
        hint = f"{ASK}; or have a smaller role: cluster.rbac in the site file"
        yield failed("the cluster", "not everything is allowed", needed, hint=hint)
    for name, rights in seen.cluster.rights.items():
        yield _check_least(name, rights.get())


def _checked(seen: Seen) -> Iterator[str]:
    """What KOTS does for nobody who may not do everything."""
    new = [member.slug for member in seen.members if not seen.console.has(member.slug)]
    if new:
        yield f"installs {' and '.join(new)}"
    ways = (way.given for way in seen.console.ways.values())
    stops = [stop for way in ways if isinstance(way, Way) for stop in way.stops]
    if not new and any(stop.startswith("kotsadm ") for stop in stops):
        yield "upgrades the admin console"


def _check_least(namespace: str, rights: Rights) -> Found:
    missing = {
        resource: gone
        for resource, verbs in MINIMUM.items()
        if (gone := [verb for verb in verbs if not rights.allow(verb, resource)])
    }
    needed = f"{len(MINIMUM)} resources of the least role"
    seen = f"{len(MINIMUM) - len(missing)} of {len(MINIMUM)}"
    details = [f"{resource}: {', '.join(verbs)} missing" for resource, verbs in missing.items()]
    if not missing:
        return passed(namespace, seen, needed)
    if not rights.is_complete:
        seen += ", and perhaps more: the cluster does not tell all of them"
        return warned(namespace, seen, needed, hint=ASK, details=details)
    return failed(namespace, seen, needed, hint=ASK, details=details)
