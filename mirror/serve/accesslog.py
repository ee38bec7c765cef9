"""One line for each answer, in the common log format; nothing in it that could be a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_AUTHORITY = re.compile(r"(?<= )[A-Za-z][A-Za-z0-9+.-]*://[^/ ]*")
_QUERY = re.compile(r"\?[^ ]*")
_LONGEST = 500
"""Characters of a request that are shown; a name and a digest have less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One answer, as the log tells it."""

    client: str
    user: str
    """Who it said it was, and proved; "" for nobody."""
    moment: datetime
    request: str
    """The request line."""
    status: int
    sent: int
    """Bytes of the body."""

    def __str__(self) -> str:
        """The line; without the host and the query of the request, which may hold passwords."""
        utc = self.moment.astimezone(UTC)
        month = _MONTHS[utc.month - 1]  # %b would be in the language of the system
        request = _QUERY.sub("", _AUTHORITY.sub("", self.request[:_LONGEST]))
        request = ascii(request)[1:-1].replace('"', '\\"')
        return (
            f"{self.client} - {_word(self.user)} [{utc:%d}/{month}/{utc:%Y:%H:%M:%S} +0000] "
            f'"{request}" {self.status} {self.sent}'
        )


def _word(user: str) -> str:
    """A name without anything that would end it."""
    return re.sub(r"[^\x21-\x7e]|[\"\[\]]", "?", user) or "-"
