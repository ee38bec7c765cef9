"""The journal of a part: what it is a part of, and which of its bytes can be trusted.

    CACHE/partial/<name>.journal    a line of JSON for each of these:
        {"what": …, "size": …, "etag": …, "boot": …}    first of all
        {"synced": [[0, 268435456]]}                    bytes that the disk has confirmed
        [[0, 301989888], [500000000, 504194304]]        bytes that were written

Each line tells everything that is here, so the last one counts. A process that is killed loses
nothing that it wrote; a machine that goes down loses what its disk has not confirmed, and may show
zeros in its place. So after a restart (see `bundler.downloads.boot`) only `synced` counts.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bundler.downloads.boot import boot_id, is_this_boot
from bundler.downloads.ranges import Pair, Ranges
from transfer.disk import read_plain, replace_file, storage_errors
from transfer.errors import NotFound, SizeMismatch
from transfer.fields import MAX_INTEGER

_MOST_LINES = 10_000

DAMAGED = (ValueError, LookupError, TypeError, RecursionError)
"""What reading a note raises that a bad disk, or somebody else, has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """By what a server recognises content; each "" where it does not say it (RFC 9110, 8.8)."""

    etag: str = ""
    """Strong only: a weak one does not promise the same bytes."""
    modified: str = ""
    """The Last-Modified, as it came."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.etag or self.modified)

    @property
    def if_range(self) -> str:
        """What goes into If-Range."""
        return self.etag or self.modified

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Read back what was noted of it.

        Raises:
            LookupError, TypeError, ValueError: it is not what was noted.
        """
        etag, modified = str(found["etag"]), str(found["lastModified"])
        if not all(text.isascii() and text.isprintable() for text in (etag, modified)):
            raise ValueError  # nothing that can be sent in a header
        return cls(etag=etag, modified=modified)

    def contradicts(self, other: Self) -> bool:
        """Whether the other one certainly belongs to other content."""
        if self.etag and other.etag:
            return self.etag != other.etag
        return bool(self.modified and other.modified and self.modified != other.modified)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a part is a part of, as far as it was told."""

    what: str = ""
    file_name: str = ""
    size: int | None = None
    """Bytes of the whole, as the server says."""
    validator: Validator = Validator()

    def to_json(self) -> dict[str, Any]:
        """For the first line of a journal."""
        return {
            "what": self.what,
            "fileName": self.file_name,
            "size": self.size,
            "etag": self.validator.etag,
            "lastModified": self.validator.modified,
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """The same back.

        Raises:
            LookupError, TypeError, ValueError: it is none.
        """
        size = found["size"]
        return cls(
            what=str(found["what"]),
            file_name=str(found["fileName"]),
            size=None if size is None else read_size(size),
            validator=Validator.from_json(found),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What a journal says."""

    content: Content = Content()
    here: Ranges
    synced: Ranges = field(default_factory=Ranges)
    """What of it the disk has confirmed."""


class Journal:
    """Writes down what arrives."""

    def __init__(self, path: Path, what: str, synced: tuple[Pair, ...] = ()) -> None:
        self._path = path
        self._what = what
        self._handle = -1
        self._lines = 0
        self._content = Content()
        self.synced = synced
        """What the disk has confirmed."""

    def begin(self, content: Content, synced: tuple[Pair, ...]) -> None:
        """Start anew, with what the disk has confirmed.

        Raises:
            StorageError: it cannot be written.
        """
        self.close()
        self._content, self.synced, self._lines = content, synced, 0
        head = content.to_json() | {"boot": boot_id()}
        replace_file(self._path, _line(head) + _line({"synced": synced}), self._what)
        with storage_errors(self._what):
            self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def describe(self, content: Content) -> None:
        """More is known of the content.

        Raises:
            StorageError: it cannot be written.
        """
        self.begin(content, self.synced)

    def note(self, here: tuple[Pair, ...]) -> None:
        """These bytes were written.

        Raises:
            StorageError: it cannot be written.
        """
        if self._lines >= _MOST_LINES:
            self.describe(self._content)
        self._append(here)

    def confirm(self, here: tuple[Pair, ...]) -> None:
        """The disk has confirmed these.

        Raises:
            StorageError: it cannot be written.
        """
        self.synced = here
        self._append({"synced": here})
        with storage_errors(self._what):
            os.fdatasync(self._handle)

    def close(self) -> None:
        """Nothing more is written down."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _append(self, value: object) -> None:
        with storage_errors(self._what):
            os.write(self._handle, _line(value))
        self._lines += 1


def read_journal(path: Path, what: str) -> Noted:
    """What a journal says can be trusted; nothing where there is none, or another file.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        lines = read_plain(path, what).splitlines()
        head = json.loads(lines[0])
        content = Content.from_json(head)
    except (NotFound, SizeMismatch, *DAMAGED):
        return Noted(here=Ranges())
    same_boot = is_this_boot(head.get("boot"))
    here = confirmed = Ranges()
    for line in lines[1:]:
        try:
            found = json.loads(line)
            synced = isinstance(found, dict)
            ranges = _ranges(found["synced"] if synced else found)
        except DAMAGED:
            break  # it was being written when the end came
        if synced:
            confirmed = ranges
        if synced or same_boot:
            here = ranges
    return Noted(content=content, here=here, synced=confirmed)


def read_size(found: object) -> int:
    """A number of bytes as it was noted.

    Raises:
        TypeError: it is none.
    """
    if type(found) is not int or not 0 <= found <= MAX_INTEGER:
        raise TypeError
    return found


def _ranges(found: list[Any]) -> Ranges:
    pairs = [(start, end) for start, end in found]
    if not all(type(s) is int and type(e) is int and 0 <= s <= e for s, e in pairs):
        raise TypeError
    return Ranges(pairs)


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
