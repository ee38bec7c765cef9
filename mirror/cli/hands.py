"""What a real install or upgrade works with: programs, the registry, the disk, the clock."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mirror.cli.destination import access_to, login_secrets, warn_of
from mirror.credentials import Keyring, passwords
from mirror.deploy import Ask, Hands, Plan, secrets_of
from mirror.deploy.assemble import Assembler
from mirror.process import Runner
from mirror.site import Site
from mirror.target import Destinations, open_destinations
from transfer.descriptor import Descriptor
from transfer.disk import storage_errors
from transfer.reference import Reference
from transfer.sources import OpenSource

Say = Callable[[str], None]
"""Gets one line for a person."""


class _Clock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


def asking(site: Site) -> Ask:
    """Runs commands that change nothing; what they print is not shown."""
    return _runner(site, Keyring(dict(os.environ)), _silent)


@contextmanager
def hands_for(
    site: Site, planned: Plan, sources: Sequence[OpenSource], say: Say
) -> Iterator[Hands]:
    """Everything that a run of a plan does to the world.

    Raises:
        InvalidInput: secrets are not at hand, all that the plan needs.
        TransferError: as `open_destinations`.
    """
    keyring = Keyring(dict(os.environ))
    asked = login_secrets(site) if planned.images else ()
    keyring.check(dict.fromkeys((*secrets_of(planned), *asked)))
    with _registry(site, planned, keyring) as resolve:
        yield Hands(
            execute=_runner(site, keyring, say),
            ask=_runner(site, keyring, _silent),
            check_secrets=keyring.check,
            resolve=resolve,
            assemble=Assembler(sources),
            free_bytes=_free_bytes,
            clock=_Clock(),
            say=say,
        )


def _runner(site: Site, keyring: Keyring, say: Say) -> Runner:
    return Runner(keyring=keyring, secrets=passwords(site), say=say)


@contextmanager
def _registry(
    site: Site, planned: Plan, keyring: Keyring
) -> Iterator[Callable[[Reference], Descriptor | None]]:
    if not planned.images:
        yield lambda _reference: None  # there is nothing to ask for: KOTS pushes, or all is done
        return
    access = access_to(site, keyring)
    warn_of(access)
    with open_destinations(str(site.registry.endpoint), access) as destinations:
        yield lambda reference: _resolve(destinations, reference)


def _resolve(destinations: Destinations, reference: Reference) -> Descriptor | None:
    holder, name = destinations.place(reference)
    return holder.resolve(name)


def _free_bytes(folder: str) -> int:
    with storage_errors(f"--work-dir {folder}"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(folder).free


def _silent(_line: str) -> None:
    pass
