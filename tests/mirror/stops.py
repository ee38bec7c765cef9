"""Interruptions: an operation is stopped at each thing that it does or notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mirror.operation import Hands, Step
from mirror.operation.journal import Event, Journal
from mirror.operation.journalfile import hold_journal

NOW = datetime(2026, 11, 22, 22, tzinfo=UTC)


class Stopped(KeyboardInterrupt):
    """Ctrl-C, or the end of the machine."""


@dataclass
class Stop:
    """Comes at the n-th moment: before something is done, or before that is noted."""

    at: int
    moments: int = 0
    """How many there have been."""

    def pass_by(self) -> None:
        """One more moment.

        Raises:
            Stopped: it is the one.
        """
        self.moments += 1
        if self.moments == self.at:
            raise Stopped

    def before(self, action: Callable[..., Any]) -> Callable[..., Any]:
        """The same action, with a moment before it."""

        def taken(*arguments: object) -> object:
            self.pass_by()
            return action(*arguments)

        return taken

    def hands(self, hands: Hands, journal: Journal) -> Hands:
        """Hands that are stopped, with the notes that they take."""
        names = ("execute", "ask", "audit", "assemble", "edit", "save", "confirm", "prove")
        stopped: dict[str, Any] = {name: self.before(getattr(hands, name)) for name in names}
        return replace(hands, **stopped, journal=StoppedJournal(journal, self))


@dataclass
class StoppedJournal:
    """A journal that is stopped before it takes a note, as by a power cut."""

    journal: Journal
    stop: Stop

    def has_done(self, step: Step) -> bool:
        """As the journal knows."""
        return self.journal.has_done(step)

    def note(self, event: Event, step: Step) -> None:
        """Write it down; that a step failed is no moment of its own."""
        if event is not Event.FAILED:
            self.stop.pass_by()
        self.journal.note(event, step)

    def end(self) -> None:
        """The same."""
        self.stop.pass_by()
        self.journal.end()


@contextmanager
def journal_at(path: Path, title: str) -> Iterator[Journal]:
    """The real journal."""
    with hold_journal(path, "a test", lambda: NOW) as held:
        yield held.of(title)
