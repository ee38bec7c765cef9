"""Content on its way to a registry: a POST that opens an upload, a PUT that sends everything.

The POST has no body. It fetches whatever authorization is needed before one is sent, and gives
each attempt an upload of its own: nothing is ever continued in the middle.
Source: distribution-spec, "POST then PUT", "Mounting a blob from another repository".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from transfer.descriptor import Descriptor
from transfer.digest import Digest, Readable
from transfer.errors import (
    AccessDenied,
    InvalidInput,
    NotFound,
    StorageError,
    TransferError,
    Unavailable,
)
from transfer.http.answers import Answer
from transfer.http.messages import COMMIT_TIMEOUT, Request, Scopes
from transfer.http.transport import BLOCK
from transfer.outlet import Making
from transfer.registry.connection import Connection, TokenExpired
from transfer.store import OpenContent

_OCTETS = {"Content-Type": "application/octet-stream"}
_CANCEL_TIMEOUT = 10.0
"""Seconds; what is not cancelled, the registry sweeps away some day."""


class Upload:
    """The body of a PUT: `size` bytes of a stream, passed on as they are read."""

    def __init__(self, stream: Readable, size: int, what: str) -> None:
        self._stream = stream
        self._size = size
        self._what = what
        self._sent = 0

    def __len__(self) -> int:
        """Bytes, for Content-Length."""
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        """Every block; that there is an iterator marks a stream for requests."""
        return iter(lambda: self.read(BLOCK), b"")

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes.

        Raises:
            StorageError: the stream's own side failed; without this, urllib3 would take it for
                a failure of the connection.
            TransferError: as the stream raises it.
        """
        try:
            block = self._stream.read(size)
        except OSError as error:
            raise StorageError(f"{self._what}: cannot be read: {error.strerror}") from error
        self._sent += len(block)
        return block

    @property
    def complete(self) -> bool:
        """Whether all of it was handed over."""
        return self._sent == self._size


class Uploads:
    """The uploads into one repository."""

    def __init__(self, connection: Connection, path: str, name: str) -> None:
        self._connection = connection
        self._path = path
        self._name = name
        self._scopes: Scopes = (f"repository:{path}:pull,push",)

    def push(self, blob: Descriptor, content: OpenContent) -> None:
        """Upload a blob; each attempt is a new upload from the first byte.

        Raises:
            TransferError: as the registry refuses, or as `content` fails.
        """

        def attempt() -> None:
            try:
                self._push(blob, content)
            except TokenExpired:
                self._push(blob, content)

        self._connection.retried(attempt)

    def stream(self, blob: Making) -> None:
        """Upload a blob while it is being made: its digest is told at the end.

        Tried once, as the content can be read once. The one PATCH of unknown length is what
        docker and podman push by.

        Raises:
            TransferError: as the registry refuses, or as making it fails.
        """
        what = f"{self._name}: upload of a layer"
        opened = self._start({}, what, self._scopes, (HTTPStatus.ACCEPTED,))
        location = self._location(opened, what)
        try:
            request = Request(
                method="PATCH",
                url=location,
                what=what,
                scopes=self._scopes,
                headers=_OCTETS,
                body=blob,
                read_timeout=COMMIT_TIMEOUT,
            )
            taken = self._connection.exchange(request, (HTTPStatus.ACCEPTED,))
            location = self._location(taken, what)
            if blob.digest is None:
                raise Unavailable(f"{what}: the registry answered before all of it was sent")
            self._commit(location, blob.digest, b"", what).check_digest(blob.digest, what)
        except TransferError:
            self._cancel(location, what)
            raise

    def mount(self, blob: Descriptor, origin: str) -> bool:
        """Take over a blob from the repository with path `origin`; False if that can't be.

        What forbids it is not told: uploading the blob instead will tell, or work.

        Raises:
            Unavailable: no answer, after all retries.
        """
        try:
            return self._connection.retried(lambda: self._mount(blob, origin))
        except (AccessDenied, NotFound, InvalidInput):
            return False

    def _push(self, blob: Descriptor, content: OpenContent) -> None:
        what = f"{self._name}: upload of blob {blob.digest}"
        opened = self._start({}, what, self._scopes, (HTTPStatus.ACCEPTED,))
        location = self._location(opened, what)
        try:
            self._send(blob, content, location, what)
        except TransferError:
            self._cancel(location, what)
            raise

    def _send(self, blob: Descriptor, content: OpenContent, location: str, what: str) -> None:
        with content() as stream:
            body = Upload(stream, blob.size, what)
            whole = body if blob.size else body.read()  # requests sends an empty stream chunked
            answer = self._commit(location, blob.digest, whole, what)
        if not body.complete:
            raise Unavailable(f"{what}: the registry answered before all of it was sent")
        answer.check_digest(blob.digest, what)

    def _commit(self, location: str, digest: Digest, rest: bytes | Upload, what: str) -> Answer:
        """Send what is left of a blob, and say what all of it is."""
        joint = "&" if urlsplit(location).query else "?"
        request = Request(
            method="PUT",
            url=f"{location}{joint}{urlencode({'digest': str(digest)})}",
            what=what,
            scopes=self._scopes,
            headers=_OCTETS,
            body=rest,
            read_timeout=COMMIT_TIMEOUT,
        )
        return self._connection.exchange(request, (HTTPStatus.CREATED,))

    def _mount(self, blob: Descriptor, origin: str) -> bool:
        what = f"{self._name}: mount of blob {blob.digest} from {origin}"
        answer = self._start(
            {"mount": str(blob.digest), "from": origin},
            what,
            (*self._scopes, f"repository:{origin}:pull"),
            (HTTPStatus.CREATED, HTTPStatus.ACCEPTED),
        )
        if answer.status == HTTPStatus.ACCEPTED:  # it opened an upload instead
            self._cancel(self._location(answer, what), what)
            return False
        answer.check_digest(blob.digest, what)
        return True

    def _start(
        self, query: Mapping[str, str], what: str, scopes: Scopes, expect: tuple[int, ...]
    ) -> Answer:
        tail = f"?{urlencode(query)}" if query else ""
        url = f"/v2/{self._path}/blobs/uploads/{tail}"
        request = Request(method="POST", url=url, what=what, scopes=scopes)
        return self._connection.exchange(request, expect)

    def _location(self, answer: Answer, what: str) -> str:
        location = answer.location
        if location is None:
            raise InvalidInput(
                f"{what}: the registry does not say where to send it (Location)",
                hint="check that this is the address of a registry",
            )
        self._connection.check_safe(location, what)
        return location

    def _cancel(self, location: str, what: str) -> None:
        """Let the registry forget what arrived; the failure that led here is what counts."""
        request = Request(
            method="DELETE",
            url=location,
            what=what,
            scopes=self._scopes,
            read_timeout=_CANCEL_TIMEOUT,
        )
        with suppress(TransferError):
            self._connection.exchange(request, (HTTPStatus.NO_CONTENT,))
