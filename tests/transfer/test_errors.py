"""The exit codes that runbooks rely on, and errors that hold other errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from transfer import delivery, errors
from transfer.errors import (
    EXIT_CODES,
    AccessDenied,
    Conflict,
    CorruptArchive,
    CorruptBundle,
    CreateFirst,
    DigestMismatch,
    Incomplete,
    IntegrityError,
    InvalidInput,
    MissingContent,
    NotFound,
    PolicyError,
    SizeMismatch,
    StorageError,
    ToolError,
    TransferError,
    Unavailable,
    UnexpectedFile,
    UnsafePath,
    UnsupportedVersion,
    raise_together,
)

CODES = {
    TransferError: 1,
    InvalidInput: 3,
    UnsupportedVersion: 3,
    IntegrityError: 4,
    DigestMismatch: 4,
    SizeMismatch: 4,
    MissingContent: 4,
    UnexpectedFile: 4,
    UnsafePath: 4,
    CorruptArchive: 4,
    CorruptBundle: 4,
    NotFound: 5,
    CreateFirst: 5,
    AccessDenied: 6,
    Unavailable: 7,
    Conflict: 8,
    StorageError: 9,
    ToolError: 10,
    Incomplete: 11,
    delivery.NotTried: 11,
    PolicyError: 12,
}


def below(kind: type[TransferError]) -> Iterator[type[TransferError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from below(child)


def test_every_error_has_the_exit_code_that_runbooks_rely_on() -> None:
    defined = {kind for kind in below(TransferError) if kind.__module__ == errors.__name__}
    assert {kind: kind.exit_code for kind in defined | {delivery.NotTried}} == CODES


def test_every_exit_code_is_explained_in_one_line() -> None:
    assert set(EXIT_CODES) == {0, 2, *range(3, 13), 130}
    for code, text in EXIT_CODES.items():
        assert text, code
        assert "\n" not in text
    assert EXIT_CODES[8] == "a tag holds other content, or two sources want one destination"


def test_an_error_is_its_message_and_keeps_hint_and_faults_apart() -> None:
    fault = NotFound("no blob")
    error = CorruptBundle("bundle b: 1 fault", hint="copy it again", faults=[fault])
    assert (str(error), error.message) == ("bundle b: 1 fault", "bundle b: 1 fault")
    assert (error.hint, error.faults) == ("copy it again", (fault,))
    assert (NotFound("x").hint, NotFound("x").faults) == (None, ())


def test_unavailable_knows_how_long_to_wait() -> None:
    fault = NotFound("no")
    error = Unavailable("busy", hint="later", faults=[fault], retry_after=2.5)
    assert (error.message, error.hint, error.faults) == ("busy", "later", (fault,))
    assert error.retry_after == 2.5
    assert Unavailable("busy").retry_after is None


def test_faults_are_raised_together() -> None:
    faults = [NotFound("a"), NotFound("b")]
    with pytest.raises(CorruptArchive) as caught:
        raise_together(CorruptArchive, "two faults", iter(faults), hint="get it again")
    assert (caught.value.message, caught.value.hint) == ("two faults", "get it again")
    assert caught.value.faults == tuple(faults)


def test_no_fault_raises_nothing() -> None:
    raise_together(CorruptArchive, "no fault", iter(()))
