"""A way to end at once what waits for a server, from another thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from transfer.errors import Unavailable
from transfer.http.messages import Reply


class Stopped(Exception):
    """The work is not wanted any more; no error of anybody's."""


class Stop:
    """Off until it is set, for good; one below another is set with it."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._replies: set[Reply] = set()
        self._below: list[Stop] = []

    def below(self) -> Self:
        """Another one, to stop a share of the work."""
        made = type(self)()
        with self._lock:
            self._below.append(made)
        if self._event.is_set():
            made.set()
        return made

    def set(self) -> None:
        """Let everybody know, also who waits for bytes right now."""
        self._event.set()
        with self._lock:
            replies, below = list(self._replies), list(self._below)
        for reply in replies:
            reply.abort()
        for other in below:
            other.set()

    def check(self) -> None:
        """Ask this after each wait, and before anything that it brought is used.

        Raises:
            Stopped: it is set.
        """
        if self._event.is_set():
            raise Stopped

    def wait(self, seconds: float) -> bool:
        """Sleep, until it is set; whether it is."""
        return self._event.wait(seconds)

    @contextmanager
    def reading(self, reply: Reply) -> Iterator[Reply]:
        """While the body reads from a reply, setting this ends the read.

        Raises:
            Stopped: it was set.
        """
        with self._lock:
            self._replies.add(reply)
        try:
            self.check()
            yield reply
        except Unavailable:
            self.check()  # it was not the server who broke off
            raise
        finally:
            with self._lock:
                self._replies.discard(reply)
