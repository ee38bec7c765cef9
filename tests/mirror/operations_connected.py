"""Installs and upgrades of a site that reaches the vendor, for `operations.OPERATIONS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mirror.deploy import Known, Order, looked_at, observe
from mirror.deploy import applications_of as concerned
from mirror.deploy.connected import plan_connected
from mirror.operation import AskCluster, Plan
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import licences, read_site
from tests.mirror.test_connected import ORDERS, dry, reached

if TYPE_CHECKING:
    from tests.mirror.operations import Operation


@dataclass(frozen=True, slots=True)
class Connected:
    """One order, and the cluster that it meets."""

    order: Order
    after: Mapping[str, str]

    def shown(self) -> Plan:
        """Without a cluster."""
        return dry(read_site(), self.order)

    def stage(self, folder: Path) -> KotsSite:
        """A site, and what runs there."""
        folder.mkdir(parents=True)
        return reached(folder)

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
        """Every application is at its release."""
        assert site.deployed() == self.after

    def _order(self, site: KotsSite) -> Order:
        return replace(self.order, folder=self.order.folder and str(site.etc))


CONNECTED: Mapping[str, Operation] = {
    "connected-install": Connected(
        ORDERS["connected-install"], {"harness": "80307", "harness-ng": "500"}
    ),
}
"""An upgrade asks the vendor again each time it is run, and a dry run of it knows no plugin."""
