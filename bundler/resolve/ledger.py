"""What a lock says of each entry of a spec, and where each entry came from this time."""

from __future__ import annotations

from collections.abc import Collection

from bundler.resolve.locks import check_source
from bundler.resolve.toolkit import is_toolkit
from bundler.spec import BundleSpec
from transfer.contents import Contents
from transfer.lock import BundleLock, LockedSource

_NO_LOCK = BundleLock(sources=(), contents=Contents(name="", version=""))


class Ledger:
    """Decides for each entry whether it is read or taken from the lock, and keeps its source."""

    def __init__(self, locked: BundleLock | None, anew: Collection[str] | None) -> None:
        """`anew` are the only entries to be read, as they are now; None reads all."""
        self.expected = _NO_LOCK if locked is None or anew is not None else locked
        """What the entries that are read have to turn out to be; empty where anything will do."""
        self.kept = _NO_LOCK if locked is None or anew is None else locked
        """What is said of the entries that are not read."""
        self._anew = anew
        self._sources: dict[str, LockedSource] = {}

    def is_read(self, entry: str) -> bool:
        """Whether an entry is read, and not taken from the lock."""
        return self._anew is None or entry in self._anew

    def keep(self, entry: str) -> None:
        """Take an entry's source from the lock."""
        if source := self.kept.source_of(entry):
            self._sources[entry] = source

    def note(self, found: LockedSource) -> None:
        """Keep where an entry came from.

        Raises:
            DigestMismatch: the lock says other bytes.
        """
        self._sources[found.entry] = found
        check_source(self.expected.source_of(found.entry), found)

    def sources(self, spec: BundleSpec) -> tuple[LockedSource, ...]:
        """Where everything came from, in the order that a lock has."""
        entries = [wanted.entry for wanted in spec.inputs()]
        entries += filter(is_toolkit, self._sources)
        entries += [image.entry for image in spec.images]
        return tuple(self._sources[entry] for entry in entries)
