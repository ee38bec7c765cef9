"""What a server's answer means for a part of which `start` bytes and more are here.

Source: RFC 9110, sections 8.8 (validators), 13.1.5 (If-Range), 14 (ranges) and 15.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus

from bundler.downloads.journal import Content, Validator
from bundler.sources.asking import refusal as refusal_of
from transfer.errors import TransferError
from transfer.http.answers import Answer
from transfer.plain import one_line

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-[0-9]{1,18}|\*)/([0-9]{1,18}|\*)")

_EXPIRED = (
    "a signed address expires: put a new one into the spec; "
    "what arrived is kept and the download continues"
)
_ADDRESS = "check the address in the spec"

EXPIRED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""What stores answer when a signature is too old; some say 400."""


class Meaning(Enum):
    """What comes with an answer."""

    RANGE = auto()
    """The bytes that were asked for."""
    WHOLE = auto()
    """The file from its first byte on, whatever was asked for."""
    NOTHING = auto()
    """There are no more bytes: the part has all."""
    OTHER = auto()
    """Other content than that of the part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An answer, understood."""

    meaning: Meaning
    size: int | None
    """Bytes of the whole file, where it is told."""
    validator: Validator
    ranges: bool
    """Whether the server takes requests for ranges."""
    framed: bool
    """Whether the body's end can be told from a broken connection."""
    encoding: str
    """What was done to the file's bytes, though nobody asked for it: `gzip`; "" for nothing."""


def understand(answer: Answer, start: int, content: Content, what: str) -> Offer:
    """What an answer to a request for the bytes from `start` offers.

    Raises:
        TransferError: a refusal.
    """
    validator, (first, total) = validator_of(answer), _content_range(answer)
    size = answer.size if answer.status == HTTPStatus.OK else total
    unasked = answer.status == HTTPStatus.PARTIAL_CONTENT and content.size is None and first == 0
    if answer.status == HTTPStatus.OK or (unasked and not start):
        meaning = Meaning.WHOLE
    elif answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
        meaning = Meaning.NOTHING if total == start else Meaning.OTHER
    elif answer.status == HTTPStatus.PARTIAL_CONTENT:
        another = content.validator.contradicts(validator)
        known = content.size is not None and total is not None
        another = another or first != start or (known and total != content.size)
        meaning = Meaning.OTHER if another else Meaning.RANGE
    else:
        raise refusal(answer, what)
    return Offer(
        meaning=meaning,
        size=size,
        validator=validator,
        ranges=meaning is Meaning.RANGE or answer.headers.get("Accept-Ranges") == "bytes",
        framed=answer.size is not None or "Transfer-Encoding" in answer.headers,
        encoding=_encoding(answer),
    )


def _encoding(answer: Answer) -> str:
    name = one_line(answer.headers.get("Content-Encoding", "").strip().lower())
    return "" if name == "identity" else name


def validator_of(answer: Answer) -> Validator:
    """By what the server will recognise this content."""
    etag = answer.headers.get("ETag", "")
    modified = answer.headers.get("Last-Modified", "")
    return Validator(
        etag=etag if etag.startswith('"') and _can_be_sent(etag) else "",
        modified=modified if _can_be_sent(modified) and _is_strong(modified, answer) else "",
    )


def refusal(answer: Answer, what: str, access: str = "") -> TransferError:
    """The error for an answer that brings nothing; `access` is the hint where it refuses us."""
    return refusal_of(answer, what, access=access or _EXPIRED, missing=_ADDRESS)


def total_of(answer: Answer) -> int | None:
    """Bytes of the whole file, of an answer with all of it or a range."""
    return _content_range(answer)[1] if "Content-Range" in answer.headers else answer.size


def _content_range(answer: Answer) -> tuple[int | None, int | None]:
    """First byte and size of the whole, where they are told."""
    found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if found is None:
        return None, None
    first, total = found[1], found[2]
    return int(first) if first else None, int(total) if total != "*" else None


def _can_be_sent(text: str) -> bool:
    """Whether it can be sent back as it came."""
    return bool(text) and text.isascii() and text.isprintable()


def _is_strong(modified: str, answer: Answer) -> bool:
    """Whether a file can not have changed again within the second that is told."""
    try:
        sent = parsedate_to_datetime(answer.headers.get("Date", ""))
        return (sent - parsedate_to_datetime(modified)).total_seconds() >= 1
    except (ValueError, TypeError, OverflowError):
        return False
