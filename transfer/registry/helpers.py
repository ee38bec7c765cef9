"""Credential helpers: programs that docker's files name, and that know the passwords.

A helper gets the name of a registry and answers with JSON. What it prints may be the secret: it
is neither logged nor repeated. One that hangs, at a locked keyring for example, is ended.
Source: docker-credential-helpers, "Development", the `get` command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field

from transfer.errors import AccessDenied

PATIENCE = 30.0
"""Seconds that a helper may take; one that asks a person for a passphrase needs some."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a helper said."""

    username: str
    secret: str = field(repr=False)


def ask(program: str, registry: str, patience: float = PATIENCE) -> Answer | None:
    """Ask a helper for the credentials of a registry; None where it has none, or cannot run.

    Raises:
        AccessDenied: it does not answer in time, or with something else than docker defines.
    """
    printed = _run(program, registry, patience)
    if printed is None:
        return None
    try:
        value = json.loads(printed)
        username, secret = value["Username"], value["Secret"]
    except (ValueError, LookupError, TypeError, RecursionError):
        username = secret = None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise AccessDenied(
            f"credential helper {program}: its answer for {registry} is not what docker defines",
            hint=f"check: echo {registry} | {program} get",
        )
    return Answer(username, secret)


def _run(program: str, registry: str, patience: float) -> bytes | None:
    """What a helper prints, or None where it fails or is not there."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the name was checked, and no shell is involved
            [program, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that what it started can be ended with it
        )
    except OSError:
        return None
    with process:
        try:
            printed, _ = process.communicate(registry.encode(), timeout=patience)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise _hangs(program, registry, patience) from None
            raise
    return printed if process.returncode == 0 else None


def _hangs(program: str, registry: str, patience: float) -> AccessDenied:
    return AccessDenied(
        f"credential helper {program}: gave no answer for {registry} in {patience:g} seconds",
        hint=f"it may wait for a keyring to be unlocked: run echo {registry} | {program} get, "
        f"then the same command",
    )
