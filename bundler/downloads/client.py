"""Files from http(s) addresses: several at once, each resumed, proven and kept.

For each file: the cache has it, or the server says that it is what came the last time, or it is
fetched (`bundler.downloads.fetching`) into its part (`bundler.downloads.part`). An address may
carry a signature in its query, which is never repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from bundler.downloads.cache import Cache
from bundler.downloads.fetching import Fetching
from bundler.downloads.journal import Content, read_journal
from bundler.downloads.limits import Limiter
from bundler.downloads.means import Means
from bundler.downloads.part import Part, journal_of
from bundler.downloads.remembered import Memory, recall, remember, still_same
from bundler.downloads.space import require_room
from bundler.downloads.stop import Stop
from bundler.downloads.tally import Tally
from bundler.downloads.values import Download, Fetched, Pace
from transfer.digest import Digest
from transfer.errors import DigestMismatch, Incomplete, InvalidInput, TransferError, raise_together
from transfer.http.retry import RetryPolicy
from transfer.http.transport import Transport
from transfer.http.trust import load_trust
from transfer.interrupt import ctrl_c_heard
from transfer.progress import SILENT, Progress
from transfer.text import counted, human_bytes

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """How things are downloaded."""

    retry: RetryPolicy | None
    """None for the usual one, whose pauses end at Ctrl-C."""
    pace: Pace
    limiter: Limiter
    jobs: int


class Downloads:
    """The way to everything that is fetched by address; a context manager."""

    def __init__(
        self, cache: Cache, transport: Transport, manner: _Manner, progress: Progress
    ) -> None:
        """Use `connect`."""
        self._cache = cache
        self._transport = transport
        self._manner = manner
        self._progress = progress
        self._workers = ThreadPoolExecutor(manner.jobs, thread_name_prefix="download")
        helpers = max(1, manner.pace.extra)
        self._helpers = ThreadPoolExecutor(helpers, thread_name_prefix="range")
        self._interrupted = False

    @classmethod
    def connect(  # noqa: PLR0913 - one for each option; all but the first have a default
        cls,
        cache: Path,
        *,
        ca_file: Path | None = None,
        environ: Mapping[str, str] | None = None,
        jobs: int = 4,
        limit_rate: int | None = None,
        retry: RetryPolicy | None = None,
        pace: Pace | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Prepare to download; nothing is sent and nothing is written yet.

        Args:
            cache: The folder; made when it is needed.
            ca_file: PEM; the only authorities to be trusted. By default those of the system.
            environ: Names the proxies (`https_proxy`, `no_proxy`).
            jobs: Files under way at the same time.
            limit_rate: Bytes a second over all connections together; None for no limit.
            retry: How often to try what is temporarily unavailable and brings no byte.
            pace: When a connection counts as stalled, and when as slow.
            progress: Told of bytes, retries and waiting.

        Raises:
            InvalidInput: the CA file cannot be used.
        """
        transport = Transport(load_trust(ca_file), environ or {})
        manner = _Manner(retry=retry, pace=pace or Pace(), limiter=Limiter(limit_rate), jobs=jobs)
        return cls(Cache(cache), transport, manner, progress)

    def __enter__(self) -> Self:
        """Nothing more."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the connections; what was fetched is not held in the cache any more."""
        # After Ctrl-C nobody waits for a server that does not answer.
        self._workers.shutdown(wait=not self._interrupted, cancel_futures=True)
        self._helpers.shutdown(wait=not self._interrupted, cancel_futures=True)
        self._transport.close()
        self._cache.release()

    def fetch(self, wanted: Download) -> Fetched:
        """One file, from the cache or from where it is.

        Raises:
            TransferError: as `fetch_all`, for its own reason.
        """
        return self.fetch_all([wanted])[0]

    def fetch_all(self, wanted: Sequence[Download]) -> tuple[Fetched, ...]:
        """Several files at once, in the order in which they are wanted.

        One that fails does not stop the others: they are in the cache afterwards.

        Raises:
            StorageError: there is not enough room, and nothing was fetched.
            Incomplete: some could not be had, for the reasons in its faults; of their own class
                where none could and all reasons are of one kind.
            DigestMismatch, SizeMismatch: other content is there; none of it was kept.
            AccessDenied, NotFound, InvalidInput: the server says so.
            Unavailable: no byte arrived, as often as it was tried.
        """
        distinct = {_key(one): one for one in wanted}
        stop = Stop()
        try:
            with ctrl_c_heard():
                found = self._fetch_distinct(list(distinct.values()), stop)
        except BaseException as error:
            self._interrupted = not isinstance(error, Exception)
            stop.set()
            raise
        fetched = _without_failures(found)
        results = dict(zip(distinct, fetched, strict=True))
        return tuple(results[_key(one)] for one in wanted)

    def present(self, wanted: Download) -> Fetched | None:
        """A file as the cache has it; nobody is asked.

        Raises:
            StorageError: the cache cannot be read.
        """
        if wanted.digest is not None:
            return self._cache.find(wanted.digest, wanted.size)
        if wanted.pinned and (memory := recall(self._cache, wanted.identity)):
            return self._cache.find(memory.digest, memory.size)
        return None

    def missing(self, wanted: Sequence[Download]) -> int:
        """Bytes that are still to be written into the cache, as far as their number is known.

        Raises:
            StorageError: the cache cannot be read.
        """
        distinct = {_key(one): one for one in wanted}
        return sum(self._missing(one) for one in distinct.values())

    def forget(self, digest: Digest) -> None:
        """Remove a file that turned out to be damaged in the cache.

        Raises:
            StorageError: it cannot be removed.
        """
        self._cache.forget(digest)

    def _fetch_distinct(
        self, wanted: Sequence[Download], stop: Stop
    ) -> list[Fetched | TransferError]:
        known = self._each(self._known, wanted)
        lacking = [one for one, found in zip(wanted, known, strict=True) if found is None]
        if lacking:
            subject = lacking[0].what if len(lacking) == 1 else counted(len(lacking), "download")
            self._require_room_for(subject, lacking)
            tally = Tally(self._progress, subject, _total(lacking))
            bring = partial(self._bring, means=self._means(stop), tally=tally)
            try:
                brought = iter(self._each(bring, lacking))
            finally:
                tally.end()
        return [next(brought) if found is None else found for found in known]

    def _each(
        self, work: Callable[[Download], _Result], wanted: Sequence[Download]
    ) -> list[_Result | TransferError]:
        """The results of `work`, or why there are none."""

        def attempt(one: Download) -> _Result | TransferError:
            try:
                return work(one)
            except TransferError as error:
                return error

        futures = [self._workers.submit(attempt, one) for one in wanted]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            raise

    def _means(self, stop: Stop) -> Means:
        return Means(
            transport=self._transport,
            retry=self._manner.retry or RetryPolicy(sleep=stop.wait),
            limiter=self._manner.limiter,
            pace=self._manner.pace,
            helpers=self._helpers,
            stop=stop,
            require_room=self._require_room,
        )

    def _require_room(self, subject: str, needed: int) -> None:
        require_room(self._cache.root, needed, self._cache.what, subject)

    def _require_room_for(self, subject: str, lacking: Sequence[Download]) -> None:
        missing = [self._missing(one) for one in lacking]
        most, largest = max(zip(missing, (one.what for one in lacking), strict=True))
        if len(lacking) > 1:
            subject += f" ({human_bytes(most)} of it for {largest})"
        self._require_room(subject, sum(missing))

    def _known(self, wanted: Download) -> Fetched | None:
        """What the cache has, if that is certainly what is wanted."""
        if wanted.digest is not None:
            if wanted.digest.algorithm != "sha256":
                raise InvalidInput(
                    f"{wanted.what}: expected a SHA-256, found {wanted.digest.algorithm}",
                    hint="downloads are kept by their SHA-256",
                )
            return self.present(wanted)
        memory = recall(self._cache, wanted.identity)
        found = memory and self._cache.find(memory.digest, memory.size)
        if not memory or not found:
            return None
        same = still_same(wanted, memory, self._transport, self._manner.pace.stall)
        return found if same else None

    def _missing(self, wanted: Download) -> int:
        if self.present(wanted):
            return 0
        noted = read_journal(journal_of(self._cache.part(wanted)), wanted.what)
        size = wanted.size if wanted.size is not None else noted.content.size
        return 0 if size is None else max(0, size - noted.here.total)

    def _bring(self, wanted: Download, means: Means, tally: Tally) -> Fetched:
        part = Part.open(self._cache.part(wanted), wanted.what, means.stop, tally)
        try:
            # Another process may have brought it a moment ago.
            if found := self._known(wanted) if part.waited else self.present(wanted):
                return found
            if part.content.size is not None:
                tally.told(part.content.size)
            tally.advance(part.here)
            digest = _prove(wanted, part, means, tally)
            fetched = Fetched(
                path=self._cache.path(digest), digest=digest, size=part.content.size or 0
            )
            memory = Memory(
                identity=wanted.identity,
                file_name=wanted.file_name,
                digest=digest,
                size=fetched.size,
                validator=part.content.validator,
            )
            remember(self._cache, memory)
            self._cache.hold(digest, part.keep_as(fetched.path, self._cache.note(digest)))
        finally:
            part.close()
        return fetched


def _prove(wanted: Download, part: Part, means: Means, tally: Tally) -> Digest:
    digest = Fetching(wanted, part, means, tally).bring()
    if part.continued and wanted.digest not in (None, digest):
        tally.say(f"{part.what}: what an earlier run left does not fit; starting over")
        part.begin(Content())
        digest = Fetching(wanted, part, means, tally).bring()
    if wanted.digest not in (None, digest):
        part.remove()
        raise DigestMismatch(
            f"{part.what}: expected {wanted.digest}, found {digest}; it was removed",
            hint="the server has another file now, or the lock or the spec a wrong SHA-256: "
            "compare it with the one the vendor gave",
        )
    return digest


def _key(wanted: Download) -> Digest | str:
    """What makes two downloads one."""
    return wanted.digest or wanted.identity


def _total(wanted: Sequence[Download]) -> int | None:
    """Bytes of all of them; None for one of unknown size, which may still be told."""
    sizes = [one.size for one in wanted if one.size is not None]
    if len(sizes) == len(wanted):
        return sum(sizes)
    return None if len(wanted) == 1 else 0


def _without_failures(found: Sequence[Fetched | TransferError]) -> list[Fetched]:
    """All of them.

    Raises:
        TransferError: some are missing.
    """
    errors = [one for one in found if isinstance(one, TransferError)]
    if errors and len(found) == 1:
        raise errors[0]
    kinds = {type(error) for error in errors}
    if len(errors) == len(found) and len(kinds) == 1:
        raise_together(kinds.pop(), f"none of {len(found)} files could be fetched", errors)
    raise_together(
        Incomplete,
        f"{len(errors)} of {counted(len(found), 'file')} could not be fetched",
        errors,
        hint="the others are in the cache: mend what is named here, then run the same command, "
        "which fetches only what is missing",
    )
    return [one for one in found if isinstance(one, Fetched)]
