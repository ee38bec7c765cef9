"""What is to be downloaded, and what was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bundler.sources.protocol import Location
from transfer.digest import Digest


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
    """Asks where the bytes are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that is in the cache, complete and proven."""

    path: Path
    digest: Digest
    size: int
