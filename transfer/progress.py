"""How long work reports on itself, without knowing whether anybody watches."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by any thread; must not raise."""

    def begin(self, label: str, total: int) -> None:
        """A phase of work over `total` bytes starts; 0 when the size is not known yet."""
        ...

    def advance(self, count: int) -> None:
        """`count` more bytes are done; negative when some have to be done again."""
        ...

    def say(self, line: str) -> None:
        """One line worth keeping, such as a retry and its reason."""
        ...

    def end(self) -> None:
        """The phase is over, however it went."""
        ...


class Silent:
    """The default: nobody watches."""

    def begin(self, label: str, total: int) -> None:
        """Ignore it."""

    def advance(self, count: int) -> None:
        """Ignore it."""

    def say(self, line: str) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""


SILENT = Silent()
