"""Where secrets are read: environment variables and files of one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mirror.command import Command
from mirror.secret import (
    CARRIAGE_RETURN,
    UNPRINTABLE,
    FromEnvironment,
    FromFile,
    Secret,
    SecretSource,
)
from mirror.site import Login, Site
from transfer.disk import read_text
from transfer.errors import InvalidInput, TransferError, raise_together


def passwords(site: Site) -> tuple[SecretSource, ...]:
    """Every secret that the site file speaks of, each once."""
    logins = (site.registry.credentials, site.registry.pull_credentials)
    sources = [login.password for login in logins if isinstance(login, Login)]
    sources += [app.shared_password for app in site.applications if app.shared_password]
    return tuple(dict.fromkeys(sources))


@dataclass(frozen=True, slots=True)
class Keyring:
    """Reads secrets from the environment it was given, and from files."""

    environment: Mapping[str, str] = field(repr=False)

    def read(self, source: SecretSource) -> Secret:
        """The secret of `source`.

        Raises:
            InvalidInput: the variable is not set, or the file does not hold one line.
            NotFound: there is no such file.
            StorageError: the file cannot be read.
        """
        if isinstance(source, FromFile):
            return Secret(_read_line(source))
        value = self.environment.get(source.name, "")
        if not value:
            raise InvalidInput(
                f"{source} is not set",
                hint=f"export {source.name}, or name another source in the site file",
            )
        if not value.isprintable():
            raise InvalidInput(f"{source}: {UNPRINTABLE}", hint=CARRIAGE_RETURN)
        return Secret(value)

    def check(self, sources: Iterable[SecretSource]) -> None:
        """Read every source once, so that a missing one stops the work before it starts.

        Raises:
            InvalidInput: with everything that cannot be read.
        """
        faults: list[TransferError] = []
        for source in sources:
            try:
                self.read(source)
            except TransferError as fault:
                faults.append(fault)
        raise_together(
            InvalidInput,
            "secrets of the site are not at hand",
            faults,
            hint="set the variables and files that the site file names, and run it again",
        )

    def known(self, sources: Iterable[SecretSource]) -> tuple[Secret, ...]:
        """The secrets among `sources` that can be read right now, to be hidden from output."""
        found = []
        for source in sources:
            try:
                found.append(self.read(source))
            except TransferError:
                continue
        return tuple(found)

    def variables(self, command: Command) -> dict[str, str]:
        """The environment of a command with the secrets in place.

        Raises:
            TransferError: as `read`.
        """
        return {
            name: value if isinstance(value, str) else self.read(value).reveal()
            for name, value in command.environment
        }

    def username(self, login: Login) -> str:
        """The user name of a login.

        Raises:
            InvalidInput: the variable that should hold it is not set.
        """
        if isinstance(login.username, FromEnvironment):
            return self.read(login.username).reveal()
        return login.username


def _read_line(source: FromFile) -> str:
    line = read_text(Path(source.path), str(source)).removesuffix("\n").removesuffix("\r")
    if not line:
        raise InvalidInput(f"{source}: its first line is empty", hint="write the secret into it")
    if not line.isprintable():
        raise InvalidInput(f"{source}: {UNPRINTABLE}", hint=CARRIAGE_RETURN)
    return line
