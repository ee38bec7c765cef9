"""What a request's headers make of an answer: a part of it, or nothing new. Source: RFC 9110."""

from __future__ import annotations

import re

from mirror.serve.exchange import Request
from transfer.digest import Digest

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
_TAG = re.compile(r'(?:W/)?("[^"]*")')


def etag(digest: Digest) -> str:
    """The entity tag of some content: it never changes under its digest."""
    return f'"{digest}"'


def is_known(request: Request, digest: Digest) -> bool:
    """Whether the client has this content already (13.1.2)."""
    wanted = request.if_none_match.strip()
    return wanted == "*" or etag(digest) in _TAG.findall(wanted)


def byte_range(request: Request, digest: Digest, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for the whole, empty where unsatisfiable.

    A header that asks for several ranges, or for anything else, may be ignored (14.2).
    """
    found = _RANGE.fullmatch(request.range)
    if not found or request.if_range not in (None, etag(digest)):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        return max(size - int(last), 0), size
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < int(first):
        return None
    return int(first), end
