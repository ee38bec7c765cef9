"""The graph below an image: which manifests and blobs it is made of."""

from __future__ import annotations

from transfer.descriptor import MAX_MANIFEST_SIZE, Descriptor, Manifest
from transfer.digest import Digest, read_verified
from transfer.errors import IntegrityError
from transfer.store import Source

MAX_DEPTH = 8
"""How deep indexes may nest before they are taken for a trap."""


def successors(source: Source, root: Descriptor) -> tuple[Manifest, ...]:
    """Every manifest at and below `root`, children before parents, the root last, each once.

    Raises:
        NotFound: the source lacks one.
        IntegrityError: a manifest is not what its descriptor promised.
    """
    found: dict[Digest, Manifest] = {}
    _descend(source, root, found, 0)
    return tuple(found.values())


def _descend(
    source: Source, descriptor: Descriptor, found: dict[Digest, Manifest], depth: int
) -> None:
    if descriptor.digest in found:
        return
    what = f"{source.description}: manifest {descriptor.digest}"
    if depth > MAX_DEPTH:
        raise IntegrityError(f"{what}: indexes nest more than {MAX_DEPTH} deep")
    if descriptor.size > MAX_MANIFEST_SIZE:
        raise IntegrityError(f"{what}: {descriptor.size} bytes are more than a manifest may have")
    with source.open(descriptor) as stream:
        raw = read_verified(stream, descriptor.digest, descriptor.size, what)
    manifest = Manifest.parse(raw, what, algorithm=descriptor.digest.algorithm)
    for child in manifest.manifests:
        _descend(source, child, found, depth + 1)
    found[descriptor.digest] = manifest
