"""What every place that images come from can tell, and the notes that a lock keeps of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from transfer.contents import ImageRecord
from transfer.digest import Digest
from transfer.errors import InvalidInput
from transfer.store import Source


class Found(NamedTuple):
    """An image, and where it is read."""

    source: Source
    """Holds everything below the record's root."""
    record: ImageRecord
    evidence: str
    """Who said that this is the digest; see `bundler.sources.Evidence`."""
    notes: tuple[str, ...] = ()
    """For the lock, `name: value`: what finding the very same again needs."""


class ImageSource(Protocol):
    """One image at one place."""

    def resolve(self) -> Found:
        """The image as its name leads to it right now.

        Raises:
            TransferError: NotFound, AccessDenied, Unavailable, or what else the place says.
        """
        ...

    def locked(self, record: ImageRecord, notes: tuple[str, ...]) -> Found:
        """The image that a lock has, wherever its name may lead to by now.

        Raises:
            TransferError: it is not to be had any more.
        """
        ...


def noted_digest(notes: Iterable[str], name: str, what: str) -> Digest | None:
    """The digest in the note `name: digest`, or None where there is no such note.

    Raises:
        InvalidInput: the note holds no digest; `what` starts the message.
    """
    for note in notes:
        key, _, value = note.partition(": ")
        if key == name:
            try:
                return Digest.parse(value)
            except InvalidInput as error:
                raise InvalidInput(f"{what}: note {name!r} of the lock: {error.message}") from error
    return None
