"""Signed addresses: when they expire, as their own query tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

_LATEST = 253402300799
"""The last second of the year 9999."""


def expires_at(url: str) -> int | None:
    """Seconds since 1970 at which an address ends; None where it does not tell.

    Sources: the query parameters of signed addresses of S3 (version 2 and 4), Google Cloud
    Storage (the same) and Azure (`se`).
    """
    try:
        query = {key.lower(): value for key, value in parse_qsl(urlsplit(url).query)}
    except ValueError:
        return None
    plain = epoch(query.get("expires", ""))
    if plain is not None:
        return plain
    for prefix in ("x-amz-", "x-goog-"):
        if f"{prefix}expires" in query:
            return _dated(query, prefix)
    try:
        return int(datetime.fromisoformat(query.get("se", "")).timestamp())
    except ValueError:
        return None


def epoch(text: str) -> int | None:
    """A text as seconds since 1970, None where it is none."""
    text = text.strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < len("1" * 13) else -1
    return number if 0 < number <= _LATEST else None


def moment(seconds: float) -> str:
    """A time as messages say it."""
    return f"{datetime.fromtimestamp(min(seconds, _LATEST), UTC):%Y-%m-%d %H:%M} UTC"


def _dated(query: Mapping[str, str], prefix: str) -> int | None:
    try:
        signed = datetime.strptime(query.get(f"{prefix}date", ""), "%Y%m%dT%H%M%S%z")
        lasts = timedelta(seconds=int(query[f"{prefix}expires"]))
        return int((signed + lasts).timestamp())
    except (ValueError, OverflowError):
        return None
