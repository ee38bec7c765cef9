"""What a site has of images that are still being made, and their layers on the way there.

See `transfer.outlet`. Nothing here decides whether an image was delivered: that does the copy,
which comes afterwards and finds what was sent.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from io import BytesIO

from mirror.target import Destinations, Holder
from transfer.delivery import Copied
from transfer.descriptor import Manifest
from transfer.digest import Digest
from transfer.errors import TransferError
from transfer.graph import successors
from transfer.naming import destination
from transfer.outlet import Making, UnmadeImage
from transfer.progress import SILENT, Progress
from transfer.reference import Reference
from transfer.registry import RegistryRepository


class SiteOutlet:
    """The destinations of a push, asked before its images are known by their digests.

    As soon as anything is in the way, nothing is sent any more: the copy tells of it.
    """

    def __init__(
        self,
        destinations: Destinations,
        *,
        writes: bool,
        overwrite: bool = False,
        repair: bool = False,
        progress: Progress = SILENT,
    ) -> None:
        """`writes` is False where nothing may be sent; the others are those of the push."""
        self._destinations = destinations
        self._overwrite = overwrite
        self._repair = repair
        self._progress = progress
        self._is_open = writes
        self._places: dict[Reference, Digest] = {}
        self._sent: list[int] = []

    def find(self, image: UnmadeImage) -> Manifest | None:
        """The manifest of an image that is there already, under all its names, as we make it."""
        try:
            found = [self._look(place) for place in self._take_places(image)]
        except TransferError:
            self._is_open = False
            return None
        is_there = all(manifest and image.is_made(manifest) for manifest in found)
        if is_there and found.count(found[0]) == len(found):
            # What is to be replaced or repaired is made again.
            return None if self._overwrite or self._repair else found[0]
        if any(found) and not self._overwrite:  # other content: the copy refuses to move it
            self._is_open = False
        return None

    def wants(self, image: UnmadeImage) -> bool:
        """Whether the layers of an image are to be sent as they are made.

        Its configuration goes first and is the mark of that: where it is there already, a push
        was interrupted, and what has arrived is found by its digest and not sent again.
        """
        try:
            holder = self._holder(image)
            if not self._is_open or not isinstance(holder, RegistryRepository):
                return False
            if not holder.streams:  # the copy sends them as the registry wants them
                return False
            if holder.has_blob(image.config):
                return False
            holder.push_blob(image.config, lambda: nullcontext(BytesIO(image.raw_config)))
        except TransferError:
            self._is_open = False
            return False
        self._sent.append(image.config.size)
        return True

    def send(self, image: UnmadeImage, blob: Making) -> None:
        """Send a layer of an image, if it can be; what goes wrong is met again later."""
        holder = self._holder(image)
        if not self._is_open or not isinstance(holder, RegistryRepository):
            return
        try:
            holder.stream_blob(blob)
        except TransferError as error:
            self._is_open = False
            self._progress.say(f"{error.message}; layers are sent once they are compressed")
        else:
            self._sent.append(blob.size)

    def counted(self, copied: Copied) -> Copied:
        """What a copy did, and what was sent before it, which it took for present."""
        return replace(
            copied,
            blobs_sent=copied.blobs_sent + len(self._sent),
            bytes_sent=copied.bytes_sent + sum(self._sent),
            blobs_present=max(0, copied.blobs_present - len(self._sent)),
        )

    def _take_places(self, image: UnmadeImage) -> list[Reference]:
        """Where an image goes; two images for one place are for the plan to refuse."""
        endpoint = self._destinations.endpoint
        places = [destination(endpoint, name, image.naming) for name in image.names]
        for place in places:
            if self._places.setdefault(place, image.config.digest) != image.config.digest:
                self._is_open = False
        return places

    def _look(self, place: Reference) -> Manifest | None:
        holder, name = self._destinations.place(place)
        found = holder.resolve(name)
        return successors(holder, found)[-1] if found else None

    def _holder(self, image: UnmadeImage) -> Holder:
        place = destination(self._destinations.endpoint, image.names[0], image.naming)
        return self._destinations.place(place)[0]
