"""What a registry answered, and which of our errors an unwelcome answer is.

| answer | error |
|---|---|
| 401, 403, 405 (read-only) | AccessDenied |
| 404 | NotFound |
| 408, 425, 429, 5xx but 501, 505, 507 | Unavailable, the only one that is tried again |
| 409, 412 (a tag that must not move) | Conflict |
| 413, 507 | StorageError |
| an error code that says digest or size | IntegrityError |
| anything else | InvalidInput: this is not the registry, or not the content, it wants |

Sources: distribution-spec, "Error Codes"; RFC 9110 for Retry-After.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from transfer.digest import Digest
from transfer.errors import (
    AccessDenied,
    Conflict,
    DigestMismatch,
    IntegrityError,
    InvalidInput,
    NotFound,
    StorageError,
    TransferError,
    Unavailable,
)
from transfer.plain import one_line

_LONGEST_QUOTE = 300
"""Characters of a registry's own words that a message repeats."""

_READ_ONLY = (AccessDenied, "the registry is read-only or in maintenance; ask who runs it")
_IMMUTABLE = (Conflict, "the registry forbids to change this tag or repository")
_TOO_LARGE = (
    StorageError,
    "raise the size limit of the registry, of its quota or of the proxy before it",
)
_UNABLE = (InvalidInput, "the registry, or the proxy before it, does not know such requests")
_REFUSED: Mapping[int, tuple[type[TransferError], str]] = {
    405: _READ_ONLY,
    409: _IMMUTABLE,
    412: _IMMUTABLE,
    413: _TOO_LARGE,
    501: _UNABLE,
    505: _UNABLE,
    507: _TOO_LARGE,
}
_CREATE_FIRST = "some registries want the project or repository to be created first"
_CHECK_NAME = "check the registry's address and the name of the repository"

_NEXT = re.compile(r'<([^<>]*)>\s*;[^,<]*\brel="?next"?')
_LONGEST_LINK = 8192
_LENGTH = re.compile(r"[0-9]{1,18}")
_TEMPORARY = frozenset({408, 425, 429})
_CONTENT_CODES = frozenset({"DIGEST_INVALID", "SIZE_INVALID"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, headers and the first bytes of the body of a response."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Looked up without regard to case."""
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    """Where the answer came from; its query may hold secrets."""

    @property
    def digest(self) -> Digest | None:
        """The Docker-Content-Digest.

        Raises:
            IntegrityError: there is one, and it is not a digest.
        """
        text = self.headers.get("Docker-Content-Digest")
        if not text:
            return None
        try:
            return Digest.parse(text)
        except InvalidInput as error:
            raise IntegrityError(f"{printable(self.url)}: answered with {error}") from error

    def check_digest(self, expected: Digest, what: str) -> None:
        """Compare the Docker-Content-Digest, where there is one.

        Raises:
            DigestMismatch: it is another one.
        """
        if self.digest is not None and self.digest != expected:
            raise DigestMismatch(
                f"{what}: the registry says it is {self.digest}, expected {expected}",
                hint="something between here and the registry's storage changes content",
            )

    @property
    def next_page(self) -> str | None:
        """Where a list goes on (RFC 8288); None where it does not, or at no address."""
        link = _NEXT.search(self.headers.get("Link", "")[:_LONGEST_LINK])
        try:
            return urljoin(self.url, link[1]) if link else None
        except ValueError:
            return None

    @property
    def size(self) -> int | None:
        """The Content-Length; None where it is missing, or is none."""
        text = self.headers.get("Content-Length", "")
        return int(text) if _LENGTH.fullmatch(text) else None

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters; "" where there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip()

    @property
    def location(self) -> str | None:
        """The Location, made absolute; None where it is missing or no HTTP address."""
        text = self.headers.get("Location")
        try:
            url = urljoin(self.url, text) if text else ""
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            return None
        return url if usable else None

    @property
    def retry_after(self) -> float | None:
        """Seconds that Retry-After asks for, as a number or as a date."""
        text = self.headers.get("Retry-After", "").strip()
        if _LENGTH.fullmatch(text):
            return float(text)
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
        except (ValueError, OverflowError):
            return None


def refusal(answer: Answer, what: str, *, access_hint: str, writing: bool = False) -> TransferError:
    """The error that an unwelcome answer is.

    Args:
        answer: The answer.
        what: What was asked for; starts the message.
        access_hint: Which credentials were used, and where they were looked for.
        writing: Whether something was to be stored.
    """
    status, codes = answer.status, set(_codes(answer))
    message = f"{what}: answered {status}{_phrase(status)}{_quote(answer)}"
    if codes & _CONTENT_CODES:
        return IntegrityError(message, hint="the content changed on its way; run it again")
    if status in _REFUSED:
        kind, hint = _REFUSED[status]
        return kind(message, hint=hint)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AccessDenied(message, hint=access_hint)
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(message, hint=_CREATE_FIRST if writing else _CHECK_NAME)
    if status in _TEMPORARY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(
            message,
            hint="the registry is overloaded or broken; its log says more",
            retry_after=answer.retry_after,
        )
    return InvalidInput(message, hint=_wrong_place(answer))


def _wrong_place(answer: Answer) -> str:
    if b"HTTPS" in answer.body and answer.url.startswith("http:"):
        return "the server wants HTTPS; leave --plain-http (plainHttp: true) out"
    if moved := answer.location:
        return f"it has moved to {printable(moved)}; give the address where the registry is"
    return "check that this is the address of a registry, and that it accepts such images"


def printable(url: str) -> str:
    """An address without what may be secret in it: user, password, query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    host = parts.netloc.rpartition("@")[2]
    return one_line(f"{parts.scheme}://{host}{parts.path}")


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _errors(answer: Answer) -> Iterator[Mapping[str, object]]:
    """The entries of `{"errors": [{"code": …, "message": …}]}`."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return
    entries = value.get("errors") if isinstance(value, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield entry


def _codes(answer: Answer) -> Iterator[str]:
    for entry in _errors(answer):
        yield _told(entry, "code")


def _told(entry: Mapping[str, object], key: str) -> str:
    text = entry.get(key)
    return text if isinstance(text, str) else ""


def _quote(answer: Answer) -> str:
    """The registry's own words, made fit for one line."""
    told = [
        ": ".join(filter(None, (_told(entry, key) for key in ("code", "message"))))
        for entry in _errors(answer)
    ]
    if not told and answer.media_type == "text/plain":
        told = [answer.body.decode(errors="replace")]
    text = "; ".join(filter(None, told))
    line = "".join(c if c.isprintable() else " " for c in text).strip()
    shown = line if len(line) <= _LONGEST_QUOTE else line[:_LONGEST_QUOTE] + "…"
    return f" ({shown})" if shown else ""
