"""One blob into one target: not at all where it is, mounted where that works, otherwise sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from transfer.descriptor import Descriptor
from transfer.digest import Readable, VerifyingReader
from transfer.errors import IntegrityError
from transfer.progress import SILENT, Progress
from transfer.run import Run
from transfer.store import Source, Target


def place_blob(
    run: Run, blob: Descriptor, source: Source, target: Target, origin: Target | None
) -> None:
    """Bring a blob to a target; `origin` is one that has it already, thanks to us.

    Its bytes count as progress once, for the first target: however many want it, a blob that is
    there ends at its size and one that failed at nothing.

    Raises:
        IntegrityError: the source's bytes are wrong, or the target has not got what it took.
    """
    sending = _Sending(run, source, blob, run.progress if origin is None else SILENT)
    if target.has_blob(blob):
        sending.count_to(blob.size)
        run.count(present=1)
    elif origin is not None and target.mount_blob(blob, origin):
        _confirm(target, blob)
        run.count(mounted=1)
    else:
        sending.send_to(target)
        run.count(sent=blob.size)


def _confirm(target: Target, blob: Descriptor) -> None:
    if not target.has_blob(blob):
        raise IntegrityError(
            f"{target.description}: acknowledged blob {blob.digest} but does not have it",
            hint="the registry loses data; look at its storage and its log before trying again",
        )


class _Sending:
    """The content of a blob on its way: verified, counted, and stopped when the run is."""

    def __init__(self, run: Run, source: Source, blob: Descriptor, progress: Progress) -> None:
        self._run = run
        self._source = source
        self._blob = blob
        self._progress = progress
        self._counted = 0
        self._stream: Readable

    def send_to(self, target: Target) -> None:
        """Push the blob, and see that it arrived."""
        try:
            target.push_blob(self._blob, self._open)
            _confirm(target, self._blob)
        except BaseException:
            self.count_to(0)
            raise
        self.count_to(self._blob.size)

    def count_to(self, total: int) -> None:
        """Let `total` bytes of this blob count as done, whatever counted before."""
        self._progress.advance(total - self._counted)
        self._counted = total

    @contextmanager
    def _open(self) -> Iterator[Readable]:
        self.count_to(0)  # what an earlier attempt sent was in vain
        what = f"{self._source.description}: blob {self._blob.digest}"
        with self._source.open(self._blob) as self._stream:
            yield VerifyingReader(self, self._blob.digest, self._blob.size, what)

    def read(self, size: int = -1, /) -> bytes:
        """Pass a block of the source on."""
        self._run.go_on()
        block = self._stream.read(size)
        self.count_to(self._counted + len(block))
        return block
