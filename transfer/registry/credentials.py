"""Where a user name and a password come from: given, or docker's and podman's files and helpers.

Files, in the order in which they are asked: `$REGISTRY_AUTH_FILE`,
`$XDG_RUNTIME_DIR/containers/auth.json`, `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`.
Sources: docker's config.json (`auths`, `credHelpers`, `credsStore`), containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transfer.errors import AccessDenied, InvalidInput

GIVEN = "--username and --password-stdin, or the site file"

_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TOKEN_USER = "<token>"  # noqa: S105 - what a helper says instead of a user's name
_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password."""

    username: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What looking for the credentials of one registry gave."""

    host: str
    credentials: Credentials | None
    origin: str
    """Where they were found."""
    places: tuple[str, ...]
    """Where they were looked for, in order."""

    def hint(self) -> str:
        """One line on what was used and what else can be done."""
        if self.credentials:
            return (
                f"used user {self.credentials.username!r} for {self.host}, from {self.origin}; "
                f"check the password, and that this user may do it"
            )
        return f"no credentials for {self.host}; looked for in: {'; '.join(self.places)}"


def search(host: str, given: Credentials | None, environ: Mapping[str, str]) -> Search:
    """Find the credentials for a registry.

    Args:
        host: The registry, with its port.
        given: What the user said goes before anything found.
        environ: Names the files to look into.

    Raises:
        InvalidInput: a file is not what it should be.
        AccessDenied: a credential helper failed.
    """
    places = [GIVEN]
    if given is not None:
        return Search(host=host, credentials=given, origin=GIVEN, places=tuple(places))
    for path in _files(environ):
        places.append(str(path))
        config = _read(path)
        found = _inline(config, host, path) or _from_helper(config, host, path)
        if found:
            return Search(host=host, credentials=found, origin=str(path), places=tuple(places))
    return Search(host=host, credentials=None, origin="", places=tuple(places))


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "containers", "auth.json")
    if docker := environ.get("DOCKER_CONFIG"):
        yield Path(docker, "config.json")
    elif home := environ.get("HOME"):
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


def _entries(config: Mapping[str, Any], key: str, host: str) -> Iterator[Any]:
    """The values for a host, however the file spells it: with a scheme, or as `host/v1/`."""
    table = config.get(key)
    names = set(_HUB) if host in _HUB else {host}
    for name, value in table.items() if isinstance(table, dict) else ():
        bare = re.sub(r"^https?://|/(v[12]/?)?$", "", name)
        if bare in names:
            yield value


def _inline(config: Mapping[str, Any], host: str, path: Path) -> Credentials | None:
    for entry in _entries(config, "auths", host):
        if not isinstance(entry, dict):
            continue
        if entry.get("identitytoken"):
            raise _identity_token(str(path), host)
        if entry.get("auth"):
            return _decode(str(entry["auth"]), host, path)
        if entry.get("username") and entry.get("password"):
            return Credentials(str(entry["username"]), str(entry["password"]))
    return None


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


def _from_helper(config: Mapping[str, Any], host: str, path: Path) -> Credentials | None:
    """Ask the helper named for this host, or else the one named for every host.

    The latter often knows nothing of a registry that lets everybody in; only where the file
    lists the host does it have to answer.
    """
    own = next(_entries(config, "credHelpers", host), None)
    helper = own or config.get("credsStore")
    if not helper:
        return None
    expected = bool(own) or any(True for _ in _entries(config, "auths", host))
    if not isinstance(helper, str) or not _HELPER.fullmatch(helper):
        raise InvalidInput(
            f"credential file {path}: {helper!r} is not the name of a credential helper",
            hint="it is the part after docker-credential-",
        )
    found = _ask(f"docker-credential-{helper}", helper, host)
    if found is None and expected:
        raise AccessDenied(
            f"credential helper docker-credential-{helper}: gave no credentials for {host}",
            hint=f"{path} names it; check that it is on PATH, and: "
            f"echo {host} | docker-credential-{helper} get",
        )
    return found


def _ask(program: str, suffix: str, host: str) -> Credentials | None:
    """Run a helper by way of oras, which answers with base64 or with None for any failure.

    What a helper prints may be the secret: it is neither logged nor repeated.
    """
    from oras.auth.token import TokenAuth  # noqa: PLC0415 - slow, and rarely needed

    silence_oras()
    try:
        encoded = TokenAuth()._get_auth_from_creds_store(suffix, host)  # noqa: SLF001 - see above
    except (ValueError, LookupError, TypeError, OSError):
        raise AccessDenied(
            f"credential helper {program}: its answer for {host} is not what docker defines",
            hint=f"check: echo {host} | {program} get",
        ) from None
    if encoded is None:
        return None
    username, _, password = base64.b64decode(encoded).decode().partition(":")
    if username == _TOKEN_USER:
        raise _identity_token(program, host)
    return Credentials(username, password)


def silence_oras() -> None:
    """Keep oras from logging what a helper or a token server said."""
    logging.getLogger("oras.logger").disabled = True


def _identity_token(place: str, host: str) -> AccessDenied:
    return AccessDenied(
        f"{place}: holds an identity token for {host}, which cannot be used here",
        hint="give a user name and a password by --username and --password-stdin",
    )
