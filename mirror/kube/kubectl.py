"""What Kubernetes is asked, as values: the one way to it is kubectl, and its answers are JSON.

`auth can-i` alone knows no JSON: it answers with a word, or with a table; and pods are asked for in
columns. The answers are read by `mirror.kube.cluster`.
"""

from __future__ import annotations

from mirror.command import Command
from mirror.site import Site

TIMEOUT = "30s"
"""How long the cluster may take to answer: without a limit, kubectl waits for ever."""


def kubectl(
    site: Site, *words: str, namespace: str | None = None, timeout: str = TIMEOUT
) -> Command:
    """A command of kubectl for the site's cluster: its words, then the flags that say where."""
    places = {
        "--kubeconfig": site.cluster.kubeconfig,
        "--context": site.cluster.context,
        "--namespace": namespace,
    }
    flags = (f"{flag}={value}" for flag, value in places.items() if value)
    return Command(argv=("kubectl", *words, *flags, f"--request-timeout={timeout}"))


def get_versions(site: Site) -> Command:
    """Ask for the versions of kubectl and of the cluster."""
    return kubectl(site, "version", "--output=json")


def get_nodes(site: Site) -> Command:
    """Ask for every node."""
    return kubectl(site, "get", "nodes", "--output=json")


def list_pods(site: Site) -> Command:
    """Ask for what the pods of all namespaces have reserved, one line each.

    Not in JSON: a pod's environment may hold passwords, and thousands of pods are long.
    """
    asked = "spec.containers[*].resources.requests"
    columns = f"metadata.namespace spec.nodeName {asked}.cpu {asked}.memory".split()
    output = ",".join(f"C{i}:.{column}" for i, column in enumerate(columns))
    ended = "status.phase!=Succeeded,status.phase!=Failed"
    words = ("get", "pods", "--all-namespaces", f"--field-selector={ended}", "--no-headers")
    return kubectl(site, *words, f"--output=custom-columns={output}")


def get_storage_classes(site: Site) -> Command:
    """Ask for every StorageClass."""
    return kubectl(site, "get", "storageclasses", "--output=json")


def get_services(site: Site) -> Command:
    """Ask for the services of all namespaces: node ports belong to the whole cluster."""
    return kubectl(site, "get", "services", "--all-namespaces", "--output=json")


def get_namespace(site: Site, namespace: str) -> Command:
    """Ask for a namespace; no answer where there is none."""
    return kubectl(site, "get", "namespaces", namespace, "--ignore-not-found", "--output=json")


def may_create_namespaces(site: Site) -> Command:
    """Ask whether a namespace may be created."""
    return kubectl(site, "auth", "can-i", "create", "namespaces")


def may_do_everything(site: Site) -> Command:
    """Ask whether everything may be done everywhere, as KOTS does before it installs."""
    return kubectl(site, "auth", "can-i", "*", "*", "--all-namespaces")


def list_rights(site: Site, namespace: str) -> Command:
    """Ask for everything that may be done in a namespace."""
    return kubectl(site, "auth", "can-i", "--list", namespace=namespace)
