"""What is known of a registry before anything is sent to it: what a probe found out.

Advice, and no more: wrong or old, it costs a request or two. What the registry does is what
counts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What is known of a registry before anything is sent to it."""

    mounts: bool = True
    """Whether to try to take over blobs from other repositories."""
    whole: bool = True
    """Whether a blob may come in one body."""
    pieces: bool = True
    """Whether it may come in several."""
    least_piece: int = 0
    """Bytes that a piece must have, except the last."""
    largest_body: int | None = None
    """Bytes that a request's body may have, where a limit is known."""
    heads: bool = True
    """Whether HEAD of a manifest tells its digest."""


UNKNOWN = Habits()
"""Of a registry that nobody probed."""
