"""Whether an archive is what its place in the spec says."""

from __future__ import annotations

from dataclasses import replace

from bundler.spec import ArchiveInput
from transfer.contents import ArchiveKind, ArchiveRecord
from transfer.errors import InvalidInput

_NAMES = {
    ArchiveKind.ADMIN_CONSOLE: "the KOTS admin console (kotsadm.tar.gz)",
    ArchiveKind.APPLICATION: "an application (.airgap)",
    ArchiveKind.IMAGES: "a docker-save archive of images",
}


def fill_in(wanted: ArchiveInput, record: ArchiveRecord) -> ArchiveRecord:
    """The record with the spec's slug, where an older archive says none."""
    release = record.release
    if record.kind is not ArchiveKind.APPLICATION or release.app_slug or record.slim is None:
        return record
    file = record.slim.rpartition("/")[2]
    return replace(
        record,
        release=replace(release, app_slug=wanted.expected),
        slim=f"kots/{wanted.expected}/{file}",
    )


def check_kind(wanted: ArchiveInput, record: ArchiveRecord) -> None:
    """Check an archive's kind, and the application or version that it is of.

    Raises:
        InvalidInput: it is another one.
    """
    if record.kind is not wanted.kind:
        raise InvalidInput(
            f"{record.file_name}: expected {_NAMES[wanted.kind]}, found {_NAMES[record.kind]}"
        )
    release = record.release
    if wanted.kind is ArchiveKind.APPLICATION and release.app_slug != wanted.expected:
        raise InvalidInput(
            f"{record.file_name}: expected application {wanted.expected}, found {release.app_slug}",
            hint="slug: in the spec has to be that of the archive",
        )
    console = wanted.kind is ArchiveKind.ADMIN_CONSOLE
    if console and _bare(release.version_label) != _bare(wanted.expected):
        raise InvalidInput(
            f"{record.file_name}: expected admin console {wanted.expected}, "
            f"found {release.version_label}",
            hint="archive, plugin and version: have to be of one KOTS release",
        )


def _bare(version: str) -> str:
    """KOTS writes its versions with and without the v."""
    return version.removeprefix("v")
