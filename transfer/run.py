"""What the workers of one `copy` share: threads, brake, counters and progress."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from transfer.delivery import NotTried
from transfer.errors import StorageError, TransferError, Unavailable
from transfer.pace import START, UNPACED, Clock, Pace, Unpaced
from transfer.progress import Progress
from transfer.store import Remote, Target

BREAKER = 3
"""Failures in a row to reach or write to a side, after which nothing new is started."""

NAMING_JOBS = 4
"""Images whose manifests are written and read back at the same time."""

_BRAKED = "some were not tried: too many failures in a row before them"

_Result = TypeVar("_Result")


class Run:
    """One `copy` from its first question to its last answer."""

    def __init__(self, jobs: int, progress: Progress, clock: Clock | None = None) -> None:
        """With a clock, how many work at a time on a host is found out; `jobs` is the most."""
        self.jobs = min(jobs, START) if clock else jobs
        """How many blobs are moved at a time, as far as that is known beforehand."""
        self._clock = clock
        self._paces: dict[str, Pace] = {}
        self.workers = ThreadPoolExecutor(jobs, thread_name_prefix="copy")
        self.namers = ThreadPoolExecutor(NAMING_JOBS, thread_name_prefix="name")
        self.progress = progress
        self.blobs_sent = 0
        self.bytes_sent = 0
        self.blobs_mounted = 0
        self.blobs_present = 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._failures_in_a_row = 0

    def pace(self, target: Target) -> Pace | Unpaced:
        """How many may work on a target at a time."""
        if self._clock is None:
            return UNPACED
        remote = target if isinstance(target, Remote) else None
        host = remote.host if remote else ""
        with self._lock:
            found = self._paces.get(host)
            if found is None:
                setbacks = (lambda: remote.setbacks) if remote else (lambda: 0)
                found = self._paces[host] = Pace(self._clock, setbacks)
            return found

    def close(self) -> None:
        """Everything was waited for; let the threads go."""
        self.workers.shutdown()
        self.namers.shutdown()

    def abandon(self) -> None:
        """Ctrl-C above all: running transfers fail at their next block, nothing new starts."""
        self._stopped.set()
        self.workers.shutdown(wait=False, cancel_futures=True)
        self.namers.shutdown(wait=False, cancel_futures=True)

    def begin(self) -> None:
        """Ask this before something is begun, after waiting for a turn at it.

        Raises:
            NotTried: the run was abandoned, or braked meanwhile.
        """
        self.go_on()
        if self.braked:
            raise NotTried(_BRAKED)

    def go_on(self) -> None:
        """Ask this before anything that another process or a person could see.

        Raises:
            NotTried: the run was abandoned.
        """
        if self._stopped.is_set():
            raise NotTried("interrupted")

    @property
    def braked(self) -> bool:
        """Whether nothing new is started any more: too many failures in a row."""
        return self._failures_in_a_row >= BREAKER

    def attempt(self, work: Callable[..., _Result]) -> Callable[..., _Result | TransferError]:
        """`work`, with its TransferError as a value, and the brake before it."""

        def attempted(*args: object) -> _Result | TransferError:
            if self.braked:
                return NotTried(_BRAKED)
            try:
                self.go_on()
                result = work(*args)
            except TransferError as error:
                if isinstance(error, (Unavailable, StorageError)):
                    self._failed()
                return error
            self._succeeded()
            return result

        return attempted

    def _failed(self) -> None:
        with self._lock:
            self._failures_in_a_row += 1

    def _succeeded(self) -> None:
        with self._lock:
            # What was on its way when the brake was pulled does not release it.
            if self._failures_in_a_row < BREAKER:
                self._failures_in_a_row = 0

    def count(self, *, sent: int | None = None, mounted: int = 0, present: int = 0) -> None:
        """Add to the counters; `sent` is the size in bytes of a blob that was sent."""
        with self._lock:
            if sent is not None:
                self.blobs_sent += 1
                self.bytes_sent += sent
            self.blobs_mounted += mounted
            self.blobs_present += present
