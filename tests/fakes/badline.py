"""A bad line to a server: a proxy that passes requests on, and spoils one now and then.

Which requests, and how, is drawn from a seed; each way to spoil one comes up as often as every
other. Whoever is asked for a status that was made up here never sees the request.
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from tests.fakes.faulty import Action, Exchange, FaultyServer, status

STALL = 1.0
"""Seconds in which nothing moves."""

_PIECE = 1 << 16
_NO_LINGER = struct.pack("ii", 1, 0)
_OF_ONE_HOP = {"connection", "transfer-encoding", "keep-alive"}


class _Passage(Exchange):
    """One request on its way to the server behind, and the answer on its way back."""

    server: Any
    lost = short = False

    def setup(self) -> None:
        super().setup()
        self._far: http.client.HTTPConnection | None = None

    def finish(self) -> None:
        if self._far:
            self._far.close()
        super().finish()

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, http.client.HTTPException):  # either side is gone: so is the other
            self.reset()

    def handle_one_request(self) -> None:
        self.lost = self.short = False
        super().handle_one_request()

    def serve(self) -> None:
        """Pass it on."""
        owner: BadLine = self.server.owner
        if self._far is None:
            self._far = http.client.HTTPConnection(owner.behind, timeout=60)
        self._far.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            self._far.putheader(name, value)
        self._far.endheaders()
        for piece in self.body():
            self._far.send(piece)
        with closing(self._far.getresponse()) as answer:
            self._give(answer.status, answer.headers, answer.read())

    def body(self) -> Iterator[bytes]:
        """The request's body in pieces; the line knows no chunks."""
        left = int(self.headers.get("Content-Length") or 0)
        while left and (piece := self.rfile.read(min(left, _PIECE))):
            left -= len(piece)
            yield piece
        if left:
            raise ConnectionError("the client is gone")

    def _give(self, code: int, headers: http.client.HTTPMessage, body: bytes) -> None:
        lines = [f"HTTP/1.1 {code} {http.client.responses.get(code, '')}"]
        lines += [f"{k}: {v}" for k, v in headers.items() if k.lower() not in _OF_ONE_HOP]
        if "Content-Length" not in headers and code != http.HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(body)}")
        whole = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        if self.lost:
            self.reset()
        elif self.short:
            self.wfile.write(whole[: self.server.owner.draw(1, len(whole) - 1)])
            self.close_connection = True
        else:
            self.wfile.write(whole)

    def reset(self) -> None:
        """Let the client's side of the connection end as when a machine is switched off."""
        self.close_connection = True
        if self.connection.fileno() >= 0:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            socket.socket(fileno=self.connection.detach()).close()


def _cut(exchange: Exchange) -> bool:
    """Reset after some part of the request."""
    assert isinstance(exchange, _Passage)
    length = int(exchange.headers.get("Content-Length") or 0)
    exchange.rfile.read(exchange.server.owner.draw(0, length))
    exchange.reset()
    return True


def _lose(exchange: Exchange) -> bool:
    """The server does what it is asked, and nobody hears of it."""
    assert isinstance(exchange, _Passage)
    exchange.lost = True
    return False


def _shorten(exchange: Exchange) -> bool:
    """The server does what it is asked; its answer ends in the middle."""
    assert isinstance(exchange, _Passage)
    exchange.short = True
    return False


def _stall(exchange: Exchange) -> bool:
    """Nothing for a while, and then on."""
    assert isinstance(exchange, _Passage)
    exchange.server.owner.over.wait(STALL)
    return False


def _hang_up(exchange: Exchange) -> bool:
    """Nothing for a while, and then a reset."""
    _stall(exchange)
    return _cut(exchange)


SPOILS: Mapping[str, Action] = {
    "reset": _cut,
    "answer lost": _lose,
    "answer cut short": _shorten,
    "stalled": _stall,
    "stalled and reset": _hang_up,
    "429": status(429, {"Retry-After": "1"}),
    "429 at once": status(429, {"Retry-After": "1"}, unread=True),
    "500": status(500),
    "502": status(502, unread=True),
    "503": status(503, {"Retry-After": "1"}),
    "504": status(504, unread=True),
}


@dataclass(slots=True)
class BadLine(FaultyServer):
    """A way to the server `behind` (`host:port`); about every `every`th request is spoilt."""

    handler: ClassVar[type[Exchange]] = _Passage

    behind: str = ""
    seed: int = 0
    every: int = 80
    spoilt: Counter[str] = field(default_factory=Counter)
    """How often each thing happened."""
    over: threading.Event = field(default_factory=threading.Event)
    _deck: list[str] = field(default_factory=list)
    _left: int = 0
    _random: random.Random = field(default_factory=random.Random)
    _drawing: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, least: int, most: int) -> int:
        """A number."""
        with self._drawing:
            return self._random.randint(least, max(least, most))

    def take_fault(self, method: str, path: str) -> Action | None:
        """What happens to the next request."""
        with self._drawing:
            self._left -= 1
            if self._left > 0:
                return None
            self._left = self._random.randint(1, 2 * self.every)
            if not self._deck:
                self._deck = self._random.sample(sorted(SPOILS), len(SPOILS))
            drawn = self._deck.pop()
            self.spoilt[drawn] += 1
        return SPOILS[drawn]

    def __enter__(self) -> Self:
        """Listen."""
        self._random.seed(self.seed)
        self._left = self.every
        FaultyServer.__enter__(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop listening, and stalling."""
        self.over.set()
        FaultyServer.__exit__(self)
