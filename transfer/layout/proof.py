"""What is wrong with the images of a source: everything they reach, read and compared."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from transfer.descriptor import Descriptor
from transfer.digest import Digest, VerifyingReader
from transfer.disk import BLOCK
from transfer.errors import MissingContent, NotFound, TransferError
from transfer.graph import successors
from transfer.progress import Progress
from transfer.store import Source


def find_faults(
    source: Source, roots: Mapping[str, Descriptor], *, jobs: int, progress: Progress
) -> list[TransferError]:
    """Read every manifest and blob below `roots`; return what is wrong, each thing once."""
    faults: dict[str, TransferError] = {}
    blobs: dict[Digest, Descriptor] = {}
    for root in roots.values():
        try:
            manifests = successors(source, root)
        except TransferError as error:
            faults.setdefault(str(error), as_fault(error))
        else:
            blobs |= {blob.digest: blob for manifest in manifests for blob in manifest.blobs}
    progress.begin("verifying", sum(blob.size for blob in blobs.values()))
    try:
        with ThreadPoolExecutor(jobs) as pool:
            found = pool.map(lambda blob: _fault_of(source, blob, progress), blobs.values())
            faults |= {str(error): error for error in found if error is not None}
    finally:
        progress.end()
    return list(faults.values())


def as_fault(error: TransferError) -> TransferError:
    """What was listed and not found is missing: an integrity fault, not a wrong question."""
    return MissingContent(error.message, hint=error.hint) if isinstance(error, NotFound) else error


def prove(source: Source, blob: Descriptor, progress: Progress) -> None:
    """Read a blob to its end, and compare it with its digest and size.

    Raises:
        IntegrityError: it is something else.
        TransferError: it cannot be read.
    """
    what = f"{source.description}: blob {blob.digest}"
    with source.open(blob) as stream:
        reader = VerifyingReader(stream, blob.digest, blob.size, what)
        while block := reader.read(BLOCK):
            progress.advance(len(block))


def _fault_of(source: Source, blob: Descriptor, progress: Progress) -> TransferError | None:
    try:
        prove(source, blob, progress)
    except TransferError as error:
        return as_fault(error)
    return None
