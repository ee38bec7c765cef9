"""The lock: a bundle spec resolved to digests and sizes, a file to review and commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from transfer.contents import CONTENTS_KEYS, NO_DIGEST, Contents, read_contents
from transfer.digest import Digest
from transfer.fields import API_VERSION, dump_json, read_json


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedSource:
    """Where one entry of the spec came from, and which bytes that were."""

    entry: str
    """The entry's path in the spec, for example `applications[0].releases[1].archive`."""
    source: str
    """The file or address as the spec names it, without query string and user name."""
    size: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleLock:
    """What a build takes and writes. The same lock gives the same bundle, byte for byte."""

    sources: tuple[LockedSource, ...]
    contents: Contents

    def dump(self) -> str:
        """The text of the lock file: sorted, stable, one fact a line."""
        return dump_json(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The JSON form that `parse` reads."""
        return {
            "apiVersion": API_VERSION,
            "kind": "BundleLock",
            "sources": [
                {
                    "entry": source.entry,
                    "source": source.source,
                    "size": source.size,
                    "digest": str(source.digest),
                }
                for source in self.sources
            ],
            **self.contents.to_json(),
        }

    @classmethod
    def parse(cls, text: str, file: str) -> Self:
        """Read a lock; `file` names it in messages.

        Raises:
            InvalidInput: with every fault.
        """
        keys = ("apiVersion", "kind", "sources", *CONTENTS_KEYS)
        fields = read_json(text, file, *keys, hint="airgap-bundler lock writes the lock anew")
        fields.expect("BundleLock")
        sources = tuple(
            LockedSource(
                entry=f.text("entry"),
                source=f.text("source"),
                size=f.integer("size"),
                digest=f.digest("digest") or NO_DIGEST,
            )
            for f in fields.children("sources", "entry", "source", "size", "digest")
        )
        contents = read_contents(fields)
        fields.faults.raise_all()
        return cls(sources=sources, contents=contents)
