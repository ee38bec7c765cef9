"""Files from http(s) addresses, kept in a cache by the digest they must have.

`CACHE/sha256/<hex>` is complete and was proven; `bundler.downloads.part` tells of the rest. A
broken download continues where it stopped, in this run or the next. What does not hash to the
expected digest is removed. An address may carry a signature in its query, which is never
repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Self

from bundler.downloads.part import Part
from bundler.downloads.values import Download, Fetched
from transfer.digest import Digest
from transfer.disk import BLOCK, storage_errors
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    InvalidInput,
    NotFound,
    TransferError,
    Unavailable,
)
from transfer.http.answers import Answer, printable
from transfer.http.messages import Reply, Request
from transfer.http.retry import GivenUp, RetryPolicy
from transfer.http.transport import Transport
from transfer.http.trust import load_trust
from transfer.progress import SILENT, Progress

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-[0-9]{1,18}|\*)/([0-9]{1,18}|\*)")
_TEMPORARY = (408, 425, 429)
_CONTINUE = "check the network, then run the same command: the download continues"
_EXPIRED = (
    "a signed address expires: put a new one into the spec; "
    "what arrived is kept and the download continues"
)


class Downloads:
    """The way to everything that is fetched by address; a context manager."""

    def __init__(
        self, cache: Path, transport: Transport, retry: RetryPolicy, progress: Progress
    ) -> None:
        self._cache = cache
        self._transport = transport
        self._retry = retry
        self._progress = progress

    @classmethod
    def connect(
        cls,
        cache: Path,
        *,
        ca_file: Path | None = None,
        environ: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Prepare to download; nothing is sent and nothing is written yet.

        Args:
            cache: The folder; made when it is needed.
            ca_file: PEM; the only authorities to be trusted. By default those of the system.
            environ: Names the proxies (`https_proxy`, `no_proxy`).
            retry: How often to try what is temporarily unavailable and brings no byte.
            progress: Told of bytes, retries and waiting.

        Raises:
            InvalidInput: the CA file cannot be used.
        """
        transport = Transport(load_trust(ca_file), environ or {})
        return cls(cache, transport, retry or RetryPolicy(), progress)

    def __enter__(self) -> Self:
        """Nothing more."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the connections."""
        self._transport.close()

    def fetch_all(self, wanted: Sequence[Download]) -> tuple[Fetched, ...]:
        """Several, one after the other."""
        found = []
        for one in wanted:
            if one.digest is None:
                raise InvalidInput(f"{one.what}: its SHA-256 is not known")
            path = self.fetch(one.locate().url, one.digest)
            found.append(Fetched(path=path, digest=one.digest, size=path.stat().st_size))
        return tuple(found)

    def fetch(self, url: str, expected: Digest) -> Path:
        """The file behind an address, from the cache or from there.

        Raises:
            DigestMismatch: other content is behind it; none of it was kept.
            NotFound, AccessDenied: the server says so.
            Unavailable: no byte arrived, as often as it was tried.
            StorageError: the cache cannot be written.
        """
        what, final = f"download {printable(url)}", self._path("sha256", expected)
        if final.is_file():
            return final
        part = Part.open(self._path("partial", expected), what, self._progress)
        try:
            if not final.is_file():  # another process may just have brought it
                self._complete(url, part, expected)
                part.keep_as(final)
        finally:
            part.close()
        return final

    def forget(self, digest: Digest) -> None:
        """Remove a file that turned out to be damaged in the cache.

        Raises:
            StorageError: it cannot be removed.
        """
        with storage_errors(f"cache {self._cache}"):
            self._path("sha256", digest).unlink(missing_ok=True)

    def _path(self, folder: str, digest: Digest) -> Path:
        return self._cache / folder / digest.encoded

    def _complete(self, url: str, part: Part, expected: Digest) -> None:
        continued = part.size > 0
        found = self._download(url, part)
        if found != expected and continued:
            self._progress.say(f"{part.what}: what an earlier run left does not fit; starting over")
            part.restart()
            found = self._download(url, part)
        if found != expected:
            part.remove()
            raise DigestMismatch(
                f"{part.what}: expected {expected}, found {found}; it was removed",
                hint="compare the SHA-256 in the spec with the one the vendor gave",
            )

    def _download(self, url: str, part: Part) -> Digest:
        try:
            most = part.size
            while True:
                try:
                    self._retry.run(lambda: self._request(url, part), self._progress)
                    break
                except GivenUp:
                    if part.size <= most:
                        raise
                    most = part.size  # slow is not broken: as long as bytes arrive, go on
        finally:
            part.end()
        return part.digest

    def _request(self, url: str, part: Part) -> None:
        request = Request(method="GET", url=url, what=part.what, headers=part.wanted())
        try:
            with self._transport.send(request) as reply:
                if self._begins(reply.answer, part):
                    _receive(reply, part)
        except Unavailable as error:
            raise Unavailable(
                error.message, hint=_CONTINUE, retry_after=error.retry_after
            ) from error

    def _begins(self, answer: Answer, part: Part) -> bool:
        """Prepare the part for the answer's body; False when nothing is left to receive."""
        start, total = _content_range(answer)
        if answer.status == HTTPStatus.PARTIAL_CONTENT and start == part.size:
            part.begin(total)
        elif answer.status == HTTPStatus.OK:
            part.restart()
            part.remember(answer)
            part.begin(answer.size or 0)
        elif answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.size:
            if total != part.size:
                part.restart()
                raise Unavailable(f"{part.what}: it is another file now, starting over")
            return False
        elif answer.status == HTTPStatus.PARTIAL_CONTENT:
            part.restart()
            raise Unavailable(f"{part.what}: another part came than was asked for")
        else:
            raise _refusal(answer, part.what)
        return True


def _receive(reply: Reply, part: Part) -> None:
    while block := reply.read(BLOCK):
        part.append(block)


def _content_range(answer: Answer) -> tuple[int, int]:
    """First byte and total size; -1 and 0 where they are not told."""
    found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if found is None:
        return -1, 0
    start, total = found[1], found[2]
    return int(start) if start else -1, int(total) if total != "*" else 0


def _refusal(answer: Answer, what: str) -> TransferError:
    status = answer.status
    message = f"{what}: the server answered {status}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AccessDenied(message, hint=_EXPIRED)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return NotFound(message, hint="check the address in the spec")
    if status in _TEMPORARY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(message, retry_after=answer.retry_after)
    return InvalidInput(message, hint="check the address in the spec")
