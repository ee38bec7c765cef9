"""Full archives put together again, for `--engine kots`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mirror.offer import Offered
from transfer.archive import AirgapArchive, write_full
from transfer.disk import ingest
from transfer.errors import InvalidInput
from transfer.sources import OpenSource


@dataclass(frozen=True, slots=True)
class Assembler:
    """Writes full archives from opened sources; each byte is proven on the way."""

    sources: Sequence[OpenSource]

    def __call__(self, offer: Offered, path: str) -> None:
        """Write the archive that was offered to `path`, whole or not at all.

        Raises:
            IntegrityError: the source lacks something, or has it wrong.
            StorageError: it cannot be written.
        """
        if offer.slim is None:
            raise InvalidInput(f"{offer.record.file_name}: the source has no archive to start from")
        source = next(
            source.content for source in self.sources if offer.record in source.contents.archives
        )
        final = Path(path)
        with (
            AirgapArchive.read(Path(offer.slim)) as slim,
            ingest(final, final.parent, f"--work-dir {final.parent}") as stream,
        ):
            write_full(stream, slim, offer.record.images, source)
