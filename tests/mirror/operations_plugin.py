"""kubectl-kots out of a bundle, for `operations.OPERATIONS`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mirror.deploy.plugin import PROGRAM, plan_plugin
from mirror.operation import AskCluster, Plan
from tests.mirror.kots_site import KotsSite
from tests.mirror.test_plugin import CARRIED, write_plugin
from tests.mirror.test_plugin import PROGRAM as RUNS
from transfer.digest import Digest

if TYPE_CHECKING:
    from tests.mirror.operations import Operation


@dataclass(frozen=True, slots=True)
class Plugin:
    """The plugin of this machine, which has none yet."""

    def shown(self) -> Plan:
        """In folders that look alike everywhere."""
        return plan_plugin([CARRIED], CARRIED.platform, "/home/ops/.local/bin", foreign=False)

    def stage(self, folder: Path) -> KotsSite:
        """The archive that crossed."""
        folder.mkdir(parents=True)
        site = KotsSite(folder, ())
        write_plugin(_archive(site))
        return site

    def dry(self, site: KotsSite) -> Plan:
        """In the folders of the site."""
        archive = _archive(site)
        digest = str(Digest.of(archive.read_bytes()))
        carried = replace(CARRIED, archive=str(archive), digest=digest)
        folder = str(_program(site).parent)
        return plan_plugin([carried], CARRIED.platform, folder, foreign=False)

    def planned(self, site: KotsSite, _ask: AskCluster) -> Plan:
        """The same: the cluster has no say in it."""
        return self.dry(site)

    def check(self, site: KotsSite) -> None:
        """The program is there, whole, and nothing else."""
        program = _program(site)
        assert program.read_text().startswith(RUNS)
        assert os.access(program, os.X_OK)
        assert list(program.parent.iterdir()) == [program]


def _archive(site: KotsSite) -> Path:
    return site.folder / "kots_linux_amd64.tar.gz"


def _program(site: KotsSite) -> Path:
    return site.folder / "tools" / PROGRAM


PLUGIN: Mapping[str, Operation] = {"plugin": Plugin()}
