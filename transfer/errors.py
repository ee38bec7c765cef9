"""The one error tree: what happened, the exit code it ends with, and what to do about it.

Library code raises these and nothing else on purpose; a foreign exception is translated where
the foreign code is called. The command line turns a `TransferError` into text and an exit code;
anything else that reaches it is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class TransferError(Exception):
    """Base of the tree; never raised itself.

    `str(error)` says what happened, to which thing, expected and found. `hint` is one line on
    what to do. `faults` holds the single errors when many were found in one go.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        faults: Iterable[TransferError] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.faults = tuple(faults)


class InvalidInput(TransferError):
    """A spec, lock, site, receipt or option is wrong; the message starts with the path to it."""

    exit_code = 3


class UnsupportedVersion(InvalidInput):
    """The file was written by a newer version of the toolkit."""


class IntegrityError(TransferError):
    """Bytes are not what they were promised to be."""

    exit_code = 4


class DigestMismatch(IntegrityError):
    """The content hashes to another digest."""


class SizeMismatch(IntegrityError):
    """The content ended before, or goes on after, its declared size."""


class MissingContent(IntegrityError):
    """Something that is listed is not there."""


class UnexpectedFile(IntegrityError):
    """Something is there that is not listed."""


class UnsafePath(IntegrityError):
    """A name that leaves its folder, a link, or anything that is not a plain file."""


class CorruptArchive(IntegrityError):
    """A vendor's archive cannot be trusted; `faults` names everything wrong with it."""


class CorruptBundle(IntegrityError):
    """A bundle cannot be trusted; `faults` names everything wrong with it."""


class NotFound(TransferError):
    """An image, blob or file does not exist where it was looked for."""

    exit_code = 5


class CreateFirst(NotFound):
    """A registry wants a project or repository to be created before anything is pushed to it."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        faults: Iterable[TransferError] = (),
        wanted: str = "",
    ) -> None:
        super().__init__(message, hint=hint, faults=faults)
        self.wanted = wanted
        """What is to be created: `project harness`, `repository harness/ui`."""


class AccessDenied(TransferError):
    """The other side answered 401 or 403."""

    exit_code = 6


class Unavailable(TransferError):
    """Time-outs, 429, 5xx, DNS: temporary by definition, the only kind that is retried."""

    exit_code = 7

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        faults: Iterable[TransferError] = (),
        retry_after: float | None = None,
        stumbled: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, faults=faults)
        self.retry_after = retry_after
        """Seconds the other side asked us to wait, or None."""
        self.stumbled = stumbled
        """Whether the other side said that it failed at this very thing (500): it is there."""


class Conflict(TransferError):
    """A tag holds other content, or two sources want one destination."""

    exit_code = 8


class StorageError(TransferError):
    """Disk full, read-only, permissions."""

    exit_code = 9


class ToolError(TransferError):
    """kubectl or docker failed, or said that it failed."""

    exit_code = 10


class Incomplete(TransferError):
    """Some items failed, the rest is done; the same command continues."""

    exit_code = 11


class PolicyError(TransferError):
    """Refused on purpose: upgrade path, version gate, licence, preflight."""

    exit_code = 12


def _phrase(error: type[TransferError]) -> str:
    """The first line of a class's docstring, to stand in a table."""
    line = (error.__doc__ or "").strip().splitlines()[0]
    return line[:1].lower() + line[1:].removesuffix(".")


EXIT_CODES: dict[int, str] = {
    0: "done",
    2: "the command line is wrong",
    **{
        error.exit_code: _phrase(error)
        for error in (
            InvalidInput,
            IntegrityError,
            NotFound,
            AccessDenied,
            Unavailable,
            Conflict,
            StorageError,
            ToolError,
            Incomplete,
            PolicyError,
        )
    },
    130: "interrupted; the same command continues",
}
"""Every exit code and its meaning, for `--help` and for runbooks."""


def raise_together(
    kind: type[TransferError],
    summary: str,
    faults: Iterable[TransferError],
    *,
    hint: str | None = None,
) -> None:
    """Raise `kind` with every fault in it, or return when there is none."""
    found = tuple(faults)
    if found:
        raise kind(summary, hint=hint, faults=found)
