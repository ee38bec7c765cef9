"""Installs and upgrades of a site that reaches the vendor, for `operations.OPERATIONS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror.deploy import Known, Order, looked_at, observe
from mirror.deploy import applications_of as concerned
from mirror.deploy.connected import plan_connected
from mirror.operation import AskCluster, Plan
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import KOTS, OLD_KOTS, licences, namespace, read_site, running
from tests.mirror.test_connected import ORDERS, dry, reached

if TYPE_CHECKING:
    from tests.mirror.operations import Operation


@dataclass(frozen=True, slots=True)
class Connected:
    """One order, and the cluster that it meets."""

    order: Order
    after: Mapping[str, str]
    before: Mapping[str, Any] = field(default_factory=dict)

    def shown(self) -> Plan:
        """Without a cluster."""
        return dry(read_site(), self.order)

    def stage(self, folder: Path) -> KotsSite:
        """A site, and what runs there."""
        folder.mkdir(parents=True)
        return reached(folder, **self.before)

    def dry(self, site: KotsSite) -> Plan:
        """The same, for a staged site."""
        return dry(site.site, self._order(site))

    def planned(self, site: KotsSite, ask: AskCluster) -> Plan:
        """With what the cluster says."""
        order = self._order(site)
        known = Known(order=order, licences=licences())
        state = observe(site.site, looked_at(site.site, order, ()), known, ask)
        return plan_connected(site.site, order, state, concerned(site.site, order, ()))

    def check(self, site: KotsSite) -> None:
        """Every application is at its release, and so is the console."""
        assert site.deployed() == self.after
        if not self.order.skip_console:
            assert site.cluster.load()["namespaces"]["harness"]["console"]["version"] == KOTS

    def _order(self, site: KotsSite) -> Order:
        return replace(self.order, folder=self.order.folder and str(site.etc))


_NEWEST = {"harness": "80307", "harness-ng": "500"}
_FIRSTGEN = running("79915", 400)
_BOTH = {"harness": _FIRSTGEN, "harness_ng": running("500", 91, "harness-ng")}

CONNECTED: Mapping[str, Operation] = {
    "connected-install": Connected(ORDERS["connected-install"], _NEWEST),
    "connected-upgrade": Connected(
        ORDERS["connected-upgrade"], _NEWEST, {"harness": namespace(OLD_KOTS, **_BOTH)}
    ),
    "connected-upgrade-applications": Connected(
        ORDERS["connected-upgrade-applications"], _NEWEST, {"harness": namespace(KOTS, **_BOTH)}
    ),
    "connected-upgrade-to-one-release": Connected(
        ORDERS["connected-upgrade-to-one-release"],
        {"harness": "80110"},
        {"harness": namespace(KOTS, harness=_FIRSTGEN)},
    ),
}
