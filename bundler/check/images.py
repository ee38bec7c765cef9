"""Rules on images: nothing missing at the site, and no two of one name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundler.check.facts import Facts, ReleaseFacts
from transfer.contents import ArchiveKind, Contents, ImageRecord
from transfer.errors import InvalidInput
from transfer.kots.finding import Finding, Rule
from transfer.naming import dest_image
from transfer.reference import Reference
from transfer.relocate import ANYWHERE, Places, listed_images
from transfer.text import counted


def check_places(contents: Contents) -> Iterator[Finding]:
    """Whether every image gets a name of its own at the site.

    Two releases of one application may clash: a site runs them one after the other.
    """
    places = Places()
    for image in listed_images(contents):
        clash = places.take(image)
        if clash and not clash.is_of_releases:
            yield Finding(
                rule=Rule.DESTINATION_COLLISION,
                subject=str(clash.destination),
                message=str(clash),
                hint="carry the two in two bundles, for two registries or namespaces",
            )


def check_images(contents: Contents, facts: Facts) -> Iterator[Finding]:
    """Whether what the files of each release name is carried under that name.

    An earlier release of the same application counts: the site has it by then.
    """
    held: dict[str, set[Reference]] = {}
    single = set(_destinations(contents.images))
    for release in facts.releases:
        if release.record.kind is ArchiveKind.APPLICATION:
            own = held.setdefault(release.release.app_slug, single.copy())
            own.update(_destinations(release.record.images))
            yield from _missing(release, own)
            yield from _templated(release)


def _missing(release: ReleaseFacts, held: set[Reference]) -> Iterator[Finding]:
    record = release.record
    subject = f"{release.release.app_slug} {release.release.version_label}"
    for name in release.files.images:
        wanted = _destination(name)
        if wanted is not None and wanted not in held:
            yield Finding(
                rule=Rule.IMAGE_NOT_CARRIED,
                subject=name,
                message=f"{subject}: its files name the image {name}, which neither "
                f"{record.file_name} nor images: of the spec carries",
                hint="add it to images: in the spec; if no pod of the site will use it, allow it",
            )


def _templated(release: ReleaseFacts) -> Iterator[Finding]:
    if release.files.templated:
        subject = f"{release.release.app_slug} {release.release.version_label}"
        names = counted(release.files.templated, "image name")
        yield Finding(
            rule=Rule.IMAGE_TEMPLATED,
            subject=subject,
            message=f"{subject}: {names} in its files made by a template; not looked for",
            hint="compare the images of the archive with the vendor's own list",
        )


def _destinations(images: Iterable[ImageRecord]) -> Iterator[Reference]:
    found = (_destination(image.name) for image in images)
    return (destination for destination in found if destination is not None)


def _destination(name: str) -> Reference | None:
    """What KOTS pulls, below the endpoint; None where the name is none."""
    try:
        return dest_image(ANYWHERE, name)
    except InvalidInput:
        return None
