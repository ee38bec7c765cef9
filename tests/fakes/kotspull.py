"""What KOTS pulls, worked out as KOTS does it: by strings, from the flags of its commands.

Source: KOTS cmd/kots/cli/install.go (getRegistryConfig), pkg/image/image.go (DestImage) and
pkg/kotsadm/version/kotsadm_version.go (KotsadmRegistry). Nothing of ours is used.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RegistryFlags:
    """`--kotsadm-registry` and `--kotsadm-namespace`, as they are given."""

    registry: str
    namespace: str = ""

    def split(self) -> tuple[str, str]:
        """Host and namespace: the registry is split only where no namespace is given."""
        if self.namespace:
            return self.registry, self.namespace
        host, _, rest = self.registry.partition("/")
        return host, rest

    def application(self, image: str) -> str:
        """Where a pod of an application pulls an image from."""
        return destination(*self.split(), image)

    def console(self, image: str) -> str:
        """Where the console pulls an image of its own from: plain concatenation."""
        host, namespace = self.split()
        return f"{host}/{namespace}/{_last(image)}" if namespace else f"{host}/{_last(image)}"


def pushed_by_kots(argument: str, image: str) -> str:
    """Where `admin-console push-images ARCHIVE ARGUMENT` puts an image."""
    host, _, namespace = argument.partition("/")
    return destination(host, namespace, image)


def destination(host: str, namespace: str, image: str) -> str:
    """The last component of an image's name below host and namespace, the digest before the tag."""
    return "/".join(part.strip("/") for part in (host, namespace, _last(image)) if part)


def _last(image: str) -> str:
    name, at, digest = image.rpartition("/")[2].partition("@")
    if at:
        return f"{name.partition(':')[0]}@{digest}"
    return name if ":" in name else f"{name}:latest"
