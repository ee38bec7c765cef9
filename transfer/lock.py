"""The lock: a bundle spec resolved to digests and sizes, a file to review and commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from transfer.contents import (
    CONTENTS_KEYS,
    NO_DIGEST,
    ArchiveRecord,
    Contents,
    ImageRecord,
    contents_to_json,
    read_contents,
)
from transfer.digest import Digest
from transfer.fields import API_VERSION, Fields, dump_json, read_json

BUNDLE_LOCK = "BundleLock"
"""The `kind` of a lock file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedSource:
    """Where one entry of the spec came from, and which bytes that were."""

    entry: str
    """The entry's path in the spec, for example `applications[0].releases[1].archive`."""
    source: str
    """The file or address as the spec names it, without query string and user name."""
    size: int
    digest: Digest
    evidence: str = ""
    """Who said that this is the digest: `release API`, `spec`, `first use` …"""
    notes: tuple[str, ...] = ()
    """What else the source said of it, for whoever reviews the lock."""

    def to_json(self) -> dict[str, Any]:
        """The JSON form; what there is nothing to say of is left out."""
        value: dict[str, Any] = {
            "entry": self.entry,
            "source": self.source,
            "size": self.size,
            "digest": str(self.digest),
        }
        if self.evidence:
            value["evidence"] = self.evidence
        if self.notes:
            value["notes"] = list(self.notes)
        return value


_SOURCE_KEYS = ("entry", "source", "size", "digest", "evidence", "notes")


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleLock:
    """What a build takes and writes. The same lock gives the same bundle, byte for byte."""

    sources: tuple[LockedSource, ...]
    """Of the archives first, then of plugins and files, then of images; each as in `contents`."""
    contents: Contents
    size: int | None = None
    """Bytes of all the blobs and files of the bundle, each once; None where not all were read."""

    def source_of(self, entry: str) -> LockedSource | None:
        """Where an entry came from; None where the lock does not have it."""
        return next((source for source in self.sources if source.entry == entry), None)

    def archive_of(self, entry: str) -> ArchiveRecord | None:
        """The archive of an entry."""
        archives = zip(self.sources, self.contents.archives, strict=False)
        return next((record for source, record in archives if source.entry == entry), None)

    def image_of(self, entry: str) -> ImageRecord | None:
        """The image of an entry."""
        images = self.contents.images
        sources = self.sources[len(self.sources) - len(images) :]
        found = zip(sources, images, strict=False)
        return next((record for source, record in found if source.entry == entry), None)

    def dump(self) -> str:
        """The text of the lock file: sorted, stable, one fact a line."""
        return dump_json(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The JSON form that `parse` reads."""
        size = {} if self.size is None else {"size": self.size}
        return {
            "apiVersion": API_VERSION,
            "kind": BUNDLE_LOCK,
            "sources": [source.to_json() for source in self.sources],
            **size,
            **contents_to_json(self.contents),
        }

    @classmethod
    def parse(cls, text: str, file: str) -> Self:
        """Read a lock; `file` names it in messages.

        Raises:
            InvalidInput: with every fault.
        """
        keys = ("apiVersion", "kind", "sources", "size", *CONTENTS_KEYS)
        fields = read_json(text, file, *keys, hint="airgap-bundler lock writes the lock anew")
        fields.expect(BUNDLE_LOCK)
        sources = tuple(map(_read_source, fields.children("sources", *_SOURCE_KEYS)))
        contents = read_contents(fields)
        size = fields.integer("size", None) if "size" in fields else None
        fields.faults.raise_all()
        return cls(sources=sources, contents=contents, size=size)


def _read_source(fields: Fields) -> LockedSource:
    return LockedSource(
        entry=fields.text("entry"),
        source=fields.text("source"),
        size=fields.integer("size"),
        digest=fields.digest("digest") or NO_DIGEST,
        evidence=fields.text("evidence", ""),
        notes=fields.texts("notes"),
    )
