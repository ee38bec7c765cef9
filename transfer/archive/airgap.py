"""A vendor's archive, read in place: never unpacked, every byte of it proven.

The first pass inflates the file once from start to end: it hashes the file, indexes what is in
it, and compares every blob with its name and every docker-save layer with the configuration
that lists it. Afterwards any blob is read straight from the file (see `gzipstream`), by any
number of threads.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import BinaryIO, Self

from transfer.archive.compress import Compressor
from transfer.archive.describe import Describing
from transfer.archive.gzipstream import GzipFile
from transfer.archive.packing import Packing
from transfer.archive.scan import AIRGAP_YAML, APP_ARCHIVE, Found, scan
from transfer.archive.shelf import Shelf
from transfer.archive.tarscan import Section
from transfer.archive.tarwrite import TarWriter
from transfer.contents import ArchiveRecord
from transfer.descriptor import Descriptor
from transfer.digest import Readable
from transfer.errors import CorruptArchive, InvalidInput, NotFound, TransferError, raise_together
from transfer.outlet import Outlet
from transfer.progress import SILENT, Progress
from transfer.text import counted


class AirgapArchive:
    """A KOTS archive or a docker-save archive that was read and proven: a source of blobs."""

    def __init__(
        self,
        file: GzipFile,
        record: ArchiveRecord,
        found: Found,
        shelf: Shelf,
        resources: ExitStack,
    ) -> None:
        """Made by `read`."""
        self.path = file.path
        self.description = file.what
        """How messages name this side."""
        self.record = record
        """What the archive is and holds."""
        self.airgap_yaml = found.airgap_yaml
        """The bytes of `airgap.yaml`; None where the archive has none."""
        self._app = found.app
        self._shelf = shelf
        self._resources = resources

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        file_name: str = "",
        unnamed: str = "",
        outlet: Outlet | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Read and prove an archive; close it, or use it as a context manager.

        An archive without `images/` is complete in itself: KOTS takes it for one whose images
        were pushed before, and that is what `write_slim` writes. Its record has no images.

        Args:
            path: The file.
            file_name: The vendor's name for it, where it is kept under another.
            unnamed: The name of an image that a docker-save archive has without a name.
            outlet: Where images of docker-save tars go: those that are there are not made, and
                cannot be read; layers of the others are sent there as they are made.
            progress: Told of every byte that is read.

        Raises:
            NotFound, StorageError: the file cannot be read.
            InvalidInput: it is no archive of the vendor's, or its `airgap.yaml` is not valid.
            CorruptArchive: it cannot be trusted; with every fault that was found.
        """
        with ExitStack() as resources:
            file = resources.enter_context(GzipFile(path, file_name))
            compressor = resources.enter_context(Compressor())
            shelf = Shelf(file, compressor)
            faults: list[TransferError] = []
            found = scan(file, shelf, progress, faults)
            packing = Packing(shelf, compressor, progress, faults, outlet)
            record = Describing(file, found, shelf, packing, faults, unnamed).record()
            _raise_faults(file.what, faults)
            return cls(file, record, found, shelf, resources.pop_all())

    def __enter__(self) -> Self:
        """Read from it until the block ends."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the file; nothing can be read from it any more."""
        self._resources.close()

    def open(self, descriptor: Descriptor) -> AbstractContextManager[Readable]:
        """Open a blob or manifest at its first byte; it is not verified here.

        Raises:
            NotFound: it is not in the archive.
        """
        return self._shelf.open(descriptor.digest)

    def place(self, descriptor: Descriptor) -> int | None:
        """Where it begins, so that whoever wants much goes through the archive forward."""
        return self._shelf.where(descriptor.digest)

    def app_archive(self) -> AbstractContextManager[Section] | None:
        """Open `app.tar.gz`, which knows its `size`; None where the archive has none."""
        return nullcontext(self._shelf.section(self._app)) if self._app else None

    def write_slim(self, stream: BinaryIO) -> None:
        """Write the archive without its images: `airgap.yaml` and `app.tar.gz` as they are.

        The same archive gives the same bytes on every machine.

        Raises:
            NotFound: the archive has no `airgap.yaml`; its record's `slim` is None then.
        """
        if self.airgap_yaml is None:
            raise NotFound(f"{self.description}: has no {AIRGAP_YAML}")
        with TarWriter(stream) as tar:
            tar.add(AIRGAP_YAML, self.airgap_yaml)
            app = self.app_archive()
            if app is not None:
                with app as content:
                    tar.add_stream(APP_ARCHIVE, content, content.size)


def _raise_faults(what: str, faults: list[TransferError]) -> None:
    """Raise what was found: InvalidInput if nothing but the choice of the file is at fault."""
    chosen = all(isinstance(fault, InvalidInput) for fault in faults)
    kind = InvalidInput if chosen else CorruptArchive
    raise_together(kind, f"{what}: {counted(len(faults), 'fault')}", faults)
