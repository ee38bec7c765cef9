"""What the downloads of one run share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from bundler.downloads.limits import Limiter
from bundler.downloads.stop import Stop
from bundler.downloads.values import Pace
from transfer.http.retry import RetryPolicy
from transfer.http.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """By what, and how, files are brought."""

    transport: Transport
    retry: RetryPolicy
    limiter: Limiter
    pace: Pace
    helpers: Executor
    """The threads for the further connections of all files."""
    stop: Stop
    require_room: Callable[[str, int], None]
    """Told what needs so many bytes more; raises where they are not free."""
