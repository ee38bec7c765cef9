"""Where a user name and a password come from: given, or docker's and podman's files and helpers.

Files, in the order in which they are asked: `$REGISTRY_AUTH_FILE`; podman's
`$XDG_RUNTIME_DIR/containers/auth.json` (`/run/containers/<uid>/auth.json` where that is not set)
and `$XDG_CONFIG_HOME/containers/auth.json`; docker's `$DOCKER_CONFIG/config.json` or
`~/.docker/config.json`.
Sources: docker's config.json (`auths`, `credHelpers`, `credsStore`), containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transfer.errors import AccessDenied, InvalidInput
from transfer.registry import helpers

GIVEN = "--username and --password-stdin, or the site file"

_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TOKEN_USER = "<token>"  # noqa: S105 - what a helper says instead of a user's name
_DOUBT = 60.0
"""Seconds until a helper is asked again for another answer than one that was refused."""
_HUB = "docker.io"
_HUB_NAMES = (_HUB, "index.docker.io", "registry-1.docker.io")
_HUB_KEY = "https://index.docker.io/v1/"
"""What docker calls its hub in its files and before its helpers."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password."""

    username: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """What a login left instead of a password: a token server takes it, and nobody else."""

    value: str = field(repr=False)


Secret = Credentials | IdentityToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What looking for the credentials of one registry gave."""

    host: str
    credentials: Secret | None
    origin: str
    """Where they were found."""
    places: tuple[str, ...]
    """Where they were looked for, in order."""

    def hint(self) -> str:
        """One line on what was used and what else can be done."""
        if isinstance(self.credentials, IdentityToken):
            return (
                f"used the identity token for {self.host}, from {self.origin}; it may have "
                f"expired: log in again"
            )
        if self.credentials:
            return (
                f"used user {self.credentials.username!r} for {self.host}, from {self.origin}; "
                f"check the password, and that this user may do it"
            )
        return f"no credentials for {self.host}; looked for in: {'; '.join(self.places)}"


class Keychain:
    """The credentials for one registry and its repositories; used by many threads.

    Files are read and helpers asked when something is first looked for, and only once; helpers
    again when what they gave is no longer good.
    """

    def __init__(
        self,
        host: str,
        given: Credentials | None,
        environ: Mapping[str, str],
        *,
        patience: float = helpers.PATIENCE,
    ) -> None:
        """Look for nothing yet.

        Args:
            host: The registry, with its port.
            given: What the user said goes before anything found.
            environ: Names the files to look into.
            patience: Seconds that a credential helper may take.
        """
        self._host = host
        self._given = given
        self._environ = environ
        self._patience = patience
        self._files: list[tuple[Path, dict[str, Any]]] | None = None
        self._answers: dict[str, Secret | None] = {}
        self._doubted: dict[str, tuple[Secret | None, float]] = {}
        """By helper, the answer that was refused last, and until when it is not asked for that."""
        self._lock = threading.Lock()

    def search(self, path: str = "") -> Search:
        """Find the credentials for a repository; without a path, for the registry itself.

        Raises:
            InvalidInput: a file is not what it should be.
            AccessDenied: a credential helper failed.
        """
        places = [GIVEN]
        if self._given is not None:
            return self._found(self._given, GIVEN, places)
        with self._lock:
            if self._files is None:
                self._files = [(file, _read(file)) for file in _files(self._environ)]
            for file, config in self._files:
                places.append(str(file))
                found = self._inline(config, path, file) or self._from_helper(config, path, file)
                if found:
                    return self._found(found, str(file), places)
        return self._found(None, "", places)

    def forget(self, refused: Secret | None, now: float) -> None:
        """Ask a helper anew whose answer was refused: it may have got another one by now.

        Not more than once a minute for the same answer: many requests may be refused for it.

        Args:
            refused: What was shown.
            now: Seconds since some moment.
        """
        with self._lock:
            for helper, answer in list(self._answers.items()):
                before = self._doubted.get(helper)
                if answer != refused or (before and before[0] == refused and now < before[1]):
                    continue
                del self._answers[helper]
                self._doubted[helper] = refused, now + _DOUBT

    def _found(self, secret: Secret | None, origin: str, places: list[str]) -> Search:
        return Search(host=self._host, credentials=secret, origin=origin, places=tuple(places))

    def _inline(self, config: Mapping[str, Any], path: str, file: Path) -> Secret | None:
        for entry in _entries(config, "auths", self._host, path):
            if not isinstance(entry, dict):
                continue
            if entry.get("identitytoken"):
                return IdentityToken(str(entry["identitytoken"]))
            if entry.get("auth"):
                return _decode(str(entry["auth"]), self._host, file)
            if entry.get("username") and entry.get("password"):
                return Credentials(str(entry["username"]), str(entry["password"]))
        return None

    def _from_helper(self, config: Mapping[str, Any], path: str, file: Path) -> Secret | None:
        """Ask the helper named for this host, or else the one named for every host.

        The latter often knows nothing of a registry that lets everybody in; only where the file
        lists the host does it have to answer.
        """
        own = next(_entries(config, "credHelpers", self._host), None)
        helper = own or config.get("credsStore")
        if not helper:
            return None
        if not isinstance(helper, str) or not _HELPER.fullmatch(helper):
            raise InvalidInput(
                f"credential file {file}: {helper!r} is not the name of a credential helper",
                hint="it is the part after docker-credential-",
            )
        if helper not in self._answers:
            self._answers[helper] = _ask(helper, self._host, self._patience)
        found = self._answers[helper]
        expected = bool(own) or any(True for _ in _entries(config, "auths", self._host, path))
        if found is None and expected:
            raise AccessDenied(
                f"credential helper docker-credential-{helper}: gave no credentials "
                f"for {self._host}",
                hint=f"{file} names it; check that it is on PATH, and: "
                f"echo {_key(self._host)} | docker-credential-{helper} get",
            )
        return found


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    home = environ.get("HOME")
    if named := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "containers", "auth.json")
    elif home:
        yield Path("/run/containers", str(os.getuid()), "auth.json")
    if config := environ.get("XDG_CONFIG_HOME"):
        yield Path(config, "containers", "auth.json")
    elif home:
        yield Path(home, ".config", "containers", "auth.json")
    if docker := environ.get("DOCKER_CONFIG"):
        yield Path(docker, "config.json")
    elif home:
        yield Path(home, ".docker", "config.json")


def _read(path: Path) -> dict[str, Any]:
    """A file's content, empty where there is no such file; its text is never repeated."""
    try:
        value = json.loads(path.read_bytes() or b"{}")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise AccessDenied(
            f"credential file {path}: {error.strerror}", hint="make it readable for this user"
        ) from error
    except (ValueError, RecursionError):
        raise InvalidInput(
            f"credential file {path}: not JSON", hint="repair or remove it"
        ) from None
    if not isinstance(value, dict):
        raise InvalidInput(f"credential file {path}: not a JSON object", hint="repair or remove it")
    return value


def _entries(config: Mapping[str, Any], key: str, host: str, path: str = "") -> Iterator[Any]:
    """The values that hold for a repository, those with the longest prefix of its name first.

    Docker's files know hosts alone, which may be spelt with a scheme or as `host/v1/`; podman's
    also `host/namespace` and `host/namespace/repository`. What is about no repository, such as
    asking a registry whether it is there, may use any of the host's entries.
    """
    table = config.get(key)
    named = [
        (_place(name), value)
        for name, value in (table.items() if isinstance(table, dict) else ())
        if isinstance(name, str)
    ]
    registry = _HUB if host in _HUB_NAMES else host
    wanted = f"{registry}/{path}/"
    above = [entry for entry in named if wanted.startswith(f"{entry[0]}/")]
    yield from (value for _, value in sorted(above, key=lambda entry: -len(entry[0])))
    if not path:
        yield from (value for name, value in named if name.startswith(f"{registry}/"))


def _place(name: str) -> str:
    """A key of a file without what it may have around it."""
    bare = re.sub(r"^https?://|/(v[12]/?)?$", "", name)
    host, slash, path = bare.partition("/")
    return f"{_HUB if host in _HUB_NAMES else host}{slash}{path}"


def _decode(text: str, host: str, path: Path) -> Credentials:
    try:
        username, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        username = colon = password = ""
    if not colon:
        raise InvalidInput(
            f"credential file {path}: the entry for {host} is not base64 of user:password",
            hint=f"log in to {host} again, or remove the entry",
        ) from None
    return Credentials(username, password.rstrip("\0"))


def _ask(helper: str, host: str, patience: float) -> Secret | None:
    answer = helpers.ask(f"docker-credential-{helper}", _key(host), patience)
    if answer is None:
        return None
    if answer.username == _TOKEN_USER:
        return IdentityToken(answer.secret)
    return Credentials(answer.username, answer.secret)


def _key(host: str) -> str:
    """What docker calls a registry before its helpers."""
    return _HUB_KEY if host in _HUB_NAMES else host
