"""Every operation, for the tests that hold for all of them: see `test_operations.py`.

An operation gets all of these tests by a line in `OPERATIONS`: its golden text, script and
runbook, a run and a script that do the same, an interruption at every step, and the search for
secrets.

python -m tests.mirror.operations        write the golden files anew; review the difference
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from mirror.deploy import Known, Order, looked_at, observe, plan
from mirror.operation import AskCluster, Hands, Plan
from tests.mirror.golden import CASES, FOLDER, Case, shown
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import licences
from tests.mirror.operations_connected import CONNECTED
from tests.mirror.operations_daily import DAILY
from tests.mirror.operations_files import FILES
from tests.mirror.operations_pending import PENDING
from tests.mirror.operations_plugin import PLUGIN
from tests.mirror.operations_reading import READINGS


class Operation(Protocol):
    """One operation at one site."""

    def shown(self) -> Plan:
        """What a dry run plans, for a site that looks alike everywhere; reads no file."""
        ...

    def stage(self, folder: Path) -> KotsSite:
        """The site and its cluster, before the operation."""
        ...

    def dry(self, site: KotsSite) -> Plan:
        """What a dry run plans for a staged site."""
        ...

    def planned(self, site: KotsSite, ask: AskCluster) -> Plan:
        """What a run plans, from what it asks the cluster."""
        ...

    def check(self, site: KotsSite) -> None:
        """Assert that the site is as the operation has to leave it."""
        ...


@runtime_checkable
class Reading(Operation, Protocol):
    """One that only looks: its plan is made from files, and no journal is kept."""

    def read(self, site: KotsSite, hands: Hands) -> None:
        """What a run does."""
        ...


@dataclass(frozen=True, slots=True)
class Deployment:
    """An install or upgrade."""

    case: Case

    def shown(self) -> Plan:
        """The plan of the case."""
        return self.case.plan()

    def stage(self, folder: Path) -> KotsSite:
        """What crossed, and the cluster of the case."""
        case = self.case
        site = KotsSite(folder, tuple(case.records), text=case.site, vendor=case.vendor)
        site.cluster.change(namespaces=dict(case.before))
        return site

    def dry(self, site: KotsSite) -> Plan:
        """The plan of the case, in the folders of the site."""
        text = self.case.site.replace("~/", f"{site.etc}/")
        case = replace(self.case, order=self._order(site), site=text)
        return case.plan(str(site.etc), str(site.folder / "bundle"))

    def planned(self, site: KotsSite, ask: AskCluster) -> Plan:
        """The plan that the command line makes."""
        order = self._order(site)
        concerned = looked_at(site.site, order, site.offers)
        allowed = licences() if self.case.licences is None else self.case.licences
        known = Known(order=order, licences=allowed, puller=site.puller())
        return plan(site.site, site.offers, order, observe(site.site, concerned, known, ask))

    def _order(self, site: KotsSite) -> Order:
        order = self.case.order
        return replace(
            order,
            work_dir=order.work_dir and str(site.work),
            folder=order.folder and str(site.etc),
        )

    def check(self, site: KotsSite) -> None:
        """Every application is at its release."""
        assert site.deployed() == self.case.after


OPERATIONS: Mapping[str, Operation] = {
    **{name: Deployment(case) for name, case in CASES.items()},
    **CONNECTED,
    **DAILY,
    **PENDING,
    **PLUGIN,
    **READINGS,
    **FILES,
}
"""Each by the name of its golden files."""

DONE_AGAIN = frozenset(
    {
        "connected-upgrade",
        "connected-upgrade-applications",
        "plugin",
        "rewrite-images-to-another-file",
    }
)
"""Nobody here can tell that they are done: done once more, they change nothing."""


def main() -> None:
    """Write every golden file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, operation in OPERATIONS.items():
        for ending, text in shown(operation.shown()).items():
            (FOLDER / f"{name}.{ending}").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
