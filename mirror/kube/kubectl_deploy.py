"""What installs and upgrades do with kubectl themselves; see `mirror.kube.kubectl`."""

from __future__ import annotations

from mirror.command import Command
from mirror.kube.kubectl import kubectl
from mirror.site import Site


def create_namespace(site: Site, namespace: str) -> Command:
    """Create a namespace that is not there yet."""
    return kubectl(site, "create", "namespace", namespace)


def delete_secret(site: Site, name: str, namespace: str) -> Command:
    """Delete a secret; one that is not there is fine."""
    return kubectl(site, "delete", "secrets", name, "--ignore-not-found", namespace=namespace)
