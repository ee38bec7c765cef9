"""Nothing twice: no release in two archives, no two images that want one name at the site."""

from __future__ import annotations

from collections.abc import Iterable

from transfer.contents import ArchiveRecord, ImageRecord
from transfer.errors import Conflict, InvalidInput, raise_together
from transfer.naming import Naming
from transfer.relocate import Places, SourceImage, archive_images


class Distinct:
    """The releases and images that were seen."""

    def __init__(self) -> None:
        self._places = Places()
        self._slims: dict[str, str] = {}

    def add_archive(self, entry: str, record: ArchiveRecord) -> None:
        """An archive and its images.

        Raises:
            InvalidInput: another archive holds the same release.
            Conflict: an image wants a name that is taken.
        """
        if record.slim is not None:
            first = self._slims.setdefault(record.slim, entry)
            if first != entry:
                raise InvalidInput(f"{record.file_name}: is the same release as {first}")
        self._add_images(archive_images(record, entry))

    def add_image(self, entry: str, record: ImageRecord) -> None:
        """A single image.

        Raises:
            Conflict: it wants a name that is taken.
        """
        self._add_images([SourceImage(record=record, naming=Naming.KOTS, origin=entry)])

    def _add_images(self, images: Iterable[SourceImage]) -> None:
        """Two releases may clash: a site runs them one after the other (docs/decisions/0007)."""
        clashes = filter(None, map(self._places.take, images))
        raise_together(
            Conflict,
            "different images would have one name at a site",
            (Conflict(str(clash)) for clash in clashes if not clash.is_of_releases),
            hint="carry the two in two bundles, for two registries or namespaces",
        )
