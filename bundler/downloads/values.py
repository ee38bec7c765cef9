"""What is to be downloaded, what was, and how patient and how greedy to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bundler.sources.protocol import Location
from transfer.digest import Digest

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that is wanted."""

    what: str
    """How messages name it: no query, no secret."""
    identity: str
    """A name for this very content at its source; a part is kept under it without a digest."""
    file_name: str
    digest: Digest | None
    """What it has to hash to; None to take what comes."""
    size: int | None
    """Bytes, where they are known."""
    locate: Callable[[], Location] = field(repr=False)
    """Asks where the bytes are now; called from any thread, again when an address expired."""
    pinned: bool = False
    """Whether the source never gives other content under this identity: it need not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that is in the cache, complete and proven."""

    path: Path
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When a connection counts as stalled or slow, and what is done about it."""

    stall: float = 60.0
    """Seconds without a byte, or below `trickle`, after which a connection is given up."""
    trickle: int = 1000
    """Bytes a second that a connection has to bring at least."""
    window: float = 2.0
    """Seconds over which the speed is measured before one more connection is thought of."""
    fast: int = 64 * MIB
    """Bytes a second of one file from which on nothing needs to become faster."""
    gain: float = 1.15
    """A connection more has to make a file faster by this factor, or it was the last."""
    extra: int = 5
    """Connections in all beyond the one that each file has."""
    smallest: int = 4 * MIB
    """Bytes; nothing smaller is cut off for another connection."""
    renewals: int = 3
    """How often in a row a new address is asked for without a byte having come."""
