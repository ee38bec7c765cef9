"""Secrets: where a site keeps them, and a value that does not print.

A command is planned, shown and compared with the *source* of a secret in it; the value is read
at the last moment by `mirror.credentials` and only ever handed to the environment of a program.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

UNPRINTABLE = "expected one line of text, found something in it that cannot be printed"
CARRIAGE_RETURN = "often a line end of Windows; write the secret anew, with printf %s"
"""What is wrong with a secret that was read, and what to do."""

HIDDEN = "***"
"""What stands in place of a secret wherever text is shown or kept."""


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """A secret in an environment variable of the person who runs the command."""

    name: str

    @property
    def shell(self) -> str:
        """The secret as a word of a shell command, without its value."""
        return f'"${self.name}"'

    def __str__(self) -> str:
        """How messages name the source."""
        return f"environment variable {self.name}"


@dataclass(frozen=True, slots=True)
class FromFile:
    """A secret in a file of one line."""

    path: str

    @property
    def shell(self) -> str:
        """The secret as a word of a shell command, without its value."""
        return f'"$(cat {shlex.quote(self.path)})"'

    def __str__(self) -> str:
        """How messages name the source."""
        return f"file {self.path}"


SecretSource = FromEnvironment | FromFile


class Secret:
    """The value itself; `reveal` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        """Never the value."""
        return HIDDEN

    __str__ = __repr__


def _spellings(value: str) -> Iterator[str]:
    """A secret as programs write it that are given it."""
    yield value
    yield json.dumps(value)[1:-1]
    literal = json.dumps(value, ensure_ascii=False)[1:-1]
    yield literal
    yield literal.translate({ord(c): f"\\u{ord(c):04x}" for c in "<>&"})  # Go's encoding/json
    yield quote(value, safe="")
    yield quote(value, safe="$&+,;=")  # Go's net/url, between user and host
    yield quote_plus(value)
    yield base64.b64encode(value.encode()).decode()


class Mask:
    """Hides every secret in text, also as JSON, Go, a URL or a Kubernetes Secret spells it."""

    def __init__(self, secrets: tuple[Secret, ...]) -> None:
        values = (secret.reveal() for secret in secrets)
        spellings = {spelling for value in values if value for spelling in _spellings(value)}
        # The longest first, so that no part of one is left over by a shorter one inside it.
        self._spellings = sorted(spellings, key=len, reverse=True)
        self.longest = max(map(len, self._spellings), default=0)
        """Characters of the longest spelling, 0 without secrets."""

    def __call__(self, text: str) -> str:
        """The text with `***` in place of each secret."""
        for spelling in self._spellings:
            text = text.replace(spelling, HIDDEN)
        return text
