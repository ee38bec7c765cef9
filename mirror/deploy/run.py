"""`run`: one step after the other, each believed only when it was read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mirror import duration, kots, outcome
from mirror.audit import PUSH_AGAIN, Audit
from mirror.deploy.model import Kind, Offered, Plan, Step
from mirror.deploy.observe import Ask
from mirror.kots import Command
from mirror.outcome import Finished
from mirror.secret import SecretSource
from mirror.site import Site
from transfer.errors import PolicyError, StorageError, ToolError, raise_together
from transfer.relocate import Relocation

PAUSE = 5.0
"""Seconds between two questions about a version on its way."""


class Clock(Protocol):
    """Time, from outside."""

    def now(self) -> float:
        """Seconds since some moment."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Everything that a run does to the world."""

    execute: Callable[[Command], Finished]
    ask: Ask
    """The same for questions; their answers are not shown."""
    check_secrets: Callable[[Iterable[SecretSource]], None]
    """Raises unless every secret can be read."""
    audit: Callable[[Sequence[Relocation]], Audit]
    """Looks for images in the site's registry, down to each blob."""
    assemble: Callable[[Offered, str], None]
    """Writes a full archive to a path."""
    prove: Callable[[str], None]
    """Raises unless the archive at a path is still the one that was opened."""
    free_bytes: Callable[[str], int]
    """Room on the disk of a folder."""
    clock: Clock
    say: Callable[[str], None]
    """Gets one line for each step."""


def run(site: Site, plan: Plan, hands: Hands) -> tuple[str, ...]:
    """Take every step of a plan that `observe` was the start of; returns what was achieved.

    The same order, planned and run again, continues after any failure.

    Raises:
        InvalidInput: secrets are not at hand; nothing was changed.
        PolicyError: the registry does not hold what KOTS would pull; nothing was changed.
        StorageError: no room for the archives to put together; nothing was changed.
        IntegrityError: an archive is not the one any more that was opened.
        ToolError: KOTS failed, or says that it failed, or pushed or deployed something else.
    """
    steps = [step for step in plan.steps if step.kind is not Kind.READ]
    hands.check_secrets(secrets_of(plan))
    _check_room(steps, hands)
    achieved = []
    for number, step in enumerate(steps, start=1):
        hands.say(f"[{number}/{len(steps)}] {step.why}")
        done = _take(site, step, hands)
        if done:
            achieved.append(done)
    return tuple(achieved)


def secrets_of(plan: Plan) -> list[SecretSource]:
    """Every secret that a command of the plan is given, each once."""
    commands = (step.command for step in plan.steps if step.command)
    values = (value for command in commands for _, value in command.environment)
    return list(dict.fromkeys(value for value in values if not isinstance(value, str)))


def _take(site: Site, step: Step, hands: Hands) -> str | None:
    command = step.command
    if step.images:
        _check_images(step, hands, str(site.registry.endpoint))
        return f"{len(step.images)} images are in {site.registry.endpoint}"
    if step.archive and step.path:
        hands.assemble(step.archive, step.path)
        return None
    if command is None:
        return None
    if step.kind is Kind.CONFIRM:
        _confirm(site, step, command, hands)
        return f"{step.application.slug if step.application else ''} {step.version} is deployed"
    if step.kind is Kind.CONFIRM_CONSOLE:
        _confirm_console(step, command, hands)
        return f"the admin console is {step.version}"
    if step.handed:
        hands.prove(step.handed)
    judge = {Kind.INSTALL: outcome.check_install, Kind.UPGRADE: outcome.check_upgrade}
    judge.get(step.kind, outcome.check)(hands.execute(command), command)
    return None


def _check_images(step: Step, hands: Hands, endpoint: str) -> None:
    faults = hands.audit(step.images).faults()
    if step.kind is Kind.PUSHED:
        what = f"{endpoint} does not hold what KOTS pushed"
        raise_together(ToolError, what, faults, hint=PUSH_AGAIN)
    what = f"{endpoint} does not hold what KOTS would pull; nothing was changed"
    raise_together(PolicyError, what, faults, hint=_PUSH_FIRST)


def _check_room(steps: Iterable[Step], hands: Hands) -> None:
    """Each archive that is put together stays, and KOTS unpacks the largest beside them."""
    sizes = [(step.archive.record.size, step.path) for step in steps if step.archive and step.path]
    if not sizes:
        return
    folder = sizes[0][1].rpartition("/")[0]
    needed = sum(size for size, _ in sizes) + max(size for size, _ in sizes)
    free = hands.free_bytes(folder)
    if free < needed:
        raise StorageError(
            f"--work-dir {folder}: {needed} bytes are needed, {free} are free",
            hint="name a folder on a larger disk, or use --engine mirror, which needs none",
        )


def _confirm_console(step: Step, command: Command, hands: Hands) -> None:
    console = outcome.read_console(hands.ask(command), command)
    found = console.version if console else "none"
    if found != step.version:
        raise ToolError(f"the admin console should be {step.version} now; found: {found}")


def _confirm(site: Site, step: Step, command: Command, hands: Hands) -> None:
    """Ask until the version is deployed: KOTS deploys after it has answered."""
    waits = (site.waits.wait, site.waits.preflights)
    deadline = hands.clock.now() + sum(duration.seconds(text) or 0 for text in waits)
    slug = step.application.slug if step.application else ""
    told = ""
    while True:
        versions = outcome.read_versions(hands.ask(command), command)
        statuses = [version.status for version in versions if version.label == step.version]
        if "deployed" in statuses:
            return
        status = statuses[0] if statuses else "not there"
        if status in ("failed", "pending_config"):
            raise ToolError(
                f"{slug} {step.version} is not deployed: its status is {status}",
                hint=_ADVICE[status],
            )
        if hands.clock.now() >= deadline:
            raise ToolError(
                f"{slug} {step.version} is not deployed after {' and '.join(waits)}: its status "
                f"is {status}",
                hint="preflight checks may hold it back: look at it in the admin console, or ask "
                f"again with: {kots.get_versions(site, step.application)}"
                if step.application
                else None,
            )
        if status != told:
            hands.say(f"  {slug} {step.version}: {status}; asking again every {PAUSE:.0f} s")
            told = status
        hands.clock.pause(PAUSE)


_PUSH_FIRST = (
    "push the same sources there first: airgap-mirror push … --site …; with --repair where "
    "something below a name is missing, with --overwrite where a name holds other content"
)
_ADVICE = {
    "failed": "look at the version in the admin console, and at the pods of the namespace",
    "pending_config": "complete configValues in the site file, or the Config page of the admin "
    "console, and deploy it there",
}
