"""One blob into one target: not at all where it is, mounted where that works, otherwise sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from transfer.descriptor import Descriptor
from transfer.digest import Readable, VerifyingReader
from transfer.errors import IntegrityError, TransferError, Unavailable
from transfer.medium import Turn
from transfer.order import Numbered
from transfer.progress import SILENT, Progress
from transfer.run import Run
from transfer.store import Source, Stored, Target


def place_blob(run: Run, blob: Numbered, target: Target, origin: Target | None) -> None:
    """Bring a blob to a target; `origin` is one that has it already, thanks to us.

    It is read from the first of the sources, and from the next where that one fails.

    Its bytes count as progress once, for the first target: however many want it, a blob that is
    there ends at its size and one that failed at nothing.

    Raises:
        IntegrityError: the sources' bytes are wrong, or the target has not got what it took.
    """
    wanted, pace = blob.descriptor, run.pace(target)
    sending = _Sending(run, blob, run.progress if origin is None else SILENT)
    with pace.question():
        run.begin()
        if _has(target, wanted):
            sending.count_to(wanted.size)
            run.count(present=1)
            return
        if origin is not None and target.mount_blob(wanted, origin):
            _confirm(target, wanted)
            run.count(mounted=1)
            return
    sending.send_to(target)
    run.count(sent=wanted.size)


def _in_line(source: Source, blob: Descriptor) -> AbstractContextManager[None]:
    if isinstance(source, Stored):
        return source.medium.line(source.place(blob) or 0)
    return nullcontext()


def _has(target: Target, blob: Descriptor) -> bool:
    """Whether a target has a blob; not if it fails at this one each time it is asked.

    A crash may leave half of what says that it is there. Sending it anew mends that, or tells
    that everything fails.
    """
    try:
        return target.has_blob(blob)
    except Unavailable as error:
        if not error.stumbled:
            raise
        return False


def _confirm(target: Target, blob: Descriptor) -> None:
    if not target.has_blob(blob):
        raise IntegrityError(
            f"{target.description}: acknowledged blob {blob.digest} but does not have it",
            hint="the registry loses data; look at its storage and its log before trying again",
        )


class _Sending:
    """The content of a blob on its way: verified, counted, and stopped when the run is."""

    def __init__(self, run: Run, blob: Numbered, progress: Progress) -> None:
        self._run = run
        self._sources = blob.sources
        self._number = blob.number
        self._blob = blob.descriptor
        self._progress = progress
        self._counted = 0
        self._reading: _Reading

    def send_to(self, target: Target) -> None:
        """Push the blob, from the first source that has it, and see that it arrived."""
        *others, last = self._sources
        for source in others:
            try:
                return self._send(source, target)
            except TransferError:
                if not self._reading.failed:
                    raise
        return self._send(last, target)

    def _send(self, source: Source, target: Target) -> None:
        pace = self._run.pace(target)
        self._reading = _Reading(self._run, source, self._blob, self.count_to, pace.moved)
        try:
            with pace.turn(self._number), _in_line(source, self._blob):
                self._run.begin()
                target.push_blob(self._blob, self._reading.open)
            with pace.question():
                _confirm(target, self._blob)
        except BaseException:
            self.count_to(0)
            raise
        self.count_to(self._blob.size)

    def count_to(self, total: int) -> None:
        """Let `total` bytes of this blob count as done, whatever counted before."""
        self._progress.advance(total - self._counted)
        self._counted = total


class _Reading:
    """A blob as one source has it, verified while it is read, as often as it is opened."""

    def __init__(
        self,
        run: Run,
        source: Source,
        blob: Descriptor,
        count_to: Callable[[int], None],
        moved: Callable[[int], None],
    ) -> None:
        self._run = run
        self._source = source
        self._blob = blob
        self._count_to = count_to
        self._moved = moved
        self._counted = 0
        self._has_failed = False
        self._stream: Readable
        self._turn: Turn | None = None
        self._proof: VerifyingReader | None = None

    @property
    def failed(self) -> bool:
        """Whether it was the source that failed, or what it holds is something else."""
        return self._has_failed or (self._proof is not None and self._proof.refused)

    @contextmanager
    def open(self) -> Iterator[Readable]:
        """Open it at its first byte."""
        self._counted = 0
        self._count_to(0)  # what an earlier attempt sent was in vain
        what = f"{self._source.description}: blob {self._blob.digest}"
        with ExitStack() as stack:
            if isinstance(self._source, Stored):
                place = self._source.place(self._blob) or 0
                turn = self._source.medium.turn(place, self._blob.size)
                self._turn = stack.enter_context(turn)
            with self._noted():
                self._stream = stack.enter_context(self._source.open(self._blob))
            self._proof = VerifyingReader(self, self._blob.digest, self._blob.size, what)
            yield self._proof

    def read(self, size: int = -1, /) -> bytes:
        """Pass a block of the source on."""
        self._run.go_on()
        with self._noted():
            turn, stream = self._turn, self._stream
            block = turn.read(stream, size) if turn else stream.read(size)
        self._counted += len(block)
        self._count_to(self._counted)
        self._moved(len(block))
        return block

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except TransferError:
            self._has_failed = True
            raise
