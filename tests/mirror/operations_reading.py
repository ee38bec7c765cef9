"""Operations that only look, for `operations.OPERATIONS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mirror.command import Command
from mirror.credentials import passwords
from mirror.deploy.status import as_lines, plan_status, read_status
from mirror.kots.outcome import Finished
from mirror.kube import kubectl_daily
from mirror.operation import AskCluster, Hands, Plan
from mirror.preflight.checks import judge
from mirror.preflight.gather import Senses
from mirror.preflight.gather import gather as gather_answers
from mirror.preflight.model import Case
from mirror.preflight.plan import plan_preflight
from mirror.preflight.report import Report
from mirror.site import Site
from mirror.target import RegistryAccess
from mirror.upkeep.console import hold, plan_console
from mirror.upkeep.gather import gather
from mirror.upkeep.logs import plan_logs, plan_to_gather, read_logs
from tests.fakes.kube_changes import pod
from tests.mirror.golden import SITE_FOLDER
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import SITE, read_site
from tests.mirror.operations_daily import staged
from tests.mirror.preflight_seen import NOW, PULL, good_case
from tests.mirror.test_status import WAITING, with_waiting
from transfer.errors import ToolError, Unavailable

if TYPE_CHECKING:
    from tests.mirror.operations import Operation

CLOSED = "ended by itself: the way to the admin console is closed"


class Unplanned:
    """A plan that is made from files alone."""

    def dry(self, site: KotsSite) -> Plan:
        """For a staged site."""
        raise NotImplementedError

    def planned(self, site: KotsSite, _ask: AskCluster) -> Plan:
        """The same: nothing has to be asked for it."""
        return self.dry(site)


@dataclass(frozen=True, slots=True)
class Status(Unplanned):
    """Two applications, and a version of one that waits."""

    def shown(self) -> Plan:
        """Of the site that looks alike everywhere."""
        return plan_status(read_site())

    def stage(self, folder: Path) -> KotsSite:
        """A console with a version that waits."""
        folder.mkdir(parents=True)
        return with_waiting(folder, *WAITING)

    def dry(self, site: KotsSite) -> Plan:
        """Of the staged one."""
        return plan_status(site.site)

    def read(self, site: KotsSite, hands: Hands) -> None:
        """Ask and tell."""
        site.said += as_lines(tuple(read_status(self.dry(site), hands.ask)))

    def check(self, site: KotsSite) -> None:
        """Nothing was changed."""
        assert site.deployed() == {"harness": "79915", "harness-ng": "500"}


@dataclass(frozen=True, slots=True)
class Console(Unplanned):
    """A way that somebody closes."""

    def shown(self) -> Plan:
        """Of the site that looks alike everywhere."""
        return plan_console(read_site(), "harness", 8800)

    def stage(self, folder: Path) -> KotsSite:
        """A console, and somebody who closes the way to it."""
        site = staged(folder)
        site.cluster.change(traps={"admin-console": "closed"})
        return site

    def dry(self, site: KotsSite) -> Plan:
        """Of the staged one."""
        return plan_console(site.site, "harness", 8800)

    def read(self, site: KotsSite, hands: Hands) -> None:
        """Until it is closed."""
        try:
            hold(self.dry(site), hands.execute)
        except ToolError as error:
            if CLOSED not in error.message:
                raise

    def check(self, site: KotsSite) -> None:
        """The way was there."""
        assert site.cluster.load()["traps"] == {}


CRASHED = {"lastState": {"terminated": {"exitCode": 1}}, "restartCount": 3}
PULLING = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
OVER = {"state": {"terminated": {"exitCode": 0}}}
FROM_NOTHING = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, **CRASHED}
PODS = [
    pod("harness-manager-5d9", {"name": "manager"}, {"name": "sidecar", **CRASHED}),
    pod("mongodb-0", {"name": "mongodb", **OVER}),
    pod("ui-77c", {"name": "ui", **PULLING}, {"name": "proxy", **FROM_NOTHING}),
    pod("elsewhere-0", {"name": "x"}, namespace="other"),
]
_FIRST = "2026-11-22T10:00:00Z first"
LOGS = {"mongodb-0/mongodb": "", "harness-manager-5d9/manager": f"{_FIRST}\n  \\n second\n"}
"""One is empty, another has lines that a shell may not touch."""
_USUAL = "2026-11-22T10:00:00Z log of {}\n"
FILES = {
    "harness_harness-manager-5d9_manager.log": LOGS["harness-manager-5d9/manager"],
    "harness_harness-manager-5d9_sidecar.log": _USUAL.format("harness-manager-5d9/sidecar"),
    "harness_harness-manager-5d9_sidecar.previous.log": _USUAL.format(
        "harness-manager-5d9/sidecar/previous"
    ),
    "harness_mongodb-0_mongodb.log": "",
    "harness_ui-77c_proxy.log": _USUAL.format("ui-77c/proxy"),
    "harness_ui-77c_proxy.previous.log": _USUAL.format("ui-77c/proxy/previous"),
}
"""What a script writes; a run has folders in place of the first two underlines."""


def logs_in(folder: Path) -> dict[str, str]:
    """Every file of a folder and below, by the name that a script gives it."""
    return {
        str(path.relative_to(folder)).replace("/", "_"): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@dataclass(frozen=True, slots=True)
class Logs(Unplanned):
    """Pods of all kinds."""

    def shown(self) -> Plan:
        """Of the site that looks alike everywhere."""
        return self._plan(read_site(), f"{SITE_FOLDER}/logs")

    def stage(self, folder: Path) -> KotsSite:
        """Pods that run, crashed, ended and never began."""
        site = staged(folder)
        site.cluster.change(objects=PODS, logs=LOGS)
        return site

    def dry(self, site: KotsSite) -> Plan:
        """Of the staged one."""
        return self._plan(site.site, str(site.folder / "logs"))

    def _plan(self, site: Site, folder: str) -> Plan:
        return plan_to_gather(site, site.applications, folder, "24h", passwords(site))

    def read(self, site: KotsSite, hands: Hands) -> None:
        """Ask for the pods, then for each log."""

        def listen(command: Command, hear: Callable[[str], None]) -> Finished:
            finished = hands.ask(command)
            for line in finished.stdout:
                hear(line)
            return finished

        command = kubectl_daily.get_pods(site.site, "harness")
        found = read_logs(hands.ask(command), command, "harness")
        plan = plan_logs(site.site, [found], str(site.folder / "logs"), "24h")
        gather(plan, listen, site.said.append)

    def check(self, site: KotsSite) -> None:
        """Every log is there, and whole."""
        assert logs_in(site.folder / "logs") == FILES


SKIPPED = ("registry", "push", "images", "pull")
"""Checks for which somebody would have to play the registry."""


def case_of(site: Site) -> Case:
    """What a preflight of a site is about: its applications, and what crossed, in good order."""
    found = good_case()
    members = (
        replace(one, application=site.application(one.slug))
        for one in found.members
        if one.slug in [application.slug for application in site.applications]
    )
    return replace(found, site=site, members=tuple(members))


def senses_of(site: KotsSite, ask: AskCluster) -> Senses:
    """What a preflight learns there, but for the registry."""

    def nobody() -> RegistryAccess:
        raise Unavailable("nobody plays the registry here")

    return Senses(
        ask=ask,
        pusher=nobody,
        puller=nobody,
        pull_user=site.puller(),
        check_files=lambda applications: len(list(applications)),
        resolve=lambda _host: ("192.0.2.10",),
        is_busy=lambda _port: False,
        free_bytes=lambda _folder: site.free,
        say=site.said.append,
    )


@dataclass(frozen=True, slots=True)
class Preflight(Unplanned):
    """A site before its first install."""

    def shown(self) -> Plan:
        """Of the site that looks alike everywhere."""
        site = read_site(SITE.replace("cluster:", PULL))
        return plan_preflight(case_of(site))

    def stage(self, folder: Path) -> KotsSite:
        """An empty cluster, and all files."""
        folder.mkdir(parents=True)
        site = KotsSite(folder, ())
        (site.etc / ".kube").mkdir()
        (site.etc / ".kube/config").touch()
        return site

    def dry(self, site: KotsSite) -> Plan:
        """Of the staged one, without its registry."""
        return plan_preflight(case_of(site.site), SKIPPED)

    def read(self, site: KotsSite, hands: Hands) -> None:
        """Ask and judge."""
        seen = gather_answers(case_of(site.site), senses_of(site, hands.ask), NOW, SKIPPED)
        report = Report(site=site.site.name, findings=judge(seen, SKIPPED), skipped=SKIPPED)
        site.said.append(report.text())
        report.raise_for_failures()

    def check(self, site: KotsSite) -> None:
        """Nothing was made."""
        assert site.deployed() == {}


READINGS: Mapping[str, Operation] = {
    "console": Console(),
    "logs": Logs(),
    "preflight": Preflight(),
    "status": Status(),
}
