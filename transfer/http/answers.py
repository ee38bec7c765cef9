"""What a server answered: status, headers, the first bytes of the body."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from transfer.digest import Digest
from transfer.errors import DigestMismatch, IntegrityError, InvalidInput
from transfer.plain import one_line

_NEXT = re.compile(r'<([^<>]*)>\s*;[^,<]*\brel="?next"?')
_LONGEST_LINK = 8192
_LENGTH = re.compile(r"[0-9]{1,18}")

TEMPORARY = frozenset({408, 425, 429})
"""Statuses below 500 that may be another one in a moment."""


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
    def outcome(self) -> str:
        """The status, and what it is called where it has a name: `404 Not Found`."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

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
                f"{what}: the server says it is {self.digest}, expected {expected}",
                hint="something between here and the server's storage changes content",
            )

    @property
    def next_page(self) -> str | None:
        """Where a list goes on (RFC 8288); None where it does not.

        Raises:
            InvalidInput: at an address that is none: what is there so far is not the list.
        """
        link = _NEXT.search(self.headers.get("Link", "")[:_LONGEST_LINK])
        if link is None:
            return None
        url = self._absolute(link[1])
        if url is None:
            raise InvalidInput(
                f"{printable(self.url)}: the list goes on at an address that is none (Link)",
                hint="the server, or a proxy before it, is set up wrongly; ask who runs it",
            )
        return url

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
        return self._absolute(self.headers.get("Location") or "")

    def _absolute(self, text: str) -> str | None:
        """An address that the answer names; None where it is no HTTP address."""
        try:
            url = urljoin(self.url, text) if text else ""
        except ValueError:
            return None
        return url if is_web_address(url) else None

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


def is_web_address(url: str) -> bool:
    """Whether an address that somebody told us can be asked: http(s), with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def printable(url: str) -> str:
    """An address without what may be secret in it: user, password, query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    host = parts.netloc.rpartition("@")[2]
    return one_line(f"{parts.scheme}://{host}{parts.path}")
