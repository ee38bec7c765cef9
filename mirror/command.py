"""A command as a value: planned, shown and compared before anything runs."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from mirror.secret import SecretSource

Value = str | SecretSource
"""What an environment variable gets: text that anyone may read, or the place of a secret."""


def shell_word(source: SecretSource) -> str:
    """A secret as a word of a shell command: a reference to where it is."""
    return source.shell


class Blank(str):
    """A word of a command that is run for many things, such as pods: known when its turn comes.

    Its own text is what stands for it where the command is shown: `pod/POD`.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program with its arguments and environment; holds no secret, so it may be shown."""

    argv: tuple[str, ...]
    environment: tuple[tuple[str, Value], ...] = ()

    def words(
        self,
        secret: Callable[[SecretSource], str] = shell_word,
        word: Callable[[str], str] = shlex.quote,
    ) -> tuple[str, ...]:
        """The command as words of a POSIX shell: `secret` gives that for one, `word` for others."""
        given = (
            f"{name}={shlex.quote(value) if isinstance(value, str) else secret(value)}"
            for name, value in self.environment
        )
        return (*given, *map(word, self.argv))

    def filled(self, *words: str) -> Command:
        """The command for one of many: with `words` in place of its blanks, which are together."""
        place = next(i for i, word in enumerate(self.argv) if isinstance(word, Blank))
        argv = [word for word in self.argv if not isinstance(word, Blank)]
        return replace(self, argv=(*argv[:place], *words, *argv[place:]))

    def shell_line(self) -> str:
        """One line to paste into a shell."""
        return " ".join(self.words())

    def __str__(self) -> str:
        """The command without its environment, for messages."""
        return shlex.join(self.argv)
