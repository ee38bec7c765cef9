"""What opened sources offer to an install or upgrade."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mirror.deploy.model import Offered
from mirror.sources import OpenSource
from transfer.bundle import Bundle
from transfer.contents import ArchiveRecord

KEPT = "files/archives/"
"""Where a bundle carries the vendor's files, if it does (`--keep-archives`)."""


def offers(paths: Sequence[Path], sources: Sequence[OpenSource]) -> tuple[Offered, ...]:
    """Every archive of every source, in their order; `paths` are where the sources are."""
    return tuple(
        offer
        for path, source in zip(paths, sources, strict=True)
        for offer in _offers(path, source)
    )


def check_kept(sources: Sequence[OpenSource]) -> None:
    """Prove every byte of the vendor's files that bundles carry: KOTS would take any.

    Opening a bundle has proven its archives without images, and opening a vendor's file that.

    Raises:
        CorruptBundle: with every fault.
    """
    for source in sources:
        if isinstance(source.content, Bundle):
            files = (file.path for file in source.content.contents.files)
            source.content.check_files(file for file in files if file.startswith(KEPT))


def _offers(path: Path, source: OpenSource) -> Iterator[Offered]:
    for record in source.contents.archives:
        if isinstance(source.content, Bundle):
            yield _from_bundle(source.content, record)
        else:
            yield Offered(record=record, slim=None, full=str(path.absolute()))


def _from_bundle(bundle: Bundle, record: ArchiveRecord) -> Offered:
    kept = KEPT + record.file_name
    carried = any(file.path == kept for file in bundle.contents.files)
    return Offered(
        record=record,
        slim=str(bundle.path_of(record.slim).absolute()) if record.slim else None,
        full=str(bundle.path_of(kept).absolute()) if carried else None,
    )
