"""A version that waits in the admin console, deployed by a person, for `operations.OPERATIONS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mirror import kots
from mirror.deploy.pending import plan_deploy
from mirror.kots import outcome
from mirror.operation import AskCluster, Plan, Step
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import read_site
from tests.mirror.test_status import WAITING, press, with_waiting

if TYPE_CHECKING:
    from tests.mirror.operations import Operation

LABEL = "80307"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One version, named by its label."""

    def shown(self) -> Plan:
        """Without a cluster."""
        site = read_site()
        return plan_deploy(site, site.application("harness"), None, LABEL)

    def stage(self, folder: Path) -> KotsSite:
        """A site with the version, and somebody who deploys it when asked to."""
        folder.mkdir(parents=True)
        site = with_waiting(folder, *WAITING)

        def deploy(_step: Step) -> None:
            press(site, LABEL)

        site.person = deploy
        return site

    def dry(self, site: KotsSite) -> Plan:
        """The same, for a staged site."""
        return plan_deploy(site.site, site.site.application("harness"), None, LABEL)

    def planned(self, site: KotsSite, ask: AskCluster) -> Plan:
        """With what the console has."""
        application = site.site.application("harness")
        command = kots.get_versions(site.site, application)
        versions = outcome.read_versions(ask(command), command)
        return plan_deploy(site.site, application, versions, LABEL)

    def check(self, site: KotsSite) -> None:
        """The version is deployed, and the other application is as it was."""
        assert site.deployed() == {"harness": LABEL, "harness-ng": "500"}


PENDING: Mapping[str, Operation] = {"deploy": Waiting()}
