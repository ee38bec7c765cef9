"""One question after the other, each asked once, and only if some check needs the answer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from mirror.command import Command
from mirror.kots.outcome import Finished
from mirror.operation import AskCluster
from mirror.preflight.case import attempt
from mirror.preflight.model import Answer, Case
from mirror.preflight.questions import questions
from transfer.errors import TransferError, Unavailable

_T = TypeVar("_T")


class Inquiry:
    """Who is asked, and what was answered so far."""

    def __init__(
        self, case: Case, ask: AskCluster, say: Callable[[str], None], skipped: Collection[str]
    ) -> None:
        self._wanted = {one.name: one for one in questions(case) if one.is_wanted(skipped)}
        self._run = ask
        self._say = say
        self._answered: dict[Command, Finished] = {}
        self._told: set[str] = set()
        self._why_not: TransferError | None = None

    def ask(self, command: Command) -> Finished:
        """Run a command that changes nothing; the same one is not run again.

        Raises:
            Unavailable: it is known that nobody will answer.
            TransferError: it cannot be run.
        """
        if command not in self._answered:
            if self._why_not:
                raise self._why_not
            self._answered[command] = self._run(command)
        return self._answered[command]

    def give_up(self, why: str) -> None:
        """Ask for nothing new by commands: it would take minutes, and end the same way."""
        self._why_not = not_asked(why)

    def answer(self, name: str, work: Callable[[], _T]) -> Answer[_T]:
        """What comes of a question, by its name in `questions`."""
        if name not in self._wanted:
            return Answer(not_asked("no check needs it"))
        if name not in self._told:
            self._told.add(name)
            self._say(f"{name}: {self._wanted[name].why}")
        return attempt(work)

    def command(
        self, name: str, command: Command, read: Callable[[Finished, Command], _T]
    ) -> Answer[_T]:
        """What comes of a question that is one command; `read` understands its output."""
        return self.answer(name, lambda: read(self.ask(command), command))


def not_asked(why: str) -> Unavailable:
    """Why there is no answer: nobody was asked."""
    return Unavailable(f"not asked: {why}")
