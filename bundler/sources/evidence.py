"""Who says which digest a file has, and what happens when two do not agree."""

from __future__ import annotations

import re
from dataclasses import replace

from bundler.sources.protocol import Evidence, Promise
from transfer.digest import Digest
from transfer.errors import DigestMismatch, IntegrityError

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def with_spec(promise: Promise, sha256: Digest | None, source: str) -> Promise:
    """The promise with what the spec says; `source` names the file in messages.

    Raises:
        IntegrityError: the source says another digest.
    """
    if sha256 is None:
        return promise
    if promise.digest is None:
        return replace(promise, digest=sha256, evidence=Evidence.SPEC)
    if promise.digest != sha256:
        raise IntegrityError(
            f"{source}: the spec says {sha256}, the {promise.evidence} {promise.digest}",
            hint="if the spec names the right file, ask the vendor why; if the release was made "
            "anew and that is meant, change sha256: in the spec",
        )
    return promise


def agrees(checksum: str, digest: Digest) -> bool | None:
    """Whether a checksum of undocumented kind is this digest; None if it cannot be compared.

    Sixty-four hexadecimal digits are taken for a SHA-256.
    """
    found = _SHA256.fullmatch(checksum.strip().lower())
    if found is None or digest.algorithm != "sha256":
        return None
    return found[1] == digest.encoded


def settle(promise: Promise, found: Digest, source: str) -> Promise:
    """The promise when the bytes are here and hash to `found`.

    A vendor's checksum that is their SHA-256 becomes the evidence. One that is not is refused,
    unless somebody else vouches for the bytes: then a note tells of it.

    Raises:
        DigestMismatch: nobody but the vendor said anything, and said something else.
    """
    verdict = agrees(promise.checksum, found)
    if promise.digest is None and verdict is False:
        raise DigestMismatch(
            f"{source}: the vendor's checksum is {promise.checksum}, found {found}",
            hint="run the same command again; if the vendor confirms this file by another way, "
            "write its SHA-256 as sha256: into the spec",
        )
    if promise.digest is None and verdict:
        return replace(promise, digest=found, evidence=Evidence.VENDOR)
    if verdict is False:
        note = "the vendor's checksum is not the file's SHA-256"
        return replace(promise, notes=(*promise.notes, note))
    return promise
