"""How large a bundle will be: every blob of its images once, and its files."""

from __future__ import annotations

from collections.abc import Iterable

from transfer.contents import FileRecord, ImageRecord
from transfer.digest import Digest
from transfer.graph import successors
from transfer.store import Source


class Volume:
    """The bytes of what was found so far."""

    def __init__(self) -> None:
        self._blobs: dict[Digest, int] = {}
        self._files: dict[str, int] = {}

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(self._blobs.values()) + sum(self._files.values())

    def add_images(self, source: Source, images: Iterable[ImageRecord]) -> None:
        """Count images, and see on the way that all their manifests are there.

        Raises:
            NotFound: one is not.
            IntegrityError: one is not what its descriptor promised.
        """
        for image in images:
            for manifest in successors(source, image.root):
                self._blobs[manifest.descriptor.digest] = manifest.descriptor.size
                self._blobs |= {blob.digest: blob.size for blob in manifest.blobs}

    def add_file(self, file: FileRecord) -> None:
        """Count a file."""
        self._files[file.path] = file.size
