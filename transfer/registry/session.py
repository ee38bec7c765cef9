"""One blob on its way into a repository: whole or in pieces, and on after a break.

What the registry takes is found out by sending it. A body that is too large for it, or for a
proxy before it, is followed by smaller ones; where a blob may not come whole it comes in pieces,
and the other way round. After a break the registry is asked how far the upload came, and is sent
the rest; where it does not say, the blob is sent again from its first byte. The content is read
from its first byte in any case: it is verified as it is read.
Source: distribution-spec, "Pushing a blob in chunks", "Resuming an upload".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from transfer.descriptor import Descriptor
from transfer.digest import Readable
from transfer.errors import TransferError, Unavailable
from transfer.http.answers import Answer
from transfer.http.messages import Request
from transfer.registry.asking import JUDGED, Asking, reached
from transfer.registry.body import Upload
from transfer.registry.connection import TokenExpired
from transfer.registry.refusals import codes
from transfer.store import OpenContent

_NOT_SO = frozenset({405, 411, 415, 416, 501})
_NOT_SO_CODES = frozenset({"UNSUPPORTED", "BLOB_UPLOAD_INVALID"})
_UPLOAD_UNKNOWN = "BLOB_UPLOAD_UNKNOWN"
_LENGTH = re.compile(r"[0-9]{1,18}")
_BREAKS = 2
"""Bodies that broke off, after which a blob comes in pieces."""


class _OtherWay(Exception):
    """The registry does not take it so; by what was learnt, it may take it otherwise."""


class Session:
    """A blob, its content, and the upload that is open for it."""

    def __init__(
        self, asking: Asking, blob: Descriptor, content: OpenContent, begun: Answer | None = None
    ) -> None:
        """`begun` is an upload that was opened for this blob already."""
        self._asking = asking
        self._manners = asking.connection.manners
        self._blob = blob
        self._content = content
        self._what = f"{asking.name}: upload of blob {blob.digest}"
        self._location: str | None = None
        self._least = 0
        self._offset = 0
        self._furthest = 0
        self._is_done = False
        self._is_lost = False
        self._is_resumed = False
        self._was_sent = False
        self._breaks = 0
        self._renewed_at = -1
        if begun is not None:
            self._take(begun)

    def send(self) -> None:
        """Bring the blob there.

        Raises:
            TransferError: as the registry refuses, or as the content fails.
        """
        try:
            self._asking.connection.retried(self._attempt, lambda: self._furthest)
        except BaseException:  # Ctrl-C too leaves nothing behind
            self._cancel()
            raise

    def _attempt(self) -> None:
        while not self._is_done:
            try:
                self._is_done = not self._find_place() or self._send()
            except Unavailable:
                self._breaks += 1
                self._is_lost = True
                raise
            except TokenExpired:
                if self._renewed_at >= self._furthest:  # whatever place the registry tells now
                    raise
                self._renewed_at = self._furthest
                self._is_lost = True
            except _OtherWay:
                self._is_lost = True

    def _find_place(self) -> bool:
        """Have an upload, and know how far it came; False if the blob is there without it."""
        if self._is_lost and not self._resume():
            # First the blob: it may just be taking its place, and is not to be cancelled then.
            if self._was_sent and self._asking.holds(self._blob, self._what):
                return False
            self._cancel()
        if self._location is None:
            self._take(self._asking.start(self._what))
        self._is_lost = False
        return True

    def _take(self, begun: Answer) -> None:
        self._location = self._asking.location(begun, self._what)
        least = begun.headers.get("OCI-Chunk-Min-Length", "")
        self._least = int(least) if _LENGTH.fullmatch(least) else 0
        self._offset, self._is_resumed = 0, False

    def _resume(self) -> bool:
        """Ask how far the upload came; False if the registry does not know."""
        if self._location is None or not self._asking.connection.is_ours(self._location):
            return False
        try:
            answer = self._asking.status(self._location, self._what)
        except Unavailable:
            raise
        except TransferError:
            return False
        offset = reached(answer)
        if offset is None or offset > self._blob.size or (offset and not self._manners.pieces):
            return False
        if answer.location:
            self._location = self._asking.location(answer, self._what)
        self._come_to(offset)
        self._is_resumed = offset > 0
        return True

    def _come_to(self, offset: int) -> None:
        self._offset = offset
        self._furthest = max(self._furthest, offset)

    def _send(self) -> bool:
        """Send what is missing; True, as anything else is an exception."""
        size = self._blob.size
        careful = self._breaks >= _BREAKS or self._renewed_at >= 0
        piece = self._manners.piece(size, self._least, careful=careful)
        self._was_sent = False
        with self._content() as stream:
            for _ in Upload(stream, self._offset, self._what):  # reads what is there already
                pass
            if piece is None and not self._offset:
                self._send_whole(stream)
            else:
                self._send_pieces(stream, piece or size)
                self._manners.careful |= careful  # what it cost to learn is not paid again
        return True

    def _send_whole(self, stream: Readable) -> None:
        size = self._blob.size
        body = Upload(stream, size, self._what)
        whole = body if size else stream.read()  # requests sends an empty stream chunked
        answer = self._finish(body, whole)
        if answer.status != HTTPStatus.CREATED:
            raise self._judged(answer, size, self._manners.whole_refused)

    def _send_pieces(self, stream: Readable, piece: int) -> None:
        while self._offset < self._blob.size:
            size = min(piece, self._blob.size - self._offset)
            body = Upload(stream, size, self._what)
            request = self._asking.piece(self._place, body, self._offset, self._what)
            answer = self._exchange(request, body, HTTPStatus.ACCEPTED)
            if answer.status != HTTPStatus.ACCEPTED:
                raise self._judged(answer, size, self._manners.pieces_refused)
            self._go_on(answer, self._offset + size)
        answer = self._finish(Upload(stream, 0, self._what), b"")
        if answer.status != HTTPStatus.CREATED:
            raise self._judged(answer, 0, lambda: False)

    @property
    def _place(self) -> str:
        return self._location or ""

    def _finish(self, body: Upload, rest: bytes | Upload) -> Answer:
        request = self._asking.put(self._place, self._blob.digest, rest, self._what)
        answer = self._exchange(request, body, HTTPStatus.CREATED)
        if answer.status == HTTPStatus.CREATED:
            answer.check_digest(self._blob.digest, self._what)
        return answer

    def _exchange(self, request: Request, body: Upload, success: int) -> Answer:
        try:
            answer = self._asking.connection.exchange(request, (success, *JUDGED))
        finally:
            self._was_sent = body.complete and request.method == "PUT"
        if answer.status == success and not body.complete:
            raise Unavailable(f"{self._what}: the registry answered before all of it was sent")
        return answer

    def _go_on(self, answer: Answer, offset: int) -> None:
        """After a piece: where the next one goes, and whether this one was taken whole."""
        if answer.headers.get("Location"):
            self._location = self._asking.location(answer, self._what)
        taken = reached(answer) or offset
        if taken < offset:
            raise Unavailable(f"{self._what}: the registry took {taken} of {offset} bytes")
        self._come_to(offset)

    def _judged(
        self, answer: Answer, size: int, refused: Callable[[], bool]
    ) -> TransferError | _OtherWay:
        """What follows from a body of so many bytes that was not taken."""
        request = Request(method="PUT", url="", what=self._what, scopes=self._asking.scopes)
        error = self._asking.connection.refusal(answer, request)
        told = set(codes(answer))
        self._was_sent = _UPLOAD_UNKNOWN in told  # it may have ended meanwhile, and well
        if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return _OtherWay() if self._manners.body_refused(size) else self._too_large(error)
        if self._is_resumed and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._cancel()  # what it said it had may be wrong: once more from the first byte
            return _OtherWay()
        if _UPLOAD_UNKNOWN in told:
            return Unavailable(error.message, hint="the registry has forgotten the upload")
        if (answer.status in _NOT_SO or told & _NOT_SO_CODES) and refused():
            return _OtherWay()
        return error

    def _too_large(self, error: TransferError) -> TransferError:
        size = f"{error.message}; the blob has {self._blob.size} bytes"
        return type(error)(size, hint=error.hint)

    def _cancel(self) -> None:
        if self._location is not None:
            self._asking.cancel(self._location, self._what)
        self._location, self._is_resumed = None, False
