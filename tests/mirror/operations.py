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
from typing import Protocol

from mirror.deploy import Known, Order, observe, plan
from mirror.operation import Plan
from tests.mirror.golden import BUNDLE, CASES, FOLDER, SITE_FOLDER, WORK, Case, shown
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import licences
from tests.mirror.operations_daily import DAILY


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the files of an operation are: absolute paths of folders."""

    site: str
    """Of the site file."""
    bundle: str
    work: str


SHOWN = Places(site=SITE_FOLDER, bundle=BUNDLE, work=WORK)
"""What is kept shows these; nothing is there."""


class Operation(Protocol):
    """One operation at one site."""

    def dry(self, places: Places) -> Plan:
        """What a dry run plans, for a site in these places; reads no file."""
        ...

    def stage(self, folder: Path) -> KotsSite:
        """The site and its cluster, before the operation."""
        ...

    def planned(self, site: KotsSite) -> Plan:
        """What a run plans, from what it asks the cluster."""
        ...

    def check(self, site: KotsSite) -> None:
        """Assert that the site is as the operation has to leave it."""
        ...


def places_of(site: KotsSite) -> Places:
    """The places of a staged site."""
    return Places(site=str(site.etc), bundle=str(site.folder / "bundle"), work=str(site.work))


@dataclass(frozen=True, slots=True)
class Deployment:
    """An install or upgrade."""

    case: Case

    def dry(self, places: Places) -> Plan:
        """The plan of the case."""
        text = self.case.site
        if places != SHOWN:
            text = text.replace("~/", f"{places.site}/")
        order = self._order(places)
        return replace(self.case, order=order, site=text).plan(places.site, places.bundle)

    def stage(self, folder: Path) -> KotsSite:
        """What crossed, and the cluster of the case."""
        case = self.case
        site = KotsSite(folder, tuple(case.records), text=case.site, vendor=case.vendor)
        site.cluster.change(namespaces=dict(case.before))
        return site

    def planned(self, site: KotsSite) -> Plan:
        """The plan that the command line makes."""
        order = self._order(places_of(site))
        concerned = [a for a in site.site.applications if order.only in (None, a.slug)]
        allowed = licences() if self.case.licences is None else self.case.licences
        known = Known(order=order, licences=allowed, puller=site.puller())
        state = observe(site.site, concerned, known, site.hands().ask)
        return plan(site.site, site.offers, order, state)

    def _order(self, places: Places) -> Order:
        return replace(self.case.order, work_dir=self.case.order.work_dir and places.work)

    def check(self, site: KotsSite) -> None:
        """Every application is at its release."""
        assert site.deployed() == self.case.after


OPERATIONS: Mapping[str, Operation] = {
    **{name: Deployment(case) for name, case in CASES.items()},
    **DAILY,
}
"""Each by the name of its golden files."""


def main() -> None:
    """Write every golden file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, operation in OPERATIONS.items():
        for ending, text in shown(operation.dry(SHOWN)).items():
            (FOLDER / f"{name}.{ending}").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
