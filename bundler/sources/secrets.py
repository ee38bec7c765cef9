"""The secrets that sources need: from environment variables, and from files of one line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bundler.spec.values import Secret
from transfer.disk import read_text
from transfer.errors import InvalidInput, NotFound


class Secrets:
    """Reads secrets from the environment it was given, and from files beside the spec."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder

    def read(self, secret: Secret, what: str, key: str) -> str:
        """The secret itself.

        Args:
            secret: Where it is.
            what: Names it in messages.
            key: How keys of the spec begin that say where it is: `portal.password`.

        Raises:
            InvalidInput: it is not there, or not one line; the hint names every way to give it.
            StorageError: the file cannot be read.
        """
        at, text = place(secret), self._text(secret)
        ways = (
            f"export {secret.variable or 'a variable'} (the spec names it by {key}Env:), "
            f"or name a file that holds it by {key}File:"
        )
        if text is None:
            missing = "does not exist" if secret.path else "is not set"
            raise InvalidInput(f"{what}: {at} {missing}", hint=ways)
        line = text.removesuffix("\n")
        if not line:
            raise InvalidInput(f"{what}: {at} is empty", hint=ways)
        if not line.isprintable():
            raise InvalidInput(
                f"{what}: {at}: expected one line of text, found more, or what cannot be printed",
                hint="it has to hold nothing else; often a line end of Windows is the reason",
            )
        return line

    def _text(self, secret: Secret) -> str | None:
        if secret.path is None:
            return self._environ.get(secret.variable or "")
        try:
            return read_text(self._folder / secret.path, place(secret))
        except NotFound:
            return None


def place(secret: Secret) -> str:
    """Where a secret is looked for, as messages name it."""
    return f"file {secret.path}" if secret.path else f"environment variable {secret.variable}"
