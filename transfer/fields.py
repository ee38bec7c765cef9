"""Strict reading of the files people and tools write: every fault with its path, all at once.

A mapping parsed from JSON, or from YAML by `yamlfile`, is wrapped in `Fields`; asking it for a
value that is missing or wrong notes a fault such as `applications[1].archive.sha256: …` and
returns a harmless placeholder, so that the reading goes on and finds the next fault as well. The
caller ends with `Faults.raise_all()` before it trusts anything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from transfer.digest import Digest
from transfer.errors import InvalidInput, UnsupportedVersion, raise_together
from transfer.plain import escape_json, is_plain, one_line
from transfer.text import counted

API_VERSION = "airgap/v1"
"""The version of every file format of this toolkit."""

MAX_INTEGER = (1 << 63) - 1
"""All numbers are sizes; larger ones fit into no file, nor into a floating point number."""

MAX_MISTAKES = 1000
"""Nobody reads more, and a file may be made of nothing else."""

KINDS = frozenset({"Bundle", "BundleLock", "BundleSpec", "Receipt", "Site"})
"""Every kind of file that the toolkit reads."""

_REQUIRED: Final = object()


class Faults:
    """What is wrong with one file, gathered while it is read."""

    def __init__(self, file: str, hint: str | None = None) -> None:
        self.file = file
        self._hint = hint
        self._found: list[InvalidInput] = []

    def add(self, where: str, message: str) -> None:
        """Note a fault at the path `where` ("" for the file itself)."""
        if len(self._found) < MAX_MISTAKES:
            self._found.append(InvalidInput(f"{where}: {message}" if where else message))

    def raise_all(self) -> None:
        """Raise InvalidInput with every fault, if there is one."""
        mistakes = counted(len(self._found), "mistake")
        raise_together(InvalidInput, f"{self.file}: {mistakes}", self._found, hint=self._hint)


class Fields:
    """One mapping of a file, read key by key; a key that nobody may use is a fault."""

    def __init__(self, value: object, where: str, faults: Faults, allowed: tuple[str, ...]) -> None:
        self.where = where
        self.faults = faults
        self._value: dict[str, Any] = {}
        if isinstance(value, dict):
            self._value = value
        else:
            faults.add(where, f"expected a mapping, found {_kind(value)}")
        for key in self._value:
            if key not in allowed:
                known = ", ".join(allowed)
                faults.add(self.at(one_line(str(key))), f"unknown key; known here: {known}")

    def __contains__(self, key: str) -> bool:
        """Whether the key is there with a value."""
        return self._value.get(key) is not None

    def is_filled(self, key: str) -> bool:
        """Whether the key is there, and its list or mapping is not empty."""
        return bool(self._value.get(key))

    def at(self, key: str) -> str:
        """The path of one of this mapping's keys."""
        return f"{self.where}.{key}" if self.where else key

    def fault(self, key: str, message: str) -> None:
        """Note a fault at one of this mapping's keys ("" for the mapping itself)."""
        self.faults.add(self.at(key) if key else self.where, message)

    def text(self, key: str, default: Any = _REQUIRED) -> str:  # noqa: ANN401 - str or None
        """A non-empty string on one line; `default` where the key is absent."""
        value = self._get(key, default, str, "")
        if self._value.get(key) == "":
            self.fault(key, "is empty")
        elif isinstance(value, str) and not is_plain(value):
            self.fault(key, _NOT_PLAIN)
        return value  # type: ignore[no-any-return]

    def optional_text(self, key: str) -> str | None:
        """A non-empty string, or None where the key is absent."""
        return self.text(key, None)

    def integer(self, key: str, default: Any = _REQUIRED) -> int:  # noqa: ANN401 - int or None
        """A whole number that is not negative."""
        value = self._get(key, default, int, 0)
        number = isinstance(value, int) and not isinstance(value, bool)
        if isinstance(value, int) and not (number and 0 <= value <= MAX_INTEGER):
            self.fault(key, f"expected a whole number, found {_shown(value)}")
            return 0
        return value  # type: ignore[no-any-return]

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """True or false."""
        return bool(self._get(key, default, bool, default))

    def digest(self, key: str, *, bare_sha256: bool = False) -> Digest | None:
        """A digest; with `bare_sha256` the 64 hexadecimal digits alone. None where wrong."""
        text = self.text(key)
        if not text:
            return None
        written = f"sha256:{text}" if bare_sha256 and ":" not in text else text
        try:
            return Digest.parse(written)
        except InvalidInput:
            self.fault(key, f"not a SHA-256: {text!r}; expected 64 lower-case hexadecimal digits")
            return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of non-empty strings; empty where the key is absent."""
        return tuple(text for _, text in self.placed_texts(key))

    def placed_texts(self, key: str) -> Iterator[tuple[str, str]]:
        """The same, each with its place in this mapping, such as `images[2]`."""
        for i, value in enumerate(self._list(key)):
            place = f"{key}[{i}]"
            if isinstance(value, str) and value and not is_plain(value):
                self.fault(place, _NOT_PLAIN)
            elif isinstance(value, str) and value:
                yield place, value
            elif value == "":
                self.fault(place, "is empty")
            else:
                self.fault(place, _unexpected(str, value))

    def child(self, key: str, *allowed: str) -> Fields | None:
        """A mapping below this one, or None where the key is absent."""
        if key not in self:
            return None
        return Fields(self._value[key], self.at(key), self.faults, allowed)

    def children(self, key: str, *allowed: str) -> list[Fields]:
        """A list of mappings; empty where the key is absent."""
        return [
            Fields(value, self.at(f"{key}[{i}]"), self.faults, allowed)
            for i, value in enumerate(self._list(key))
        ]

    def placed_items(self, key: str, *allowed: str) -> Iterator[tuple[str, str | Fields]]:
        """A list of texts and mappings, each with its place; empty where the key is absent."""
        for i, value in enumerate(self._list(key)):
            place = f"{key}[{i}]"
            if isinstance(value, dict):
                yield place, Fields(value, self.at(place), self.faults, allowed)
            elif isinstance(value, str) and value and is_plain(value):
                yield place, value
            elif isinstance(value, str):
                self.fault(place, _NOT_PLAIN if value else "is empty")
            else:
                self.fault(place, _unexpected(str, value))

    def named_children(self, key: str, *allowed: str) -> Iterator[tuple[str, Fields]]:
        """A mapping from names to mappings; empty where the key is absent."""
        value = self._value.get(key)
        if value is None:
            return
        if not isinstance(value, dict):
            self.fault(key, f"expected a mapping, found {_kind(value)}")
            return
        for key_below, below in value.items():
            name = one_line(str(key_below))
            yield name, Fields(below, self.at(f"{key}.{name}"), self.faults, allowed)

    def expect(self, kind: str) -> None:
        """Check `apiVersion` and `kind`.

        Raises:
            UnsupportedVersion: the file belongs to a newer toolkit; its other keys mean nothing.
            InvalidInput: it is another file of ours, and nor do they.
        """
        version = self.text("apiVersion")
        if version.startswith("airgap/") and version != API_VERSION:
            raise UnsupportedVersion(
                f"{self.faults.file}: apiVersion {version!r} is not known here; "
                f"this toolkit reads {API_VERSION}",
                hint="use the version of the toolkit that wrote the file, or a newer one",
            )
        if version and version != API_VERSION:
            self.fault("apiVersion", f"expected {API_VERSION!r}, found {version!r}")
        found = self.text("kind")
        if found != kind and found in KINDS:
            raise InvalidInput(
                f"{self.faults.file}: expected a {kind}, found a {found}",
                hint="it is a file of this toolkit, but has its place elsewhere",
            )
        if found and found != kind:
            self.fault("kind", f"expected {kind!r}, found {found!r}")

    def _list(self, key: str) -> list[Any]:
        value = self._value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(key, f"expected a list, found {_kind(value)}")
            return []
        return value

    def _get(self, key: str, default: Any, kind: type, placeholder: Any) -> Any:  # noqa: ANN401
        value = self._value.get(key)
        if value is None:
            if default is not _REQUIRED:
                return default
            self.fault(key, "is missing")
            return placeholder
        if not isinstance(value, kind):
            self.fault(key, _unexpected(kind, value))
            return placeholder
        return value


def read_json(text: str, file: str, *allowed: str, hint: str | None = None) -> Fields:
    """Parse a JSON file whose top level is an object with the keys `allowed`.

    `hint` says what to do when anything is wrong with it: nobody writes such files by hand.

    Raises:
        InvalidInput: not JSON, or a key stands twice in one object.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{file}: not valid JSON: {error}", hint=hint) from error
    return Fields(value, "", Faults(file, hint), allowed)


def dump_json(value: object) -> str:
    """The one form in which we write JSON: sorted keys, one fact a line, a final newline."""
    return escape_json(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)) + "\n"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return value


_NOT_PLAIN = "expected one line, without control characters and others that are not seen"
_NAMES = {str: "text", int: "a whole number", bool: "true or false"}


def _unexpected(kind: type, value: object) -> str:
    # A version such as 2026.10 is a number to YAML, and would lose its last digit.
    quotes = "; put it in quotes" if kind is str and type(value) in (int, float) else ""
    return f"expected {_NAMES[kind]}, found {_kind(value)}{quotes}"


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false"}
    names |= {int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)


def _shown(number: int) -> str:
    """A number, unless it has so many digits that Python refuses to spell them."""
    return repr(number) if abs(number) <= MAX_INTEGER else "one that is too large"
