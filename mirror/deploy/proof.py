"""What KOTS is handed is proven once more, at that moment.

Between the opening of the sources and the last command may lie an hour, in which a disk is pulled
out and another one mounted in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mirror.deploy.offers import offers
from mirror.offer import Offered
from transfer.bundle import Bundle
from transfer.bundle.tree import digest_file
from transfer.errors import DigestMismatch
from transfer.sources import OpenSource


class Prover:
    """Knows every archive that sources offer, by its absolute path."""

    def __init__(self, paths: Sequence[Path], sources: Sequence[OpenSource]) -> None:
        """`paths` are where the sources are."""
        self._known = {
            path: (source, offer)
            for place, source in zip(paths, sources, strict=True)
            for offer in offers([place], [source])
            for path in _paths(offer)
        }

    def __call__(self, path: str) -> None:
        """See that an archive is still the one that was opened.

        One that was put together here is ours, and was proven as it was written.

        Raises:
            CorruptBundle, DigestMismatch: it is another one.
            NotFound, StorageError: it cannot be read any more.
        """
        if path not in self._known:
            return
        source, offer = self._known[path]
        if isinstance(source.content, Bundle):
            root = source.content.path.absolute()
            source.content.check_files([Path(path).relative_to(root).as_posix()])
            return
        found = digest_file(Path(path), source.description)
        if found != offer.record.digest:
            raise DigestMismatch(
                f"{source.description}: was {offer.record.digest} when it was opened, "
                f"and is {found} now",
                hint="something writes to it: copy it to a disk of this machine",
            )


def _paths(offer: Offered) -> Iterator[str]:
    yield from filter(None, (offer.slim, offer.full))
