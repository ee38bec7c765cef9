"""What opened sources offer to an install or upgrade."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mirror.offer import Offered
from transfer.bundle import Bundle
from transfer.contents import ArchiveRecord
from transfer.sources import OpenSource, refuse_slim


def offers(paths: Sequence[Path], sources: Sequence[OpenSource]) -> tuple[Offered, ...]:
    """Every archive of every source, in their order; `paths` are where the sources are.

    Raises:
        InvalidInput: one has no images, so that nothing would prove that the registry has them.
    """
    refuse_slim(sources)
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
            kept = (record.kept for record in source.contents.archives)
            source.content.check_files(path for path in kept if path in _paths(source.content))


def _offers(path: Path, source: OpenSource) -> Iterator[Offered]:
    for record in source.contents.archives:
        if isinstance(source.content, Bundle):
            yield _from_bundle(source.content, record)
        else:
            yield Offered(record=record, slim=None, full=str(path.absolute()))


def _from_bundle(bundle: Bundle, record: ArchiveRecord) -> Offered:
    carried = record.kept in _paths(bundle)
    contents = bundle.contents
    return Offered(
        record=record,
        slim=str(bundle.path_of(record.slim).absolute()) if record.slim else None,
        full=str(bundle.path_of(record.kept).absolute()) if carried else None,
        majors=contents.majors_of(record.release.app_slug),
        allowed=tuple(rule for rule, _, _ in (one.partition(":") for one in contents.allowed)),
    )


def _paths(bundle: Bundle) -> set[str]:
    return {file.path for file in bundle.contents.files}
