"""Every byte of a bundle or an archive, read and proven before anything is pushed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transfer.bundle import Bundle
from transfer.errors import IntegrityError, StorageError, TransferError, raise_together
from transfer.progress import SILENT, Progress
from transfer.sources import OpenSource, open_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One source of which every byte is what it should be."""

    source: OpenSource
    images: int
    size: int
    """Bytes that were read and proven."""


def verify(
    paths: Sequence[Path], *, jobs: int, progress: Progress = SILENT
) -> tuple[Verified, ...]:
    """Prove every source; one that is damaged does not keep the others from being proven.

    Raises:
        IntegrityError: sources are damaged, each with every fault.
        StorageError: sources cannot be read, and no other is damaged.
        TransferError: as `open_source`.
    """
    verified: list[Verified] = []
    faults: list[TransferError] = []
    for path in paths:
        try:
            verified.append(_verify(path, jobs, progress))
        except (IntegrityError, StorageError) as fault:
            faults.append(fault)
    if len(paths) == 1 and faults:
        raise faults[0]
    count = f"{len(faults)} of {len(paths)} sources"
    if all(isinstance(fault, StorageError) for fault in faults):
        raise_together(StorageError, f"{count} cannot be read", faults)
    raise_together(IntegrityError, f"{count} are damaged", faults)
    return tuple(verified)


def _verify(path: Path, jobs: int, progress: Progress) -> Verified:
    with open_source(path, progress) as source:
        if isinstance(source.content, Bundle):
            size = source.content.verify(progress, jobs).size
        else:
            size = path.stat().st_size  # an archive is read whole, and proven, to be opened
        return Verified(source=source, images=len(source.images), size=size)
