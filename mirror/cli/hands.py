"""What a real install or upgrade works with: programs, the registry, the disk, the clock."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from mirror.cli.destination import access_to, warn_of
from mirror.credentials import Keyring, passwords
from mirror.deploy import Hands, Order
from mirror.deploy.assemble import Assembler
from mirror.kots import Engine
from mirror.process import Runner
from mirror.site import Site
from mirror.target import Destinations, open_destinations
from transfer.descriptor import Descriptor
from transfer.disk import storage_errors
from transfer.reference import Reference
from transfer.sources import OpenSource


class _Clock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


@contextmanager
def hands_for(
    site: Site, order: Order, sources: Sequence[OpenSource], *, quiet: bool
) -> Iterator[Hands]:
    """Everything that a run does to the world, for one order.

    Raises:
        TransferError: the registry's credentials cannot be read, or as `open_destinations`.
    """
    keyring = Keyring(dict(os.environ))
    say = _silent if quiet else _to_stderr
    runner = Runner(keyring=keyring, secrets=passwords(site), say=say)
    with _registry(site, order, keyring) as resolve:
        yield Hands(
            execute=runner,
            ask=replace(runner, say=_silent),
            check_secrets=keyring.check,
            resolve=resolve,
            assemble=Assembler(sources),
            free_bytes=_free_bytes,
            clock=_Clock(),
            say=say,
        )


@contextmanager
def _registry(
    site: Site, order: Order, keyring: Keyring
) -> Iterator[Callable[[Reference], Descriptor | None]]:
    if order.engine is Engine.KOTS:
        yield lambda _reference: None  # KOTS pushes: there is nothing to ask for before
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


def _to_stderr(line: str) -> None:
    click.echo(line, err=True)


def _silent(_line: str) -> None:
    pass
