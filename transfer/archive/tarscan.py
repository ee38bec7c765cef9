"""The members of a tar, read strictly forward, and everything that is wrong with them.

`tarfile` reads the headers, with all their extensions; the members' content is read from the
stream itself. Nothing is ever written under a member's name, so an unsafe name could do no harm
here; it is refused because whoever made it meant harm elsewhere.
"""

from __future__ import annotations

import posixpath
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, Protocol, cast

from transfer.archive.gzipstream import AGAIN
from transfer.errors import CorruptArchive, TransferError, UnexpectedFile, UnsafePath

HEADER = 512
MAX_HEADER = 64 * 1024
"""Bytes of one member's headers; names of a kilobyte are long already."""

MAX_HEADERS = 256 << 20
"""Bytes of all headers; names are remembered to find duplicates."""

MAX_MEMBERS = 250_000
"""Folders included; a release has a few ten thousand files."""

MAX_GLOBALS = 100
"""Records of extended headers that hold for all members after them; git writes one."""

MAX_REFUSED = 100
"""Members with a fault, after which the rest is not looked at."""

READ = 256 * 1024

_DIGITS = re.compile(rb"[0-9]{65}")
"""No header has such a number, and older versions of `tarfile` take the square of its length."""


class Stream(Protocol):
    """Content that is read forward, and knows where it is."""

    @property
    def position(self) -> int:
        """Where in the whole content the next byte comes from."""
        ...

    def read(self, size: int, /) -> bytes:
        """Some bytes, at most `size`; b"" at the end."""
        ...

    def mark(self) -> None:
        """Somebody may want to read from here on later."""
        ...


class DamagedTar(CorruptArchive):
    """A tar whose members are not all known."""


class Section:
    """The next `size` bytes of a stream."""

    def __init__(self, stream: Stream, size: int, what: str) -> None:
        self.size = size
        """Bytes in all."""
        self._stream = stream
        self._left = size
        self._what = what

    @property
    def position(self) -> int:
        """Where in the whole content the next byte comes from."""
        return self._stream.position

    def read(self, size: int = -1, /) -> bytes:
        """Some bytes, at most `size`, b"" at the end; all that is left when `size` is negative.

        Raises:
            CorruptArchive: the stream ends before the section does.
        """
        if size < 0:
            return b"".join(iter(partial(self.read, READ), b""))
        wanted = min(size, self._left)
        block = self._stream.read(wanted) if wanted else b""
        if wanted and not block:
            raise CorruptArchive(f"{self._what}: ends {self._left} bytes before it should")
        self._left -= len(block)
        return block

    def mark(self) -> None:
        """Somebody may want to read from here on later."""
        self._stream.mark()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a tar whose name is safe: a file, or a link where these are allowed."""

    name: str
    size: int
    offset: int
    """Where its content begins in the whole content."""
    content: Section
    """Its content; to be read, or left, before the next member is asked for."""
    link: str | None = None
    """The name that a symlink stands for."""


def scan_tar(
    stream: Stream, what: str, faults: list[TransferError], *, links: bool = False
) -> Iterator[Member]:
    """The files of a tar in their order; what is wrong is added to `faults`.

    Args:
        stream: The tar; at the end of the iteration it was read to its end.
        what: How messages name it.
        faults: Gets every fault; members with one are left out.
        links: Whether symlinks between members are allowed, as in docker-save archives.

    Raises:
        DamagedTar: it ends too early, or cannot be read on; this is among the faults already.
    """
    names = _Names(what, faults, links=links)
    file = _Forward(stream)
    try:
        tar = tarfile.open(fileobj=cast("IO[bytes]", file), mode="r:")  # noqa: SIM115 - below
        with tar:
            while info := _next(tar, stream, file):
                member = names.check(info, stream)
                if member is not None:
                    yield member
        file.check_end()
    except (tarfile.TarError, _BadTarError, ValueError, OverflowError) as error:
        fault = f"{what}: the tar is damaged near byte {file.tell()} of its content ({error})"
        faults.append(CorruptArchive(fault, hint=AGAIN))
        while stream.read(READ):
            pass  # so that the end of what the tar is in gets checked as well
        raise DamagedTar(fault) from error


def _next(tar: tarfile.TarFile, stream: Stream, file: _Forward) -> tarfile.TarInfo | None:
    stream.mark()
    file.begin_headers()
    info = tar.next()
    tar.members.clear()  # type: ignore[attr-defined] # it would keep every member it has seen
    if len(tar.pax_headers) > MAX_GLOBALS:
        raise _BadTarError(f"more than {MAX_GLOBALS} global records")
    return info


class _Names:
    """The rules for members: plain files with safe names, each once."""

    def __init__(self, what: str, faults: list[TransferError], *, links: bool) -> None:
        self._what = what
        self._faults = faults
        self._links = links
        self._seen: set[str] = set()
        self._members = 0
        self._refused = 0

    def check(self, info: tarfile.TarInfo, stream: Stream) -> Member | None:
        """The member, or None where it is a folder or has a fault."""
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise _BadTarError(f"more than {MAX_MEMBERS} members")
        if info.size < 0:
            raise _BadTarError(f"a member of {info.size} bytes")
        name = normalise(info.name)
        if name is None:
            self._refuse(info.name, "the name leaves the archive or is not plain")
            return None
        if info.isdir():
            return None
        if name in self._seen:
            self._fault(UnexpectedFile(f"{self._what}: {name} is in it twice"))
            return None
        self._seen.add(name)
        if info.issym() and self._links:
            return self._link(name, info, stream)
        if not info.isreg() or info.issparse():
            self._refuse(name, f"{_kind(info)}, where only plain files are expected")
            return None
        content = Section(stream, info.size, f"{self._what}: {name}")
        return Member(name=name, size=info.size, offset=stream.position, content=content)

    def _link(self, name: str, info: tarfile.TarInfo, stream: Stream) -> Member | None:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), info.linkname))
        if info.linkname.startswith("/") or normalise(target) is None:
            self._refuse(name, f"a link out of the archive, to {info.linkname!r}")
            return None
        nothing = Section(stream, 0, name)
        return Member(name=name, size=0, offset=stream.position, content=nothing, link=target)

    def _refuse(self, name: str, why: str) -> None:
        self._fault(UnsafePath(f"{self._what}: {name!r}: {why}"))

    def _fault(self, fault: TransferError) -> None:
        self._faults.append(fault)
        self._refused += 1
        if self._refused >= MAX_REFUSED:
            raise _BadTarError(f"{MAX_REFUSED} members with faults; the rest was not looked at")


def normalise(name: str) -> str | None:
    """A member's name without a leading `./`; None where it is not a plain path.

    The folder itself, as `./`, is "".
    """
    while name.startswith("./"):
        name = name[2:]
    if name in ("", "."):
        return ""
    parts = name.split("/")
    plain = not any(part in ("", ".", "..") for part in parts)
    return name if plain and name.isprintable() and "\\" not in name else None


def _kind(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        kind = "symbolic" if info.issym() else "hard"
        return f"a {kind} link to {info.linkname!r}"
    if info.issparse():
        return "a sparse file"
    return "a device or a pipe" if info.isdev() else f"a member of type {info.type!r}"


class _BadTarError(Exception):
    """The tar cannot be read on."""


class _Forward:
    """What `tarfile` asks of a file, over a stream that only goes forward."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._base = stream.position
        self._last = b""
        self._room = HEADER + MAX_HEADER
        self._room_in_all = MAX_HEADERS

    def begin_headers(self) -> None:
        """What is read from here on are the headers of one member."""
        self._room = HEADER + MAX_HEADER

    def tell(self) -> int:
        return self._stream.position - self._base

    def seek(self, offset: int) -> None:
        if offset < self.tell():
            raise _BadTarError("a member has a size that cannot be")
        while (count := offset - self.tell()) and self._stream.read(min(count, READ)):
            pass

    def read(self, size: int) -> bytes:
        self._count(size)
        blocks = []
        while size and (block := self._stream.read(size)):
            blocks.append(block)
            size -= len(block)
        self._last = b"".join(blocks)
        if len(self._last) > HEADER and _DIGITS.search(self._last):
            raise _BadTarError("a header of digits")
        return self._last

    def _count(self, size: int) -> None:
        """`tarfile` keeps all that it reads of a member's headers: let it not be too much."""
        self._room -= size
        self._room_in_all -= size
        if self._room < 0:
            raise _BadTarError(f"a member with more than {MAX_HEADER} bytes of headers")
        if self._room_in_all < 0:
            raise _BadTarError(f"more than {MAX_HEADERS} bytes of headers")

    def check_end(self) -> None:
        """After the last member: zeros, and nothing else up to the end of the stream.

        `tarfile` also ends, without a word, at a header it cannot read.
        """
        if len(self._last) < HEADER:
            raise _BadTarError("it ends without its end mark: it was cut short")
        if self._last.strip(b"\0"):
            raise _BadTarError("a header that is none")
        while block := self._stream.read(READ):
            if block.count(0) != len(block):
                raise _BadTarError("data after its end mark")
