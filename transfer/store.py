"""What `copy` asks of the places that hold content. Every place is one of these, or both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from transfer.descriptor import Descriptor, Manifest
from transfer.digest import Readable
from transfer.medium import Medium

OpenContent = Callable[[], AbstractContextManager[Readable]]
"""Opens some content at its first byte, anew at each call."""


class Source(Protocol):
    """Somewhere content is read from."""

    @property
    def description(self) -> str:
        """How messages name this side, for example `bundle /media/usb/harness`."""
        ...

    def open(self, descriptor: Descriptor) -> AbstractContextManager[Readable]:
        """Open the content of a blob or manifest at its first byte; it is not verified here.

        Raises:
            NotFound: this source does not hold it.
        """
        ...


@runtime_checkable
class Placed(Protocol):
    """A source that knows in which order its content lies; the order in which it is read best."""

    def place(self, descriptor: Descriptor) -> int | None:
        """A number that grows with the distance from the start of the medium; None if unknown."""
        ...


@runtime_checkable
class Stored(Protocol):
    """A source whose content is read from a medium as it is, and may be slow to come."""

    @property
    def medium(self) -> Medium:
        """The medium; whoever reads blobs takes a turn at it."""
        ...

    def place(self, descriptor: Descriptor) -> int | None:
        """As `Placed`."""
        ...


@runtime_checkable
class Remote(Protocol):
    """A place on a host that may have enough of us."""

    @property
    def host(self) -> str:
        """The host; places on one host share what it can do."""
        ...

    @property
    def setbacks(self) -> int:
        """How often so far that host had to be asked again."""
        ...


class Target(Protocol):
    """Somewhere content is written to: one repository of a registry, or an OCI layout.

    A target keeps two promises: content appears whole or not at all, and `push_manifest` is
    only called once everything below the manifest is there.
    """

    @property
    def description(self) -> str:
        """How messages name this side, for example `registry.example:5000/harness/redis`."""
        ...

    def resolve(self, name: str) -> Descriptor | None:
        """The manifest that a tag or digest names right now, or None."""
        ...

    def has_blob(self, blob: Descriptor) -> bool:
        """Whether a blob is there already."""
        ...

    def push_blob(self, blob: Descriptor, content: OpenContent) -> None:
        """Write a blob. `content` opens it at its first byte, as often as a retry needs it.

        Raises:
            IntegrityError: the content is not what the descriptor promised; nothing was kept.
        """
        ...

    def mount_blob(self, blob: Descriptor, origin: Target) -> bool:
        """Take over a blob that `origin` holds, without sending it; False if that can't be."""
        ...

    def push_manifest(self, manifest: Manifest, name: str) -> None:
        """Write a manifest under a tag, or under its own digest."""
        ...
