"""How to treat a registry: as was told of it beforehand, until it shows that it is otherwise."""

from __future__ import annotations

from collections.abc import Callable

from transfer.habits import Habits

MIB = 1024 * 1024

PIECE = 64 * MIB
"""Bytes of a piece where a blob cannot be sent whole. Each costs one request."""

_SMALLER = (PIECE, 16 * MIB, 4 * MIB, MIB)
"""Bytes of a body to come down to where a larger one was refused; 1 MiB is what nginx takes."""

_STREAMED = 1024 * MIB
"""Bytes that a body must be allowed to have before one of unknown length is worth a try."""

_MOUNTS_TRIED = 3
"""Refusals in a row, with none that worked before, after which no mount is tried any more."""


class Manners:
    """How to treat one registry; asked and told by many threads."""

    def __init__(self, told: Habits, say: Callable[[str], None]) -> None:
        """`say` is told what was learnt and makes a push slower."""
        self._say = say
        self._refused: set[str] = set()
        self._whole = told.whole or not told.pieces
        self._pieces = told.pieces or not told.whole
        self._least = told.least_piece
        self._largest = max(told.largest_body, MIB) if told.largest_body else None
        self._mounts = _MOUNTS_TRIED if told.mounts else 0
        self.careful = False
        """Whether a large blob arrived in pieces that had not arrived whole."""
        self.heads = told.heads
        """Whether HEAD of a manifest is worth while."""
        self.loses = False
        """Whether it was waited in vain for content that the registry acknowledged."""

    @property
    def mounts(self) -> bool:
        """Whether it is worth while to try a mount."""
        return self._mounts > 0

    def mounted(self, *, works: bool) -> None:
        """Hear of an answer to a mount; once one worked, refusals are about single blobs."""
        if works:
            self._mounts = 1 << 30
        else:
            self._mounts -= 1

    @property
    def pieces(self) -> bool:
        """Whether a blob may come in pieces, as far as is known."""
        return self._pieces

    @property
    def streams(self) -> bool:
        """Whether a blob of which nobody knows how large it is may come, as far as is known."""
        return self._pieces and (self._largest is None or self._largest >= _STREAMED)

    def piece(self, size: int, least: int, *, careful: bool) -> int | None:
        """Bytes of the pieces to send a blob of `size` in, None to send it whole.

        Args:
            size: Bytes of the blob.
            least: Bytes that a piece must have, as the registry itself says.
            careful: It did not arrive whole; what is in pieces is lost one piece at a time.
        """
        fits = self._largest is None or size <= self._largest
        in_parts = size > PIECE and (careful or self.careful)
        if not self._pieces or (self._whole and fits and not in_parts):
            return None
        usual = max(PIECE, least, self._least)
        return usual if self._largest is None else min(usual, self._largest)

    def body_refused(self, size: int) -> bool:
        """Hear that a body of so many bytes was too large; whether a smaller one may pass."""
        known = self._largest
        if known is None or known >= size:
            smaller = next((one for one in _SMALLER if one < size), None)
            if smaller is None:
                return False
            self._largest = smaller
            self._say(f"bodies of {size} bytes are refused: going on with {smaller} at a time")
        self._pieces = self._may("pieces")  # that they are refused may be an old habit
        return self._pieces

    def whole_refused(self) -> bool:
        """Hear that a blob must not come whole; whether pieces are left to try."""
        self._refused.add("whole")
        self._whole = False
        self._pieces = self._may("pieces")
        return self._pieces

    def pieces_refused(self) -> bool:
        """Hear that a blob must not come in pieces; whether to try it whole."""
        self._refused.add("pieces")
        self._pieces = False
        self._whole = self._may("whole")
        return self._whole

    def _may(self, way: str) -> bool:
        return way not in self._refused
