"""Questions to servers that know where files are: asked again while that may help."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from transfer.errors import (
    AccessDenied,
    InvalidInput,
    NotFound,
    SizeMismatch,
    TransferError,
    Unavailable,
)
from transfer.http.answers import TEMPORARY, Answer, printable
from transfer.http.messages import Request
from transfer.http.retry import RetryPolicy
from transfer.http.transport import Transport
from transfer.progress import SILENT, Progress

MAX_ANSWER = 16 << 20
"""Bytes of an answer: a list of hundreds of releases with their notes has less."""

_RANGE = re.compile(r"bytes (?:0-[0-9]+|\*)/([0-9]{1,18})")
_HOPELESS = (HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
_PROXY_LOGIN = "the proxy wants a name and a password: https_proxy=http://NAME:PASSWORD@HOST:PORT"
_UNAVAILABLE = "the server is overloaded or broken: give it a while"

Refuse = Callable[[Answer], TransferError]
"""The error that an unwelcome answer is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What a server says of a file without sending it."""

    size: int | None
    validator: str
    """ETag and Last-Modified; "" where it says neither."""
    is_page: bool
    """It is a web page."""


class Asker:
    """Asks over one transport, with one way of trying again."""

    def __init__(
        self, transport: Transport, retry: RetryPolicy, progress: Progress = SILENT
    ) -> None:
        self._transport = transport
        self._retry = retry
        self._progress = progress

    @property
    def patience(self) -> float:
        """Seconds that it waits at most before it asks again."""
        return self._retry.longest

    def body(self, request: Request, refuse: Refuse, limit: int = MAX_ANSWER) -> bytes:
        """What a server answers.

        Raises:
            SizeMismatch: more than `limit` bytes.
            TransferError: as `refuse` says; no answer.
        """
        return self._retry.run(lambda: self._body(request, refuse, limit), self._progress)

    def probe(self, request: Request, refuse: Refuse) -> Probed:
        """Size and validators of a file: asks for its first byte.

        A signed address is often good for GET alone, so HEAD would tell less.

        Raises:
            TransferError: as `refuse` says; no answer.
        """
        one_byte = request.with_header("Range", "bytes=0-0")
        return self._retry.run(lambda: self._probe(one_byte, refuse), self._progress)

    def say(self, line: str) -> None:
        """Tell whoever watches."""
        self._progress.say(line)

    def _body(self, request: Request, refuse: Refuse, limit: int) -> bytes:
        answer = self._transport.send(request).whole(limit + 1)
        if answer.status != HTTPStatus.OK:
            raise refuse(answer)
        if len(answer.body) > limit:
            raise SizeMismatch(
                f"{request.what}: the answer has more than {limit} bytes, which none has",
                hint="check the address: something else answers there",
            )
        return answer.body

    def _probe(self, request: Request, refuse: Refuse) -> Probed:
        with self._transport.send(request) as reply:
            answer = reply.answer
        if answer.status == HTTPStatus.OK:
            size = answer.size
        elif answer.status in (
            HTTPStatus.PARTIAL_CONTENT,
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,  # of an empty file
        ):
            found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            size = int(found[1]) if found else None
        else:
            raise refuse(answer)
        told = (answer.headers.get(name, "") for name in ("ETag", "Last-Modified"))
        return Probed(
            size=size,
            validator=" ".join(filter(None, told)),
            is_page=answer.media_type in ("text/html", "application/xhtml+xml"),
        )


def refusal(answer: Answer, what: str, *, access: str, missing: str) -> TransferError:
    """The error that an answer is; `access` and `missing` are hints for 401 or 403, and 404.

    The server's own words are not repeated: they may hold what we sent.
    """
    status = answer.status
    message = f"{what}: answered {answer.outcome}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AccessDenied(message, hint=access)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return AccessDenied(f"{what}: the proxy answered {answer.outcome}", hint=_PROXY_LOGIN)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return NotFound(message, hint=missing)
    broken = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _HOPELESS
    if status in TEMPORARY or broken:
        return Unavailable(message, hint=_UNAVAILABLE, retry_after=answer.retry_after)
    return InvalidInput(message, hint=f"check the address: {printable(answer.url)} answered so")
