"""Who may read: a password file as `htpasswd -B` makes it, checked by the system's own library.

bcrypt is slow on purpose. What was right once is remembered, as a keyed hash that lives no longer
than the process; what is wrong is computed again, one at a time, which is a brake on guessing.
"""

from __future__ import annotations

import base64
import binascii
import ctypes
import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from transfer.disk import read_text
from transfer.errors import InvalidInput, ToolError, raise_together

Crypt = Callable[[bytes, bytes], bytes | None]
"""A password and a hash, whose salt is taken; the password's hash."""

_BCRYPT = re.compile(r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}")
_LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2", None)
"""Debian and SUSE, Red Hat; None is the C library itself, which has it on Alpine."""

_KNOWN = b"$2y$05$abcdefghijklmnopqrstuuhKF09ZYWwH2zP/0fwE1X8e/Q1YNx/hO"
"""What "x" gives. It stands in for the hash of a user whom nobody knows, too."""

_REMEMBERED = 1024


class Passwords:
    """The users of a password file."""

    def __init__(self, users: Mapping[str, str], crypt: Crypt) -> None:
        self._users = users
        self._crypt = crypt
        self._secret = secrets.token_bytes(32)
        self._right: dict[bytes, str] = {}
        self._one_at_a_time = threading.Lock()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of `NAME:HASH` lines, every hash a bcrypt one.

        Raises:
            NotFound, StorageError: it cannot be read.
            InvalidInput: lines are something else, or there is no user; all are named.
            ToolError: this system has no library that knows bcrypt.
        """
        what = f"password file {path}"
        users: dict[str, str] = {}
        faults = []
        for number, line in enumerate(read_text(path, what).splitlines(), 1):
            name, colon, hashed = line.strip().partition(":")
            if not name or name.startswith("#"):
                continue
            if not colon or not _BCRYPT.fullmatch(hashed):
                faults.append(InvalidInput(f"line {number}: not a name and a bcrypt hash"))
            users[name] = hashed
        hint = f"make it with: htpasswd -B -c {path} NAME"
        raise_together(InvalidInput, f"{what}: cannot be used", faults, hint=hint)
        if not users:
            raise InvalidInput(f"{what}: nobody is in it", hint=hint)
        return cls(users, system_crypt())

    def user_of(self, authorization: str) -> str | None:
        """Whom an `Authorization` header is of; None where it is not right."""
        seal = hmac.digest(self._secret, authorization.encode(errors="replace"), hashlib.sha256)
        if user := self._right.get(seal):
            return user
        named = _basic(authorization)
        if named is None or not self._is_right(*named):
            return None
        if len(self._right) >= _REMEMBERED:
            self._right.clear()
        self._right[seal] = named[0]
        return named[0]

    def _is_right(self, user: str, password: bytes) -> bool:
        hashed = self._users.get(user, "").encode()
        with self._one_at_a_time:
            found = self._crypt(password, hashed or _KNOWN)  # as slow for a user nobody knows
        return found is not None and hmac.compare_digest(found, hashed)


def _basic(authorization: str) -> tuple[str, bytes] | None:
    """Name and password of a header of the scheme Basic (RFC 7617)."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(value.strip(), validate=True).partition(b":")
        user = name.decode()
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon and b"\0" not in password else None  # C ends at the zero


def system_crypt() -> Crypt:
    """The `crypt` of the first library that knows bcrypt.

    Raises:
        ToolError: there is none.
    """
    for name in _LIBRARIES:
        try:
            function = ctypes.CDLL(name).crypt
        except (OSError, AttributeError):
            continue
        function.argtypes, function.restype = (ctypes.c_char_p, ctypes.c_char_p), ctypes.c_char_p
        if function(b"x", _KNOWN) == _KNOWN:
            return lambda password, salt: function(password, salt)  # noqa: PLW0108 - its type
    raise ToolError(
        "--htpasswd: this system has no library that knows bcrypt",
        hint="install libxcrypt (Red Hat: libxcrypt, Debian: libcrypt1)",
    )
