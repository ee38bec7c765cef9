"""The graph below an image: which manifests and blobs it is made of."""

from __future__ import annotations

from transfer.descriptor import MAX_MANIFEST_SIZE, Descriptor, Manifest
from transfer.digest import Digest, read_verified
from transfer.errors import IntegrityError
from transfer.store import Source

MAX_DEPTH = 8
"""How deep indexes may nest before they are taken for a trap."""

MAX_MANIFESTS = 1000
"""Manifests of one image; those with the most platforms have some dozens."""

MAX_BYTES = 64 << 20
"""Bytes of all of them, which are in memory at once."""


def successors(source: Source, root: Descriptor) -> tuple[Manifest, ...]:
    """Every manifest at and below `root`, children before parents, the root last, each once.

    Raises:
        NotFound: the source lacks one.
        IntegrityError: a manifest is not what its descriptor promised.
    """
    walk = _Walk(source)
    walk.descend(root, 0)
    return tuple(walk.found.values())


class _Walk:
    """The manifests that were found so far."""

    def __init__(self, source: Source) -> None:
        self.found: dict[Digest, Manifest] = {}
        self._source = source
        self._manifests = 0
        self._bytes = 0

    def descend(self, descriptor: Descriptor, depth: int) -> None:
        if descriptor.digest in self.found:
            return
        what = f"{self._source.description}: manifest {descriptor.digest}"
        if depth > MAX_DEPTH:
            raise IntegrityError(f"{what}: indexes nest more than {MAX_DEPTH} deep")
        if descriptor.size > MAX_MANIFEST_SIZE:
            raise IntegrityError(
                f"{what}: {descriptor.size} bytes are more than a manifest may have"
            )
        self._count(descriptor, what)
        with self._source.open(descriptor) as stream:
            raw = read_verified(stream, descriptor.digest, descriptor.size, what)
        manifest = Manifest.parse(raw, what, algorithm=descriptor.digest.algorithm)
        for child in manifest.manifests:
            self.descend(child, depth + 1)
        self.found[descriptor.digest] = manifest

    def _count(self, descriptor: Descriptor, what: str) -> None:
        self._manifests += 1
        self._bytes += descriptor.size
        if self._manifests > MAX_MANIFESTS:
            raise IntegrityError(f"{what}: an image with more than {MAX_MANIFESTS} manifests")
        if self._bytes > MAX_BYTES:
            raise IntegrityError(f"{what}: an image with more than {MAX_BYTES} bytes of manifests")
