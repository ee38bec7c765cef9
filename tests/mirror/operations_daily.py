"""The operations of the days after an install, for `operations.OPERATIONS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from mirror.operation import AskCluster, Plan, Step
from mirror.site import Site
from mirror.upkeep.down import plan_down
from mirror.upkeep.folder import get_manifests
from mirror.upkeep.ingress import Manifests, Patch, plan_removal
from mirror.upkeep.licences import New, plan_upload
from mirror.upkeep.newest import check_newest
from mirror.upkeep.standing import Place, places_of, read_counts, read_place
from mirror.upkeep.up import plan_up
from tests.fakes.kots_more import KUSTOMIZATION, PATCH
from tests.fakes.kube_changes import JSON, workload
from tests.mirror.golden import SITE_FOLDER
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import KOTS, FakeCluster, licence_text, namespace, read_site, running
from transfer.kots.licence import Licence

if TYPE_CHECKING:
    from tests.mirror.operations import Operation

MANAGER, VERIFICATION = "deployment/harness-manager", "deployment/verification-svc"
NEXTGEN = "deployment/ng-manager"
MONGODB = "statefulset/mongodb-replicaset-chart"
REDIS = "statefulset/redis-sentinel-harness-server"
TIMESCALE, UI = "statefulset/timescaledb-single-chart", "deployment/ui"
COUNTS = {MANAGER: 2, VERIFICATION: 2, NEXTGEN: 2, MONGODB: 3, REDIS: 3, TIMESCALE: 2, UI: 1}
"""How many pods everything has."""
KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet"}
NOTE = "site.harness.pods"
MANIFESTS = "site.harness-manifests"
LICENCE_ID = "2fLicenceOfTheSite"
"""What nobody may see."""
RENEWED = (
    licence_text("harness")
    + f"  licenseID: {LICENCE_ID}\n  licenseSequence: 8\n  signature: c2lnbmVk\n"
)


def objects(counts: Mapping[str, int]) -> list[JSON]:
    """Workloads with so many pods."""
    found = []
    for name, pods in counts.items():
        kind, _, short = name.partition("/")
        found.append(workload(KINDS[kind], short, pods))
        slug = "harness-ng" if name == NEXTGEN else "harness"
        found[-1]["metadata"]["labels"] = {"kots.io/app-slug": slug}
    return found


def note(counts: Mapping[str, int]) -> str:
    """What kubectl tells of them in columns."""
    parts = (name.partition("/") for name in counts)
    rows = zip(parts, counts.values(), strict=True)
    return "".join(f"{KINDS[kind]:<14}{name:<40}{pods}\n" for (kind, _, name), pods in rows)


def pods_of(site: KotsSite) -> dict[str, int]:
    """How many pods everything is to have now."""
    return {
        f"{one['kind'].lower()}/{one['metadata']['name']}": one["spec"]["replicas"]
        for one in site.cluster.load()["objects"]
    }


def assert_in_order(cluster: FakeCluster) -> None:
    """Nothing was stopped while pods were ending that have to be gone before it."""
    managers = {MANAGER, VERIFICATION, NEXTGEN}
    for name, ending in cluster.load().get("too_early", ()):
        kind = name.partition("/")[0]
        before = {one for one in ending if one in managers or not one.startswith(kind)}
        assert name in managers or not before, f"{name} was stopped before {before} ended"


def upload_licence(cluster: FakeCluster, text: str, *, status: str = "deployed") -> None:
    """What a person does in the console: it makes a version, and writes the licence its own way."""
    state = cluster.load()
    app = state["namespaces"]["harness"]["apps"]["harness"]
    newest = app["versions"][0]
    change = {"sequence": newest["sequence"] + 1, "source": "License Change", "status": status}
    app["versions"].insert(0, {**newest, **change})
    if status == "deployed":
        app["licence"] = yaml.safe_dump(yaml.safe_load(text))  # in the order of the alphabet
    cluster.save(state)


def staged(folder: Path) -> KotsSite:
    """A site where both applications run."""
    site = KotsSite(folder, ())
    apps = {"harness": running("79915", 412), "harness_ng": running("500", 91, "harness-ng")}
    site.cluster.change(namespaces={"harness": namespace(KOTS, **apps)})
    return site


@dataclass(frozen=True, slots=True)
class Downtime:
    """Down, or up again."""

    plan: Callable[[Site, list[Place]], Plan]
    before: Mapping[str, int]
    after: Mapping[str, int]
    noted: bool = False
    """The downtime goes on, and is noted."""

    def shown(self) -> Plan:
        """Without a cluster."""
        return self._dry(read_site(), SITE_FOLDER)

    def dry(self, site: KotsSite) -> Plan:
        """The same, for a staged site."""
        return self._dry(site.site, str(site.etc))

    def _dry(self, site: Site, folder: str) -> Plan:
        counts = read_counts(note(COUNTS), NOTE) if self.noted else None
        found = places_of(site.applications, f"{folder}/site")
        return self.plan(site, [replace(place, noted=counts) for place in found])

    def stage(self, folder: Path) -> KotsSite:
        """Both applications, and their workloads."""
        site = staged(folder)
        site.cluster.change(objects=objects(self.before), traps={"ending": 2})
        if self.noted:
            (site.etc / NOTE).write_text(note(COUNTS))
        return site

    def planned(self, site: KotsSite, ask: AskCluster) -> Plan:
        """With what the cluster and the note say."""
        found = []
        for place in places_of(site.site.applications, f"{site.etc}/site"):
            path = Path(place.file)
            counts = read_counts(path.read_text(), NOTE) if path.exists() else None
            there = read_place(site.site, place, ask)
            found.append(replace(place, noted=counts, workloads=there))
        return self.plan(site.site, found)

    def check(self, site: KotsSite) -> None:
        """Everything has as many pods as it has to have."""
        assert pods_of(site) == self.after
        assert_in_order(site.cluster)
        assert (site.etc / NOTE).exists() is not self.noted


@dataclass(frozen=True, slots=True)
class Removal:
    """The ingress patch goes."""

    def shown(self) -> Plan:
        """Without a cluster."""
        return self._dry(read_site(), SITE_FOLDER)

    def dry(self, site: KotsSite) -> Plan:
        """The same, for a staged site."""
        return self._dry(site.site, str(site.etc))

    def _dry(self, site: Site, folder: str) -> Plan:
        found = Manifests(folder=f"{folder}/{MANIFESTS}")
        return plan_removal(site, site.application("harness"), Patch(), found)

    def stage(self, folder: Path) -> KotsSite:
        """An application that was customised."""
        return staged(folder)

    def planned(self, site: KotsSite, ask: AskCluster) -> Plan:
        """With what is in the manifests."""
        application = site.site.application("harness")
        settled = check_newest(site.site, application, ask)
        folder = site.etc / MANIFESTS
        found = get_manifests(site.site, application, Patch(), folder, ask)
        found = replace(found, settled=settled)
        return plan_removal(site.site, application, Patch(), found)

    def check(self, site: KotsSite) -> None:
        """A new version is deployed, without it."""
        app = site.cluster.load()["namespaces"]["harness"]["apps"]["harness"]
        assert PATCH not in app["manifests"]
        assert "nginx" not in app["manifests"][KUSTOMIZATION]
        assert app["versions"][0]["source"] == "KOTS Upload"
        assert app["versions"][0]["status"] == "deployed"
        assert not (site.etc / MANIFESTS).exists()


@dataclass(frozen=True, slots=True)
class Renewal:
    """A new licence, by a person in the console."""

    def shown(self) -> Plan:
        """Without a cluster."""
        return self._plan(read_site(), f"{SITE_FOLDER}/renewed.yaml", is_there=False)

    def dry(self, site: KotsSite) -> Plan:
        """The same, for a staged site."""
        return self._plan(site.site, str(site.etc / "renewed.yaml"), is_there=False)

    def _plan(self, site: Site, file: str, *, is_there: bool) -> Plan:
        licence = Licence.parse(RENEWED, "renewed.yaml")
        folder = f"{file.rpartition('/')[0]}/site.harness-licence"
        new = New(file=file, folder=folder, licence=licence, old=licence, is_there=is_there)
        return plan_upload(site, site.application("harness"), new)

    def stage(self, folder: Path) -> KotsSite:
        """The new licence is at hand."""
        site = staged(folder)
        (site.etc / "renewed.yaml").write_text(RENEWED)

        def give(_step: Step) -> None:
            upload_licence(site.cluster, RENEWED)

        site.person = give
        return site

    def planned(self, site: KotsSite, ask: AskCluster) -> Plan:
        """With the licence that the site has."""
        check_newest(site.site, site.site.application("harness"), ask)
        is_there = (site.etc / "license.yaml").read_text() == RENEWED
        return self._plan(site.site, str(site.etc / "renewed.yaml"), is_there=is_there)

    def check(self, site: KotsSite) -> None:
        """The site has the new one."""
        assert (site.etc / "license.yaml").read_text() == RENEWED
        assert not (site.etc / "site.harness-licence").exists()
        versions = site.cluster.load()["namespaces"]["harness"]["apps"]["harness"]["versions"]
        assert versions[0]["source"] == "License Change"


_STILL = {MANAGER: 0, VERIFICATION: 0, NEXTGEN: 0}
_NOTHING = dict.fromkeys(COUNTS, 0)

DAILY: Mapping[str, Operation] = {
    "down": Downtime(
        lambda site, places: plan_down(site, places, everything=False),
        COUNTS,
        {**COUNTS, **_STILL},
    ),
    "down-all": Downtime(
        lambda site, places: plan_down(site, places, everything=True), COUNTS, _NOTHING
    ),
    "up": Downtime(plan_up, _NOTHING, COUNTS, noted=True),
    "remove-ingress-patch": Removal(),
    "licence-upload": Renewal(),
}
