"""Where each image goes: from the name a vendor gave it to its name in the site's registry.

A destination that two different images want is refused here, in the plan, before anything is
written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from transfer.contents import ArchiveKind, ArchiveRecord, Contents, ImageRecord
from transfer.descriptor import Descriptor
from transfer.errors import Conflict, IntegrityError, InvalidInput, raise_together
from transfer.naming import MADE_WRONG, Naming, destination
from transfer.reference import Reference, Repository

ANYWHERE = Repository("", "")
"""An endpoint for names alone, as in a site store: whatever goes before them, goes before all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImage:
    """One image as a source lists it."""

    record: ImageRecord
    naming: Naming
    origin: str
    """The archive, bundle or entry of a spec that lists it, for messages."""
    application: str = ""
    """The slug of the application whose release it belongs to; "" for any other image."""
    release: str = ""
    """The version label of that release."""

    def __str__(self) -> str:
        """How messages tell it from another image of the same name."""
        return f"{self.record.name} of {self.origin} ({self.record.root.digest})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Two different images with one destination."""

    destination: Reference
    first: SourceImage
    second: SourceImage

    @property
    def is_of_releases(self) -> bool:
        """Whether two releases of one application clash, which a site runs one after the other."""
        first, second = self.first, self.second
        return first.application == second.application != "" and first.release != second.release

    def __str__(self) -> str:
        """The destination and both images."""
        return f"{self.destination}: wanted by {self.first} and by {self.second}"


class Places:
    """Which image has which destination, as one after the other takes its own."""

    def __init__(self, endpoint: Repository = ANYWHERE) -> None:
        self.taken: dict[Reference, SourceImage] = {}
        """The first image of each destination, in their order."""
        self._endpoint = endpoint

    def take(self, image: SourceImage) -> Clash | None:
        """Give an image its destination; the clash where another image has it.

        Raises:
            InvalidInput: its name is not an image reference.
        """
        wanted = destination(self._endpoint, image.record.name, image.naming)
        first = self.taken.setdefault(wanted, image)
        if first.record.root == image.record.root:
            return None
        return Clash(destination=wanted, first=first, second=image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """One image, its name at the source and its name at the site."""

    source: str
    destination: Reference
    root: Descriptor

    def to_json(self) -> dict[str, str]:
        """Its two names and its digest, for a program."""
        return {
            "source": self.source,
            "destination": str(self.destination),
            "digest": str(self.root.digest),
        }


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
    images, places, clashes = list(images), Places(endpoint), list[Clash]()
    no_names, not_pinned = list[InvalidInput](), list[IntegrityError]()
    for image in images:
        try:
            clash = places.take(image)
        except InvalidInput as fault:
            no_names.append(InvalidInput(f"{image.origin}: {fault}"))
            continue
        if clash:
            clashes.append(clash)
        pinned = Reference.parse(image.record.name).digest
        if pinned not in (None, image.record.root.digest):
            not_pinned.append(IntegrityError(f"{image}: the name says {pinned}"))
    raise_together(InvalidInput, "names that are not image references", no_names, hint=MADE_WRONG)
    what = "images are not what their names are pinned to"
    raise_together(IntegrityError, what, not_pinned, hint=MADE_WRONG)
    raise_together(
        Conflict,
        "different images have one destination; nothing was written",
        (Conflict(str(clash)) for clash in clashes),
        hint=_way_out(images, clashes),
    )
    return RelocationPlan(
        endpoint=endpoint,
        relocations=tuple(
            Relocation(source=image.record.name, destination=wanted, root=image.record.root)
            for wanted, image in places.taken.items()
        ),
    )


def _way_out(images: Sequence[SourceImage], clashes: Sequence[Clash]) -> str:
    if clashes and all(clash.is_of_releases for clash in clashes):
        return f"the releases follow one another: {in_stages(images)}"
    return "give the sources one at a time, or push them to different namespaces"


def in_stages(images: Iterable[SourceImage]) -> str:
    """What to do at a site with releases whose images clash: the commands, in their order."""
    releases: dict[str, dict[str, list[SourceImage]]] = {}
    for image in images:
        found = releases.setdefault(image.application, {})
        found.setdefault(f"--release {image.application}={image.release}", []).append(image)
    staged = [_stages(found) for application, found in releases.items() if application]
    staged = [stages for stages in staged if len(stages) > 1]
    pushes = []
    for i in range(max(map(len, staged))):
        chosen = chain.from_iterable(stages[min(i, len(stages) - 1)] for stages in staged)
        pushes.append(" ".join(["push", *chosen, *(["--overwrite"] if i else [])]))
    return ", ".join(f"{push}, upgrade" for push in pushes)


def _stages(releases: Mapping[str, Sequence[SourceImage]]) -> list[list[str]]:
    """The releases of one application that a site can hold at a time, in their order."""
    stages, places = [list[str]()], Places()
    for release, images in releases.items():
        clashes = [places.take(image) for image in images]
        if any(clashes):
            stages.append([])
            places = Places()
            for image in images:
                places.take(image)
        stages[-1].append(release)
    return stages


def release_clashes(contents: Contents) -> tuple[Clash, ...]:
    """The releases in a bundle that have different images for one destination."""
    places = Places()
    clashes = filter(None, map(places.take, listed_images(contents)))
    return tuple(clash for clash in clashes if clash.is_of_releases)


def listed_images(contents: Contents) -> Iterator[SourceImage]:
    """The images of a bundle, each with the rule that its archive goes by."""
    for archive in contents.archives:
        yield from archive_images(archive)
    for record in contents.images:
        yield SourceImage(record=record, naming=Naming.KOTS, origin=contents.name)


def naming_in(kind: ArchiveKind) -> Naming:
    """The rule by which the images of an archive of this kind go."""
    return Naming.WHOLE_PATH if kind is ArchiveKind.IMAGES else Naming.KOTS


def archive_images(archive: ArchiveRecord, origin: str = "") -> Iterator[SourceImage]:
    """The images of one archive; only those that KOTS deploys go by its rule.

    `origin` names the archive in messages where its file's name would not do.
    """
    naming = naming_in(archive.kind)
    is_application = archive.kind is ArchiveKind.APPLICATION
    for record in archive.images:
        yield SourceImage(
            record=record,
            naming=naming,
            origin=origin or archive.file_name,
            application=archive.release.app_slug if is_application else "",
            release=archive.release.version_label if is_application else "",
        )
