"""What can be pushed: a bundle, or a vendor's archive as it is."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from transfer.bundle import Bundle
from transfer.bundle.checksums import CHECKSUMS_FILE
from transfer.bundle.structure import BUNDLE_FILE
from transfer.contents import ArchiveKind, ArchiveRecord, Contents
from transfer.digest import Digest
from transfer.disk import storage_errors
from transfer.errors import InvalidInput
from transfer.outlet import Outlet
from transfer.progress import SILENT, Progress
from transfer.receipt import AppliedSource, SourceKind
from transfer.relocate import SourceImage, listed_images
from transfer.store import Source

_WANTED = "give the folder of a bundle, or an archive as the vendor made it"
_FOLDERS = {
    "volume.json": "it is one volume of a bundle",
    "oci-layout": "it is an OCI image layout, or a site store, without bundle.json",
    "docker": "it looks like the storage folder of a registry",
    "airgap.yaml": "it looks like an airgap archive that was unpacked",
    "images": "it looks like an archive that was unpacked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSource:
    """A bundle or an archive that is open for reading."""

    description: str
    """How messages name it."""
    applied: AppliedSource
    """How a receipt names it."""
    contents: Contents
    """What is in it; of an archive, as a bundle that holds nothing else would say."""
    content: Source
    """Where the images' manifests and blobs are read."""

    @property
    def images(self) -> tuple[SourceImage, ...]:
        """Its images, each with the rule that its destination goes by."""
        return tuple(listed_images(self.contents))


@contextmanager
def open_sources(
    paths: Sequence[Path],
    progress: Progress = SILENT,
    releases: Sequence[str] = (),
    outlet: Outlet | None = None,
) -> Iterator[tuple[OpenSource, ...]]:
    """Open every source, of the applications only some releases; see `open_source`.

    Raises:
        InvalidInput: one of the `releases`, written SLUG=LABEL, is not among the sources.
        TransferError: as `open_source`.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(open_source(path, progress, outlet)) for path in paths]
        yield _only_releases(opened, releases)


def _only_releases(
    sources: Sequence[OpenSource], releases: Sequence[str]
) -> tuple[OpenSource, ...]:
    """The sources as if an application that has one of these releases had no other."""
    known = {_named(a): None for source in sources for a in source.contents.archives}
    unknown = [name for name in releases if name not in known]
    if unknown:
        raise InvalidInput(
            f"--release {', '.join(unknown)}: not among the sources; "
            f"they have: {', '.join(filter(None, known)) or 'none'}"
        )
    applications = {name.partition("=")[0] for name in releases}

    def is_wanted(archive: ArchiveRecord) -> bool:
        name = _named(archive)
        return name in releases or name.partition("=")[0] not in applications

    return tuple(
        replace(
            source,
            contents=replace(
                source.contents, archives=tuple(filter(is_wanted, source.contents.archives))
            ),
        )
        for source in sources
    )


def _named(archive: ArchiveRecord) -> str:
    """A release as `--release` names it, `SLUG=LABEL`; "" for any other archive."""
    if archive.kind is not ArchiveKind.APPLICATION:
        return ""
    return f"{archive.release.app_slug}={archive.release.version_label}"


def images_of(sources: Sequence[OpenSource]) -> Iterator[SourceImage]:
    """The images of every source.

    Raises:
        InvalidInput: as `refuse_slim`.
    """
    refuse_slim(sources)
    for source in sources:
        yield from source.images


def refuse_slim(sources: Sequence[OpenSource]) -> None:
    """Refuse an archive without images: it has nothing to push, and proves nothing.

    Raises:
        InvalidInput: naming the first one.
    """
    for source in sources:
        archives = source.contents.archives
        if source.applied.kind is SourceKind.ARCHIVE and archives and not source.images:
            raise InvalidInput(
                f"{source.description}: has no images in it",
                hint="it is what a bundle carries for KOTS: give the bundle, or the vendor's file",
            )


def by_root(sources: Sequence[OpenSource]) -> Mapping[Digest, Source]:
    """Where each image can be read, by the digest at its root."""
    return {
        image.record.root.digest: source.content for source in sources for image in source.images
    }


@contextmanager
def open_source(
    path: Path, progress: Progress = SILENT, outlet: Outlet | None = None
) -> Iterator[OpenSource]:
    """Open the bundle or archive at `path`, whichever it is.

    Of a bundle the structure is checked; an archive is read whole, and every byte proven.
    `outlet` is where the images go, if that is known: see `AirgapArchive.read`.

    Raises:
        NotFound: there is nothing.
        InvalidInput: something else is there.
        CorruptBundle, CorruptArchive: with every fault.
        StorageError: it cannot be read.
    """
    if _is_folder(path):
        _refuse_other_folder(path)
        bundle = Bundle.read(path)
        yield OpenSource(
            description=bundle.description,
            applied=AppliedSource(
                kind=SourceKind.BUNDLE, name=bundle.contents.name, fingerprint=bundle.fingerprint
            ),
            contents=bundle.contents,
            content=bundle,
        )
        return
    from transfer.archive import AirgapArchive

    with AirgapArchive.read(path, outlet=outlet, progress=progress) as archive:
        record = archive.record
        yield OpenSource(
            description=archive.description,
            applied=AppliedSource(
                kind=SourceKind.ARCHIVE, name=record.file_name, fingerprint=record.digest
            ),
            contents=Contents(
                name=record.file_name, version=record.release.version_label, archives=(record,)
            ),
            content=archive,
        )


def _is_folder(path: Path) -> bool:
    with storage_errors(f"source {path}"):
        mode = path.stat().st_mode
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise InvalidInput(f"source {path}: neither a folder nor a file", hint=_WANTED)
    return stat.S_ISDIR(mode)


def _refuse_other_folder(path: Path) -> None:
    """Say what a folder is that is no bundle; one that is half a bundle says so itself."""
    with storage_errors(f"source {path}"):
        names = {entry.name for entry in path.iterdir()}
    if names & {BUNDLE_FILE, CHECKSUMS_FILE} or path.name.endswith(".partial"):
        return
    known = (meaning for name, meaning in _FOLDERS.items() if name in names)
    meaning = next(known, f"it holds {min(names)}" if names else "it is empty")
    raise InvalidInput(
        f"source {path}: not a bundle: {meaning}",
        hint=_WANTED,
    )
