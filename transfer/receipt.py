"""The receipt: what a site's registry was read back to hold, a file to carry back.

It names only what was proven after a push, so that the connected end may leave those blobs out
of the next bundle. No secret and no address of a person is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from transfer.contents import NO_DIGEST, read_member, read_root
from transfer.descriptor import Descriptor
from transfer.digest import Digest
from transfer.errors import InvalidInput
from transfer.fields import API_VERSION, Fields, dump_json, read_json
from transfer.reference import Reference

_IMAGE_KEYS = ("source", "repository", "tag", "mediaType", "digest", "size", "outcome")
_SOURCE_KEYS = ("kind", "name", "fingerprint")
_ANY_HOST = "registry.invalid"


class SourceKind(StrEnum):
    """What was pushed from."""

    BUNDLE = "bundle"
    ARCHIVE = "archive"


class Arrival(StrEnum):
    """How an image came to be where it was read back."""

    COPIED = "copied"
    """Written by this push."""
    PRESENT = "present"
    """There before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedSource:
    """A bundle or archive that was pushed, and what it is recognised by."""

    kind: SourceKind
    name: str
    fingerprint: Digest
    """SHA-256 of a bundle's `SHA256SUMS`, or of an archive's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldImage:
    """One image that the site holds."""

    source: str
    """The reference it had at its source."""
    repository: str
    """Path of the repository at the site, with the namespace and without the host."""
    tag: str | None
    """None where the image is named by digest alone."""
    root: Descriptor
    outcome: Arrival

    @property
    def name(self) -> str:
        """The tag, or the digest where there is none."""
        return self.tag or str(self.root.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBlob:
    """One config or layer below the images."""

    digest: Digest
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one push left at a site, proven by reading it back."""

    target: str
    """The endpoint as the push was given it."""
    time: str
    """When the push ended, UTC, ISO 8601."""
    tool: str
    """Version of the toolkit that pushed."""
    sources: tuple[AppliedSource, ...]
    images: tuple[HeldImage, ...]
    blobs: tuple[HeldBlob, ...]

    def dump(self) -> str:
        """The text of the receipt: sorted, stable, one fact a line."""
        return dump_json(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The JSON form that `parse` reads."""
        return {
            "apiVersion": API_VERSION,
            "kind": "Receipt",
            "target": self.target,
            "time": self.time,
            "tool": self.tool,
            "sources": [
                {"kind": s.kind.value, "name": s.name, "fingerprint": str(s.fingerprint)}
                for s in self.sources
            ],
            "images": [_image_to_json(image) for image in self.images],
            "blobs": [{"digest": str(blob.digest), "size": blob.size} for blob in self.blobs],
        }

    @classmethod
    def parse(cls, text: str, file: str) -> Self:
        """Read a receipt; `file` names it in messages.

        Raises:
            InvalidInput: with every fault.
        """
        keys = ("apiVersion", "kind", "target", "time", "tool", "sources", "images", "blobs")
        fields = read_json(text, file, *keys)
        fields.expect("Receipt")
        receipt = cls(
            target=fields.text("target"),
            time=fields.text("time"),
            tool=fields.text("tool"),
            sources=tuple(map(_read_source, fields.children("sources", *_SOURCE_KEYS))),
            images=tuple(map(_read_image, fields.children("images", *_IMAGE_KEYS))),
            blobs=tuple(
                HeldBlob(digest=f.digest("digest") or NO_DIGEST, size=f.integer("size"))
                for f in fields.children("blobs", "digest", "size")
            ),
        )
        fields.faults.raise_all()
        return receipt


def _image_to_json(image: HeldImage) -> dict[str, Any]:
    value: dict[str, Any] = {
        "source": image.source,
        "repository": image.repository,
        "outcome": image.outcome.value,
        "mediaType": image.root.media_type,
        "digest": str(image.root.digest),
        "size": image.root.size,
    }
    if image.tag is not None:
        value["tag"] = image.tag
    return value


def _read_image(fields: Fields) -> HeldImage:
    repository, tag = fields.text("repository"), fields.optional_text("tag")
    try:
        Reference.parse(f"{_ANY_HOST}/{repository}:{tag or 'none'}")
    except InvalidInput:
        fields.fault("", f"not a repository and a tag: {repository!r}, {tag!r}")
    return HeldImage(
        source=fields.text("source"),
        repository=repository,
        tag=tag,
        root=read_root(fields),
        outcome=read_member(fields, "outcome", Arrival, Arrival.PRESENT),
    )


def _read_source(fields: Fields) -> AppliedSource:
    return AppliedSource(
        kind=read_member(fields, "kind", SourceKind, SourceKind.ARCHIVE),
        name=fields.text("name"),
        fingerprint=fields.digest("fingerprint") or NO_DIGEST,
    )
