"""Every operation against every trap of KOTS that can reach it: as a run, and as a script.

A trap that cannot reach an operation stands in `LEFT_OUT`, with the reason. See `test_traps` for
how each trap is shown to be there, and `test_script_answers` for what a script makes of answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import pytest

from mirror.operation import Step, run
from mirror.operation.model import Run
from tests.mirror.golden import LAST_YEAR
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import OLD_KOTS, namespace, running
from tests.mirror.operations import OPERATIONS, Deployment, Operation
from tests.mirror.script_runner import Somebody
from tests.mirror.test_status import with_waiting
from transfer.console import describe
from transfer.errors import TransferError

WAITS = "waits: {waitDuration: 10s, preflightsWaitDuration: 5s}\n"
LATER = 600
"""Seconds that KOTS needs where it gives up after two minutes by itself."""


class Trap(StrEnum):
    """What KOTS does to whoever believes it."""

    ERROR = "exit code 0, and an error in the JSON"
    PROGRESS = "progress lines before the JSON"
    CONFIG = "pending_config"
    PREFLIGHT = "a preflight warning, with exit code 1 or none at all"
    MINUTES = "a wait of two minutes"
    FORWARD = "a port-forward that blocks"
    SECRET = "a pull secret that is never updated"


def nobody(_step: Step) -> None:
    """Somebody who confirms what was not done."""


Prepare = Callable[[KotsSite], None]


def springs(command: str, how: str) -> Prepare:
    """The trap of a fake."""
    return lambda site: site.cluster.change(traps={command: how})


def importing(site: KotsSite) -> None:
    """The server takes its time."""
    site.cluster.change(**{"import": LATER})


def as_it_is(_site: KotsSite) -> None:
    """The trap is always there."""


def outdated(site: KotsSite) -> None:
    """The password of the registry was changed since the console was installed."""
    state = site.cluster.load()
    found = namespace(OLD_KOTS, login=LAST_YEAR)["secrets"]
    state["namespaces"]["harness"]["secrets"] = found
    site.cluster.save(state)


def waits(status: str) -> Callable[[Path], KotsSite]:
    """A site where a version waits in a state."""
    versions = running("80307", 418, status=status)["versions"]

    def stage(folder: Path) -> KotsSite:
        folder.mkdir(parents=True)
        site = with_waiting(folder, *versions)
        site.person = nobody
        return site

    return stage


def becomes(status: str) -> Prepare:
    """A person uploads the licence, and the version that this makes does not get far."""

    def prepare(site: KotsSite) -> None:
        def upload(_step: Step) -> None:
            state = site.cluster.load()
            versions = state["namespaces"]["harness"]["apps"]["harness"]["versions"]
            versions.insert(0, {**versions[0], "status": status})
            site.cluster.save(state)

        site.person = upload

    return prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An operation in a trap: what comes of it, and the words that a person gets."""

    operation: str
    trap: Trap
    prepare: Prepare = as_it_is
    code: int = 10
    words: tuple[str, ...] = ()
    script: int | None = None
    """The script's exit code, if it is another: it knows less."""
    in_script: tuple[str, ...] | None = None
    """Its words, if they are others."""
    stage: Callable[[Path], KotsSite] | None = None
    """The site, if it is another than the operation's own."""
    waits: str = WAITS

    def __str__(self) -> str:
        """For the report of a test."""
        return f"{self.operation}: {self.trap}"

    @property
    def of(self) -> Operation:
        """The operation, which waits as long as the cell says."""
        found = OPERATIONS[self.operation]
        if isinstance(found, Deployment):
            return Deployment(replace(found.case, site=found.case.site + self.waits))
        return found

    def site(self, folder: Path) -> KotsSite:
        """The site, with the trap."""
        site = (self.stage or self.of.stage)(folder)
        if self.waits not in site.text:
            site.text += self.waits
        site.confirmed.update(step.name for step in self.of.dry(site).steps)
        self.prepare(site)
        return site


API = ("exit code 0 but failed: Unexpected response from the API: 500", "kubectl logs")
NOT_CONFIGURED = ("deployed nothing: the application still waits", "complete configValues")
WARNED = ("There are preflight check warnings", "skipPreflights: true")
STUCK = ("pending_config; expected: harness", "complete configValues")
HELD = ("pending_preflight after 15 s; expected: harness", "get versions harness")
NEWEST_STUCK = ("pending_config; expected: the newest version", "complete configValues")
NEWEST_HELD = ("pending_preflight after 15 s; expected: the newest version", "get versions")
OUTDATED = (
    "expected: the pull secrets have the user and password of the site file",
    "(kotsadm-private-registry: another user or password)",
    "make it anew",
)
LONG = "waits: {waitDuration: 30m, preflightsWaitDuration: 15m}\n"

CELLS = (
    Cell(
        operation="install-firstgen",
        trap=Trap.CONFIG,
        prepare=springs("install", "pending_config"),
        words=NOT_CONFIGURED,
    ),
    Cell(
        operation="install-firstgen",
        trap=Trap.PREFLIGHT,
        prepare=springs("install", "preflight"),
        words=WARNED,
    ),
    Cell(operation="install-firstgen", trap=Trap.MINUTES, prepare=importing, code=0, waits=LONG),
    Cell(operation="install-firstgen", trap=Trap.FORWARD, code=0),
    Cell(
        operation="install-nextgen-on-top",
        trap=Trap.CONFIG,
        prepare=springs("install", "pending_config"),
        words=NOT_CONFIGURED,
    ),
    Cell(
        operation="install-nextgen-on-top",
        trap=Trap.PREFLIGHT,
        prepare=springs("install", "preflight"),
        words=WARNED,
    ),
    Cell(
        operation="install-nextgen-on-top",
        trap=Trap.MINUTES,
        prepare=importing,
        code=0,
        waits=LONG,
    ),
    Cell(
        operation="install-nextgen-on-top",
        trap=Trap.SECRET,
        prepare=outdated,
        code=12,
        words=("kotsadm-private-registry in namespace harness has another", "--console-only"),
        in_script=OUTDATED,
    ),
    Cell(
        operation="connected-install",
        trap=Trap.CONFIG,
        prepare=springs("install", "pending_config"),
        words=NOT_CONFIGURED,
    ),
    Cell(
        operation="connected-install",
        trap=Trap.PREFLIGHT,
        prepare=springs("install", "preflight"),
        words=WARNED,
    ),
    Cell(operation="connected-install", trap=Trap.MINUTES, prepare=importing, code=0, waits=LONG),
    Cell(operation="connected-install", trap=Trap.FORWARD, code=0),
    Cell(
        operation="upgrade-firstgen",
        trap=Trap.ERROR,
        prepare=springs("upstream upgrade", "error"),
        words=API,
    ),
    Cell(
        operation="upgrade-firstgen",
        trap=Trap.CONFIG,
        prepare=springs("upstream upgrade", "pending_config"),
        words=STUCK,
        in_script=("pending_config; expected: harness", "complete configValues"),
    ),
    Cell(
        operation="upgrade-firstgen",
        trap=Trap.PREFLIGHT,
        prepare=springs("upstream upgrade", "pending_preflight"),
        words=HELD,
    ),
    Cell(
        operation="upgrade-firstgen",
        trap=Trap.SECRET,
        prepare=outdated,
        code=0,
        script=12,
        in_script=OUTDATED,
    ),
    Cell(
        operation="upgrade-engine-kots",
        trap=Trap.PROGRESS,
        prepare=springs("upstream upgrade", "error"),
        words=API,
    ),
    Cell(
        operation="upgrade-console-only",
        trap=Trap.SECRET,
        prepare=outdated,
        code=0,
        script=12,
        in_script=OUTDATED,
    ),
    Cell(
        operation="connected-upgrade-applications",
        trap=Trap.ERROR,
        prepare=springs("upstream upgrade", "error"),
        words=API,
    ),
    Cell(
        operation="connected-upgrade-applications",
        trap=Trap.CONFIG,
        prepare=springs("upstream upgrade", "pending_config"),
        words=NEWEST_STUCK,
    ),
    Cell(
        operation="connected-upgrade-applications",
        trap=Trap.PREFLIGHT,
        prepare=springs("upstream upgrade", "pending_preflight"),
        words=NEWEST_HELD,
    ),
    Cell(
        operation="deploy",
        trap=Trap.CONFIG,
        stage=waits("pending_config"),
        words=STUCK,
    ),
    Cell(
        operation="deploy",
        trap=Trap.PREFLIGHT,
        stage=waits("pending_preflight"),
        words=("pending_preflight after 10 s; expected: harness", "get versions harness"),
    ),
    Cell(
        operation="remove-ingress-patch",
        trap=Trap.ERROR,
        prepare=springs("upload", "error"),
        words=API,
    ),
    Cell(
        operation="remove-ingress-patch",
        trap=Trap.CONFIG,
        prepare=springs("upload", "pending_config"),
        words=NEWEST_STUCK,
    ),
    Cell(
        operation="remove-ingress-patch",
        trap=Trap.PREFLIGHT,
        prepare=springs("upload", "pending_preflight"),
        words=NEWEST_HELD,
    ),
    Cell(
        operation="licence-upload",
        trap=Trap.CONFIG,
        prepare=becomes("pending_config"),
        words=NEWEST_STUCK,
    ),
    Cell(
        operation="licence-upload",
        trap=Trap.PREFLIGHT,
        prepare=becomes("pending_preflight"),
        words=NEWEST_HELD,
    ),
)

_NO_JSON = "its commands of KOTS print text, and are judged by that"
_ASKS = "it changes nothing: KOTS prints no progress before an answer, and no error into it"
_NO_KOTS = "it has no command of KOTS"
_STAYS = "its commands of KOTS end by themselves"
_LEFT_AS_IT_IS = "KOTS forwards nothing where the console is left as it is"
_PERSON = "a person gives the console what it needs, and waits there"
_NO_WAIT = "its commands of KOTS do not wait for a release: the plan does, as long as the site says"
_NO_PULL = "it hands KOTS no user of a registry"
_FIRST = "there is no pull secret yet"
_OUR_CONSOLE = "no release of an application is deployed"
_BY_PERSON = "a person forwards the port, in a terminal of his own"

LEFT_OUT: Mapping[tuple[str, Trap], str] = {
    ("install", Trap.ERROR): _NO_JSON,
    ("install", Trap.PROGRESS): _NO_JSON,
    ("install", Trap.SECRET): _FIRST,
    ("add", Trap.ERROR): _NO_JSON,
    ("add", Trap.PROGRESS): _NO_JSON,
    ("add", Trap.FORWARD): _LEFT_AS_IT_IS,
    ("connected-install", Trap.ERROR): _NO_JSON,
    ("connected-install", Trap.PROGRESS): _NO_JSON,
    ("connected-install", Trap.SECRET): _NO_PULL,
    ("upgrade", Trap.MINUTES): _NO_WAIT,
    ("upgrade", Trap.FORWARD): _STAYS,
    ("console-upgrade", Trap.ERROR): _NO_JSON,
    ("console-upgrade", Trap.PROGRESS): _NO_JSON,
    ("console-upgrade", Trap.CONFIG): _OUR_CONSOLE,
    ("console-upgrade", Trap.PREFLIGHT): _OUR_CONSOLE,
    ("console-upgrade", Trap.MINUTES): _OUR_CONSOLE,
    ("console-upgrade", Trap.FORWARD): _STAYS,
    ("connected-upgrade", Trap.PROGRESS): "KOTS pushes nothing, and looks at no registry",
    ("connected-upgrade", Trap.MINUTES): _NO_WAIT,
    ("connected-upgrade", Trap.FORWARD): _STAYS,
    ("connected-upgrade", Trap.SECRET): _NO_PULL,
    ("deploy", Trap.ERROR): _ASKS,
    ("deploy", Trap.PROGRESS): _ASKS,
    ("deploy", Trap.MINUTES): _PERSON,
    ("deploy", Trap.FORWARD): _BY_PERSON,
    ("deploy", Trap.SECRET): _NO_PULL,
    ("remove-ingress-patch", Trap.PROGRESS): "KOTS prints none before the answer to an upload",
    ("remove-ingress-patch", Trap.MINUTES): _NO_WAIT,
    ("remove-ingress-patch", Trap.FORWARD): _STAYS,
    ("remove-ingress-patch", Trap.SECRET): _NO_PULL,
    ("licence-upload", Trap.ERROR): _ASKS,
    ("licence-upload", Trap.PROGRESS): _ASKS,
    ("licence-upload", Trap.MINUTES): _PERSON,
    ("licence-upload", Trap.FORWARD): _BY_PERSON,
    ("licence-upload", Trap.SECRET): _NO_PULL,
    **{("kubectl", trap): _NO_KOTS for trap in Trap},
    **{("look", trap): _ASKS for trap in Trap},
    **{("console", trap): _ASKS for trap in Trap if trap is not Trap.FORWARD},
    ("console", Trap.FORWARD): "it blocks until somebody ends it, which is what it is for: see "
    "test_console",
}
"""By family."""


def family(name: str) -> str:
    """Operations that run the same commands of KOTS."""
    known = {
        "install-nextgen-on-top": "add",
        "install-nextgen-configured-as-firstgen": "add",
        "upgrade-console-only": "console-upgrade",
        "down": "kubectl",
        "down-all": "kubectl",
        "up": "kubectl",
        "plugin": "kubectl",
    }
    if name in known:
        return known[name]
    for start in ("connected-install", "connected-upgrade", "install", "upgrade"):
        if name.startswith(start):
            return start
    return name if name in {"deploy", "remove-ingress-patch", "licence-upload"} else _looks(name)


def _looks(name: str) -> str:
    without = dict.fromkeys(("logs", "config", "rewrite"), "kubectl")
    return {**without, "console": "console"}.get(name.partition("-")[0], "look")


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_its_place_in_the_table(name: str) -> None:
    shown = {cell.trap for cell in CELLS if family(cell.operation) == family(name)}
    left = {trap for of, trap in LEFT_OUT if of == family(name)}
    assert shown | left == set(Trap)
    assert not shown & left
    plan = OPERATIONS[name].shown()
    if family(name) == "look":
        assert not [step for step in plan.steps if isinstance(step.action, Run)]
    if family(name) == "kubectl":
        assert not [command for command in plan.commands() if "kots" in command.argv[1:2]]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_run_is_not_caught(cell: Cell, tmp_path: Path) -> None:
    site = cell.site(tmp_path / "site")
    hands = site.hands()
    error: TransferError | None = None
    try:
        run(site.site, cell.of.planned(site, hands.ask), hands)
    except TransferError as caught:
        error = caught
    told = "\n".join([*site.said, describe(error) if error else ""])
    assert (error.exit_code if error else 0) == cell.code, told
    for words in cell.words:
        assert words in told


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_script_is_not_caught(cell: Cell, tmp_path: Path) -> None:
    site = cell.site(tmp_path / "site")
    somebody = Somebody(site, cell.of.dry(site))
    done = somebody.go_on()
    told = done.stdout + done.stderr
    assert done.returncode == (cell.code if cell.script is None else cell.script), told
    for words in cell.words if cell.in_script is None else cell.in_script:
        assert words in told


def test_what_was_in_the_way_is_as_it_has_to_be_in_the_end(tmp_path: Path) -> None:
    cells: Mapping[str, Cell] = {
        cell.operation: cell for cell in CELLS if cell.trap is Trap.SECRET and cell.code == 0
    }
    for name, cell in cells.items():
        site = cell.site(tmp_path / name)
        before = site.cluster.load()["namespaces"]["harness"]["secrets"]
        hands = site.hands()
        run(site.site, cell.of.planned(site, hands.ask), hands)
        assert site.cluster.load()["namespaces"]["harness"]["secrets"] != before
    assert cells
