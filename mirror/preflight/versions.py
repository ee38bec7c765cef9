"""Whether kubectl, its plugin and the cluster are of versions that go together."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.kots import PLUGIN_ON_PATH
from mirror.preflight.finding import Found, failed, passed, warned
from mirror.preflight.model import Seen
from transfer.errors import TransferError
from transfer.kots.version import is_older, numbers

PLUGINS_SINCE = "v1.12"
"""The first kubectl that starts plugins."""
GUIDE_SINCE = "v1.15"
"""The vendor's guide: its own preflight warns below."""
LISTED = ("v1.20", "v1.27")
"""The oldest and the newest version that the vendor's list of supported platforms names."""


def check_kubectl(seen: Seen) -> Iterator[Found]:
    """Kubectl starts plugins, and is within one minor version of the cluster."""
    version = seen.cluster.kubectl.get()
    if is_older(version, PLUGINS_SINCE):
        hint = "install a kubectl of the cluster's version"
        yield failed("kubectl", version, f"{PLUGINS_SINCE} or newer", hint=hint)
        return
    cluster = seen.cluster.version.given
    if isinstance(cluster, TransferError):
        yield passed("kubectl", version, f"{PLUGINS_SINCE} or newer")
        return
    needed = f"within one minor version of the cluster's {cluster}"
    if _skew(version, cluster) > 1:
        hint = "install a kubectl of the cluster's version"
        yield warned("kubectl", version, needed, hint=hint)
    else:
        yield passed("kubectl", version, needed)


def check_plugin(seen: Seen) -> Iterator[Found]:
    """KOTS: kubectl-kots deploys the admin console of its own version."""
    version = seen.console.plugin.get()
    if not seen.case.console:
        yield passed("kubectl-kots", version, "any: no admin console is among the sources")
    elif version == seen.case.console:
        yield passed("kubectl-kots", version, f"{seen.case.console}, as the admin console carried")
    else:
        needed = f"{seen.case.console}, as the admin console carried"
        yield failed("kubectl-kots", version, needed, hint=PLUGIN_ON_PATH)


def check_cluster(seen: Seen) -> Iterator[Found]:
    """Vendor's setup guide, and its list of supported platforms; neither stops anybody."""
    version, (oldest, newest) = seen.cluster.version.get(), LISTED
    needed = f"{oldest} to {newest}, as the vendor's list of platforms says"
    if is_older(version, GUIDE_SINCE):
        hint = f"the vendor's own preflight warns below {GUIDE_SINCE}.0: upgrade the cluster first"
        yield warned("Kubernetes", version, needed, hint=hint)
    elif is_older(version, oldest) or _minor(version) > _minor(newest):
        hint = "ask the vendor whether your release runs on it"
        yield warned("Kubernetes", version, needed, hint=hint)
    else:
        yield passed("Kubernetes", version, needed)


def _skew(version: str, other: str) -> int:
    return abs(_minor(version) - _minor(other))


def _minor(version: str) -> int:
    """The minor version, and the major one in thousands; 0 where a label has none."""
    found = (*(numbers(version) or ()), 0, 0)
    return found[0] * 1000 + found[1]
