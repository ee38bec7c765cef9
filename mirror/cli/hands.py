"""What a real install or upgrade works with: programs, the registry, the disk, the clock."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mirror.audit import Audit, audit
from mirror.cli.destination import warn_of
from mirror.cli.sites import access_to, login_secrets
from mirror.command import Command
from mirror.credentials import Keyring, passwords
from mirror.deploy.assemble import Assembler
from mirror.deploy.proof import Prover
from mirror.kots.outcome import Finished
from mirror.operation import AskCluster, Hands, Plan, Step, secrets_of
from mirror.operation.edits import edit, save
from mirror.operation.journal import Journal
from mirror.process import KEPT_ANSWER, Runner
from mirror.site import Site
from mirror.target import open_destinations
from transfer.disk import storage_errors
from transfer.relocate import Relocation, RelocationPlan
from transfer.sources import OpenSource

JOBS = 8
"""Questions to the registry at the same time."""

Say = Callable[[str], None]
"""Gets one line for a person."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What crossed, opened, and where it is."""

    paths: Sequence[Path] = ()
    content: Sequence[OpenSource] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who hears of a run."""

    say: Say
    advise: Say
    """Gets what belongs to an error."""
    confirm: Callable[[Step], bool]
    """Shows a person's step, and tells whether it was confirmed."""
    journal: Journal


class _Clock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


def asking(site: Site) -> AskCluster:
    """Runs commands that change nothing; what they print is not shown."""
    return replace(_runner(site, Keyring(dict(os.environ)), _silent), kept=KEPT_ANSWER)


def asking_once(site: Site) -> AskCluster:
    """The same, and each question is asked once: for a plan, which is made of one moment."""
    ask, known = asking(site), dict[Command, Finished]()

    def answer(command: Command) -> Finished:
        if command not in known:
            known[command] = ask(command)
        return known[command]

    return answer


@contextmanager
def hands_for(site: Site | None, planned: Plan, sources: Opened, watch: Watch) -> Iterator[Hands]:
    """Everything that a run of a plan does to the world; without a site, it asks no registry.

    Raises:
        InvalidInput: secrets are not at hand, all that the plan needs.
        TransferError: as `open_destinations`.
    """
    keyring = Keyring(dict(os.environ))
    asked = login_secrets(site) if site and planned.images else ()
    keyring.check(dict.fromkeys((*secrets_of(planned), *asked)))
    with _registry(site, planned, keyring) as look:
        yield Hands(
            execute=_runner(site, keyring, watch.say),
            ask=replace(_runner(site, keyring, _silent), kept=KEPT_ANSWER),
            check_secrets=keyring.check,
            audit=look,
            assemble=Assembler(sources.content),
            prove=Prover(sources.paths, sources.content),
            edit=edit,
            save=save,
            confirm=watch.confirm,
            free_bytes=_free_bytes,
            size_of=_size_of,
            journal=watch.journal,
            clock=_Clock(),
            say=watch.say,
            advise=watch.advise,
        )


def _runner(site: Site | None, keyring: Keyring, say: Say) -> Runner:
    return Runner(keyring=keyring, secrets=passwords(site) if site else (), say=say)


@contextmanager
def _registry(
    site: Site | None, planned: Plan, keyring: Keyring
) -> Iterator[Callable[[Sequence[Relocation]], Audit]]:
    if not site or not planned.images:
        yield lambda _images: Audit(images=())
        return
    access = access_to(site, keyring)
    warn_of(access)
    endpoint = site.registry.endpoint
    with open_destinations(str(endpoint), access) as destinations:
        yield lambda images: audit(
            RelocationPlan(endpoint=endpoint, relocations=tuple(images)), destinations, jobs=JOBS
        )


def _free_bytes(folder: str) -> int:
    with storage_errors(f"--work-dir {folder}"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(folder).free


def _size_of(path: str) -> int:
    with storage_errors(path):
        file = Path(path)
        return file.stat().st_size if file.exists() else 0


def _silent(_line: str) -> None:
    pass
