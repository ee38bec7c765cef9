"""OpenShift: how it is recognised, and who has to be allowed to run as any user there.

Harness guide, "Review: OpenShift clusters": after the plugin is there, and before the install.
"""

from __future__ import annotations

from collections.abc import Mapping

from mirror.command import Command
from mirror.kots.outcome import Finished, check, reading, whole
from mirror.kube.kubectl import kubectl
from mirror.site import Application, Site
from mirror.spelling import find

POLICY = "anyuid"
"""The security context constraints with which a pod may run as the user that its image names."""
GROUP = "config.openshift.io"
"""Of the API: every OpenShift has it."""


def get_api_groups(site: Site) -> Command:
    """Ask for the groups of the cluster's API, which every user may see."""
    return kubectl(site, "get", "--raw=/apis")


def is_openshift(finished: Finished, command: Command) -> bool:
    """Whether the groups are those of an OpenShift.

    Raises:
        ToolError: there is no answer.
    """
    check(finished, command)
    with reading(finished, command):
        groups = whole(finished, command, dict)["groups"]
        return any(group["name"] == GROUP for group in groups)


def get_oc_version(_site: Site) -> Command:
    """Ask whether `oc` is there; the cluster is not asked."""
    return Command(argv=("oc", "version", "--client", "--output=json"))


def allow(site: Site, account: str, namespace: str) -> Command:
    """Let a service account run as any user; again is fine."""
    return _policy(site, "add-scc-to-user", account, namespace)


def allow_without_oc(site: Site, account: str, namespace: str) -> Command:
    """The same with kubectl: the binding that `oc` makes."""
    words = ("create", "rolebinding", f"{POLICY}-{account}")
    role = f"--clusterrole=system:openshift:scc:{POLICY}"
    who = f"--serviceaccount={namespace}:{account}"
    return kubectl(site, *words, role, who, namespace=namespace)


def forbid(site: Site, account: str, namespace: str) -> Command:
    """Take back what `allow` did."""
    return _policy(site, "remove-scc-from-user", account, namespace)


def _policy(site: Site, change: str, account: str, namespace: str) -> Command:
    flags = {
        "--serviceaccount": account,
        "--kubeconfig": site.cluster.kubeconfig,
        "--context": site.cluster.context,
        "--namespace": namespace,
    }
    words = (f"{flag}={value}" for flag, value in flags.items() if value)
    return Command(argv=("oc", "adm", "policy", change, POLICY, *words))


SERVICE_ACCOUNTS: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("harness", "harness-ng"), ("harness-serviceaccount", "harness-default", "default")
)
"""Of the vendor's applications, by their slugs, however spelled; the site file may name others."""


def accounts_of(application: Application) -> tuple[str, ...]:
    """The service accounts of an application that have to be allowed to run as any user."""
    known = find(application.slug, SERVICE_ACCOUNTS) or ("default",)
    return application.service_accounts or known
