"""What a run does to the world, each thing as one function that it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mirror.audit import Audit
from mirror.command import Command
from mirror.kots.outcome import Finished
from mirror.offer import Offered
from mirror.operation.journal import Journal
from mirror.operation.model import Edit, Step
from mirror.secret import SecretSource
from transfer.relocate import Relocation

AskCluster = Callable[[Command], Finished]
"""Runs a command that changes nothing; what it prints is not shown."""


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
    ask: AskCluster
    check_secrets: Callable[[Iterable[SecretSource]], None]
    """Raises unless every secret can be read."""
    audit: Callable[[Sequence[Relocation]], Audit]
    """Looks for images in the site's registry, down to each blob."""
    assemble: Callable[[Offered, str], None]
    """Writes a full archive to a path."""
    prove: Callable[[str], None]
    """Raises unless the archive at a path is still the one that was opened."""
    edit: Callable[[Edit], None]
    """Changes a file."""
    save: Callable[[str, Sequence[str]], None]
    """Writes lines to a path, whole or not at all, for its owner only."""
    confirm: Callable[[Step], bool]
    """Shows a person's step, and tells whether it was confirmed."""
    free_bytes: Callable[[str], int]
    """Room on the disk of a folder."""
    size_of: Callable[[str], int]
    """Bytes of a file; 0 where there is none."""
    journal: Journal
    clock: Clock
    say: Callable[[str], None]
    """Gets one line for each step."""
    advise: Callable[[str], None]
    """Gets what belongs to an error, however little is to be said."""
