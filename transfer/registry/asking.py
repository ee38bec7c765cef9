"""The requests that an upload is made of.

Source: distribution-spec, "POST then PUT", "Pushing a blob in chunks", "Mounting a blob from
another repository".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from transfer.descriptor import Descriptor
from transfer.digest import Digest
from transfer.errors import CreateFirst, InvalidInput, NotFound, TransferError, Unavailable
from transfer.http.answers import Answer
from transfer.http.messages import COMMIT_TIMEOUT, Body, Pieces, Request, Scopes
from transfer.registry.connection import Connection

_OCTETS = {"Content-Type": "application/octet-stream"}
_CANCEL_TIMEOUT = 10.0
"""Seconds; what is not cancelled, the registry sweeps away some day."""

_RANGE = re.compile(r"(?:bytes[= ])?0-([0-9]{1,18})")

JUDGED = frozenset({400, 404, 405, 411, 413, 415, 416, 501})
"""Refusals of a body that another body may not meet: whoever sends it decides."""


class Asking:
    """Asks for uploads into one repository."""

    def __init__(self, connection: Connection, path: str, name: str) -> None:
        self.connection = connection
        self.name = name
        self._path = path
        self.scopes: Scopes = (f"repository:{path}:pull,push",)

    def start(
        self,
        what: str,
        query: Mapping[str, str] | None = None,
        also: Scopes = (),
        expect: Collection[int] = (HTTPStatus.ACCEPTED,),
    ) -> Answer:
        """Open an upload; with a query, perhaps something else.

        Raises:
            CreateFirst: there is no such repository, or no project for it, and it was not to be
                created.
        """
        tail = f"?{urlencode(query)}" if query else ""
        url = f"/v2/{self._path}/blobs/uploads/{tail}"
        request = Request(method="POST", url=url, what=what, scopes=(*self.scopes, *also))
        try:
            return self.connection.exchange(request, expect)
        except NotFound as error:
            missing = self._create_first(error, what)
        if not self.connection.create(self._path, self.scopes):
            raise missing
        try:
            return self.connection.exchange(request, expect)
        except NotFound as error:
            raise self._create_first(error, what) from error

    def _create_first(self, error: NotFound, what: str) -> CreateFirst:
        """The same error for every blob and every image that misses the same thing."""
        wanted = error.wanted if isinstance(error, CreateFirst) else f"repository {self._path}"
        host = self.name.removesuffix(f"/{self._path}")
        return CreateFirst(
            f"{host}: {wanted} does not exist, and a push does not create it "
            f"({error.message.removeprefix(f'{what}: ')})",
            hint="check the address too: a part of its path may be missing",
            wanted=wanted,
        )

    def location(self, answer: Answer, what: str) -> str:
        """Where an upload goes on.

        Raises:
            InvalidInput: nowhere, or without the HTTPS that the registry has.
        """
        location = answer.location
        if location is None:
            raise InvalidInput(
                f"{what}: the registry does not say where to send it (Location)",
                hint="check that this is the address of a registry",
            )
        self.connection.check_safe(location, what)
        return location

    def piece(self, location: str, body: Body, start: int, what: str) -> Request:
        """The part of a blob that starts at byte `start`."""
        place = {"Content-Range": f"{start}-{start + len(body) - 1}"}
        return self._sent("PATCH", location, body, what, place)

    def stream(self, location: str, body: Pieces, what: str) -> Request:
        """A blob of which nobody knows yet how large it is."""
        return self._sent("PATCH", location, body, what, {})

    def put(self, location: str, digest: Digest, rest: bytes | Body, what: str) -> Request:
        """What is left of a blob, and what all of it is."""
        joint = "&" if urlsplit(location).query else "?"
        url = f"{location}{joint}{urlencode({'digest': str(digest)})}"
        return self._sent("PUT", url, rest, what, {})

    def status(self, location: str, what: str) -> Answer:
        """How far an upload came; see `reached`."""
        request = Request(method="GET", url=location, what=what, scopes=self.scopes)
        return self.connection.exchange(request, (HTTPStatus.NO_CONTENT, HTTPStatus.OK))

    def holds(self, blob: Descriptor, what: str) -> bool:
        """Whether a blob is there after all."""
        url = f"/v2/{self._path}/blobs/{blob.digest}"
        request = Request(method="HEAD", url=url, what=what, scopes=self.scopes)
        found = self.connection.exchange(request, (HTTPStatus.OK, HTTPStatus.NOT_FOUND))
        return found.status == HTTPStatus.OK and found.size in (None, blob.size)

    def cancel(self, location: str, what: str) -> bool:
        """Let the registry forget what arrived; the failure that led here is what counts.

        Returns:
            False where nobody answers.
        """
        request = Request(
            method="DELETE",
            url=location,
            what=what,
            scopes=self.scopes,
            read_timeout=_CANCEL_TIMEOUT,
        )
        try:
            self.connection.exchange(request, (HTTPStatus.NO_CONTENT,))
        except Unavailable:
            return False
        except TransferError:
            pass
        return True

    def _sent(
        self,
        method: str,
        url: str,
        body: bytes | Body | Pieces,
        what: str,
        headers: Mapping[str, str],
    ) -> Request:
        return Request(
            method=method,
            url=url,
            what=what,
            scopes=self.scopes,
            headers={**_OCTETS, **headers},
            body=body,
            read_timeout=COMMIT_TIMEOUT,
        )


def reached(answer: Answer) -> int | None:
    """Bytes that an upload holds by its Range; None where nothing can be read in it.

    `0-0` is how registries say that it holds nothing.
    """
    found = _RANGE.fullmatch(answer.headers.get("Range", "").strip())
    if not found:
        return None
    last = int(found[1])
    return last + 1 if last else 0
