"""Where each image goes: from the name a vendor gave it to its name in the site's registry.

A destination that two different images want is refused here, in the plan, before anything is
written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from transfer.contents import ArchiveKind, ArchiveRecord, Contents, ImageRecord
from transfer.descriptor import Descriptor
from transfer.errors import Conflict, IntegrityError, InvalidInput, raise_together
from transfer.naming import MADE_WRONG, Naming, destination
from transfer.reference import Reference, Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImage:
    """One image as a source lists it."""

    record: ImageRecord
    naming: Naming
    origin: str
    """The archive or bundle that lists it, for messages."""

    def __str__(self) -> str:
        """How messages tell it from another image of the same name."""
        return f"{self.record.name} of {self.origin} ({self.record.root.digest})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """One image, its name at the source and its name at the site."""

    source: str
    destination: Reference
    root: Descriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class RelocationPlan:
    """Every image's relocation; no two have one destination."""

    endpoint: Repository
    relocations: tuple[Relocation, ...]


def relocate(images: Iterable[SourceImage], endpoint: Repository) -> RelocationPlan:
    """Give every image its destination below `endpoint`.

    An image that stands in several archives under one destination is planned once.

    Raises:
        InvalidInput: names that are not image references.
        IntegrityError: names pinned to a digest that is not the digest of their content.
        Conflict: different images with one destination; each pair is named.
    """
    destinations = _destinations(images, endpoint)
    raise_together(
        IntegrityError,
        "images are not what their names are pinned to",
        (
            IntegrityError(f"{image}: the name says {wanted.digest}")
            for image, wanted in destinations
            if wanted.digest not in (None, image.record.root.digest)
        ),
        hint=MADE_WRONG,
    )
    first: dict[Reference, SourceImage] = {}
    for image, wanted in destinations:
        first.setdefault(wanted, image)
    raise_together(
        Conflict,
        "different images have one destination; nothing was written",
        (
            Conflict(f"{wanted}: wanted by {first[wanted]} and by {image}")
            for image, wanted in destinations
            if image.record.root != first[wanted].record.root
        ),
        hint="give the sources one at a time, or push them to different namespaces",
    )
    relocations = (
        Relocation(source=image.record.name, destination=wanted, root=image.record.root)
        for wanted, image in first.items()
    )
    return RelocationPlan(endpoint=endpoint, relocations=tuple(relocations))


def listed_images(contents: Contents) -> Iterator[SourceImage]:
    """The images of a bundle, each with the rule that its archive goes by."""
    for archive in contents.archives:
        yield from archive_images(archive)
    for record in contents.images:
        yield SourceImage(record=record, naming=Naming.KOTS, origin=contents.name)


def archive_images(archive: ArchiveRecord) -> Iterator[SourceImage]:
    """The images of one archive; only those that KOTS deploys go by its rule."""
    naming = Naming.WHOLE_PATH if archive.kind is ArchiveKind.IMAGES else Naming.KOTS
    for record in archive.images:
        yield SourceImage(record=record, naming=naming, origin=archive.file_name)


def _destinations(
    images: Iterable[SourceImage], endpoint: Repository
) -> list[tuple[SourceImage, Reference]]:
    found: list[tuple[SourceImage, Reference]] = []
    faults: list[InvalidInput] = []
    for image in images:
        try:
            found.append((image, destination(endpoint, image.record.name, image.naming)))
        except InvalidInput as fault:
            faults.append(InvalidInput(f"{image.origin}: {fault}"))
    raise_together(InvalidInput, "names that are not image references", faults, hint=MADE_WRONG)
    return found
