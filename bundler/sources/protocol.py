"""What every place that files come from can tell: what a file is, and where its bytes are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from transfer.digest import Digest


class Evidence(StrEnum):
    """Who said which digest a file has to have."""

    SPEC = "spec"
    """A person wrote it into the spec."""
    RELEASE_API = "release API"
    """The API of the release, beside the file's size."""
    CHECKSUMS = "release API and checksum file"
    """Two files of the release agree."""
    CHECKSUM_FILE = "checksum file"
    """A file of the release lists it; its API, from before June 2025, does not."""
    VENDOR = "vendor"
    """The vendor's portal, whose checksum turned out to be the SHA-256 of the bytes."""
    REGISTRY = "registry"
    """An image's name led there; the digest is of its manifest."""
    IMAGE_ID = "image ID"
    """A local engine holds it; the digest of its configuration is its name there."""
    REQUIREMENTS = "requirements lock"
    """The toolkit's own list of what it needs."""
    FIRST_USE = "first use"
    """Nobody: these are the bytes that came the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a source says of a file before its bytes come."""

    file_name: str
    """As the source calls it."""
    size: int | None = None
    """Bytes; enforced while they arrive."""
    digest: Digest | None = None
    """None where nobody says one: then the first use decides, and the lock keeps it."""
    evidence: Evidence = Evidence.FIRST_USE
    identity: str
    """A name for this very content at its source, without any secret: the same as long as the
    source says that nothing changed. A broken download continues under it."""
    notes: tuple[str, ...] = ()
    """Other checksums and facts that the vendor gives, for the lock: `checksum: …`."""
    checksum: str = ""
    """A checksum of undocumented kind, as given; `bundler.sources.evidence` says what it proves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a file's bytes are right now."""

    url: str = field(repr=False)
    """It may be signed, and expire."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """They may hold a password; not sent on to another host."""
    refused: str = ""
    """What to do where it is refused and `locate` gives no other; a hint."""


class FileSource(Protocol):
    """One file at one source. Asked from any thread; each call may go over the network."""

    def promise(self) -> Promise:
        """Ask what the file is.

        Raises:
            TransferError: NotFound, AccessDenied, Unavailable, PolicyError (there, and not to be
                used: an unfinished build), InvalidInput (the answer is not what the source's
                documentation says).
        """
        ...

    def locate(self) -> Location:
        """Ask where its bytes are; again when the last address has expired.

        Raises:
            TransferError: as `promise`.
        """
        ...
