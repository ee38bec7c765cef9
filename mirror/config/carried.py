"""The releases of applications that sources carry, and what each asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transfer.bundle import Bundle
from transfer.contents import ArchiveKind, ArchiveRecord, ReleaseRecord
from transfer.errors import NotFound
from transfer.kots.config import Config
from transfer.kots.upgrade import oldest_first
from transfer.sources import OpenSource


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedRelease:
    """One release of an application in one source."""

    source: OpenSource
    record: ArchiveRecord

    @property
    def release(self) -> ReleaseRecord:
        """What the archive says of itself."""
        return self.record.release

    def __str__(self) -> str:
        """`harness 79915`."""
        return f"{self.release.app_slug} {self.release.version_label}"

    def read_config(self) -> Config:
        """What it asks; no items where it asks nothing.

        Raises:
            NotFound: the bundle carries none of its files.
            CorruptArchive: they are damaged.
        """
        from transfer.archive import AirgapArchive
        from transfer.archive.appfiles import read_app_files

        content = self.source.content
        if isinstance(content, AirgapArchive):
            return read_app_files(content).config or Config(items=())
        if not isinstance(content, Bundle) or self.record.slim is None:
            raise NotFound(f"{self.source.description}: carries no files of {self}")
        with AirgapArchive.read(
            content.path_of(self.record.slim), file_name=self.record.file_name
        ) as archive:
            return read_app_files(archive).config or Config(items=())


def carried_releases(
    sources: Sequence[OpenSource], slug: str | None = None
) -> Mapping[str, Sequence[CarriedRelease]]:
    """The releases of every application by its slug, or of one; oldest first, each once.

    Raises:
        NotFound: there is no such application, or none at all.
    """
    found: dict[str, dict[str, CarriedRelease]] = {}
    for source in sources:
        for record in source.contents.archives:
            if record.kind is ArchiveKind.APPLICATION:
                of_slug = found.setdefault(record.release.app_slug, {})
                carried = CarriedRelease(source=source, record=record)
                of_slug.setdefault(record.release.version_label, carried)
    if not found or (slug is not None and slug not in found):
        names = " and ".join(source.description for source in sources)
        what = f"no release of {slug}" if slug else "no release of an application"
        known = f"; there are: {', '.join(found)}" if found else ""
        raise NotFound(f"{names}: {what}{known}", hint="airgap-mirror show lists what there is")
    return {
        one: oldest_first(list(releases.values()))
        for one, releases in found.items()
        if slug in (None, one)
    }
