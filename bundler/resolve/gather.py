"""Brings the files that a spec names to this machine: all of them, several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundler.downloads import Download, Downloads, Fetched
from bundler.resolve.faults import of_entry
from bundler.sources.evidence import settle
from bundler.sources.protocol import Evidence, FileSource, Promise
from bundler.spec import Input
from bundler.spec.origin import LocalFile
from transfer.digest import Digest
from transfer.errors import Incomplete, NotFound, StorageError, TransferError, raise_together
from transfer.lock import BundleLock
from transfer.text import counted

SourceOf = Callable[[Input], FileSource]
"""Knows the source that an entry names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """A file that is here now, and what its source says of it."""

    path: Path
    file_name: str
    digest: Digest | None
    """What it has to hash to, if that is known."""
    evidence: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ordered:
    """A file that is still to come."""

    download: Download
    evidence: str
    notes: tuple[str, ...]
    promise: Promise | None = None
    """What its source says; not asked where a lock knows."""

    def settled(self, file: Fetched, source: str) -> Obtained:
        """The file, and who vouches for it now that its digest is known."""
        evidence, notes = self.evidence, self.notes
        if self.promise:
            settled = settle(self.promise, file.digest, source)
            evidence, notes = settled.evidence, settled.notes
        return Obtained(
            path=file.path,
            file_name=self.download.file_name,
            digest=file.digest,
            evidence=evidence,
            notes=notes,
        )


def gather(
    wanted: Sequence[Input],
    folder: Path,
    source_of: SourceOf,
    downloads: Downloads,
    lock: BundleLock | None,
) -> dict[str, Obtained]:
    """The files of all entries by the entries' paths; those behind addresses are fetched first.

    With a lock nothing is asked but for the bytes that the cache does not hold.

    Raises:
        StorageError: there is no room for them.
        Incomplete: some could not be had; all others are in the cache.
        TransferError: none could be had, and all for this kind of reason.
    """
    local = {w.entry: _local(w, folder) for w in wanted if isinstance(w.origin, LocalFile)}
    distant = [w for w in wanted if w.entry not in local]
    if distant:
        _refuse_missing(local)
    orders: dict[str, _Ordered] = {}
    faults: list[TransferError] = []
    for entry in distant:
        try:
            orders[entry.entry] = _order(entry, source_of(entry), lock)
        except TransferError as error:
            faults.append(of_entry(entry.entry, error))
    found = _fetch(orders, downloads, faults)
    _raise(faults, len(distant))
    return local | found


def missing(
    wanted: Sequence[Input], source_of: SourceOf, downloads: Downloads, lock: BundleLock
) -> int:
    """Bytes of these entries' files that are still to come, as the lock says; nobody is asked.

    Raises:
        StorageError: the cache cannot be read.
    """
    distant = [w for w in wanted if not isinstance(w.origin, LocalFile)]
    return downloads.missing([_order(w, source_of(w), lock).download for w in distant])


def _local(wanted: Input, folder: Path) -> Obtained:
    return Obtained(
        path=(folder / wanted.source).resolve(),
        file_name=wanted.file_name,
        digest=wanted.sha256,
        evidence=Evidence.FIRST_USE if wanted.sha256 is None else Evidence.SPEC,
    )


def _refuse_missing(local: Mapping[str, Obtained]) -> None:
    """Nobody should wait for a download to hear that a file beside the spec is missing."""
    raise_together(
        NotFound,
        "not everything that the spec names is here; nothing was fetched",
        (
            NotFound(f"{entry}: file {file.path}: does not exist")
            for entry, file in local.items()
            if not file.path.exists()
        ),
        hint="check the paths in the spec, and whether their disk is mounted",
    )


def _order(wanted: Input, source: FileSource, lock: BundleLock | None) -> _Ordered:
    what = f"{wanted.entry}: {wanted.source}"
    locked = lock.source_of(wanted.entry) if lock else None
    if lock is None or locked is None:
        promise = source.promise()
        return _Ordered(
            download=Download(
                what=what,
                identity=promise.identity,
                file_name=promise.file_name,
                digest=promise.digest,
                size=promise.size,
                locate=source.locate,
            ),
            evidence=promise.evidence,
            notes=promise.notes,
            promise=promise,
        )
    record = lock.archive_of(wanted.entry)
    return _Ordered(
        download=Download(
            what=what,
            identity=str(locked.digest),
            file_name=record.file_name if record else wanted.file_name,
            digest=locked.digest,
            size=locked.size,
            locate=source.locate,
        ),
        evidence=locked.evidence,
        notes=locked.notes,
    )


def _fetch(
    orders: Mapping[str, _Ordered], downloads: Downloads, faults: list[TransferError]
) -> dict[str, Obtained]:
    try:
        fetched = downloads.fetch_all([order.download for order in orders.values()])
    except StorageError:
        raise
    except TransferError as error:
        faults += [error] if len(orders) == 1 else error.faults or [error]
        return {}
    found = {}
    for (entry, order), file in zip(orders.items(), fetched, strict=True):
        try:
            found[entry] = order.settled(file, order.download.what)
        except TransferError as error:
            faults.append(error)
    return found


def _raise(faults: list[TransferError], wanted: int) -> None:
    if len(faults) == 1 and wanted == 1:
        raise faults[0]
    kinds = {type(fault) for fault in faults}
    if len(faults) == wanted and len(kinds) == 1:
        raise_together(kinds.pop(), f"none of the {wanted} files could be had", faults)
    raise_together(
        Incomplete,
        f"{len(faults)} of {counted(wanted, 'file')} could not be had",
        faults,
        hint="the others are in the cache: mend what is named here, and run the same command",
    )
