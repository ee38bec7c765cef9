"""Which of our errors an unwelcome answer of a registry is.

| answer | error |
|---|---|
| 401, 403, 405 (read-only) | AccessDenied |
| 404 | NotFound; CreateFirst where something was to be uploaded |
| 408, 425, 429, 5xx but 501, 505, 507 | Unavailable, the only one that is tried again |
| 409, 412 (a tag that must not move) | Conflict |
| 413, 507 | StorageError |
| an error code that says digest or size | IntegrityError |
| words for a tag that is immutable, a quota, a missing project, read-only | as these, below |
| anything else | InvalidInput: this is not the registry, or not the content, it wants |

Registries agree on few statuses for what the specification does not know. Where one refuses to
store something, its own words decide before the status does: Harbor answers 401 where a project is
missing and 403 where its quota is used up, ECR 400 where a tag is immutable.
Sources: distribution-spec, "Error Codes"; RFC 9110 for Retry-After.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus

from transfer.errors import (
    AccessDenied,
    Conflict,
    CreateFirst,
    IntegrityError,
    InvalidInput,
    NotFound,
    StorageError,
    TransferError,
    Unavailable,
)
from transfer.http.answers import TEMPORARY, Answer, printable

_BROKEN = HTTPStatus.INTERNAL_SERVER_ERROR

_LONGEST_QUOTE = 300
"""Characters of a registry's own words that a message repeats."""

_READ_ONLY = (AccessDenied, "the registry is read-only or in maintenance; ask who runs it")
_IMMUTABLE = (
    Conflict,
    "the registry forbids to change this tag or repository; ask who runs it to lift the rule",
)
_TOO_LARGE = (
    StorageError,
    "raise the size limit of the registry, of its quota or of the proxy before it",
)
_FULL = (
    StorageError,
    "the registry has no room left for this project: raise its quota, or delete what is old",
)
_UNABLE = (InvalidInput, "the registry, or the proxy before it, does not know such requests")
_REFUSED: Mapping[int, tuple[type[TransferError], str]] = {
    405: _READ_ONLY,
    409: _IMMUTABLE,
    412: _IMMUTABLE,
    413: _TOO_LARGE,
    501: _UNABLE,
    505: _UNABLE,
    507: _TOO_LARGE,
}
_WORDS: tuple[tuple[re.Pattern[str], tuple[type[TransferError], str]], ...] = (
    (re.compile(r"immutab|cannot be overwritten", re.IGNORECASE), _IMMUTABLE),
    (re.compile(r"quota|configured upper limit|storage limit", re.IGNORECASE), _FULL),
    (re.compile(r"read[ -]?only|maintenance mode", re.IGNORECASE), _READ_ONLY),
)
_NO_PROJECT = re.compile(r"project ([\w.-]+) not found")
_CREATE_FIRST = "some registries want the project or repository to be created first"
_LOST = (
    "the registry does not know blobs that it acknowledged a moment ago: look at its storage and "
    "its log, and whether all of its servers see the same"
)
_CHECK_NAME = "check the registry's address and the name of the repository"

_CONTENT_CODES = frozenset({"DIGEST_INVALID", "SIZE_INVALID"})
_LOST_CODES = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})


class Unattached(NotFound):
    """A manifest is refused because the registry does not know what is below it."""


def refusal(answer: Answer, what: str, *, access_hint: str, writing: bool = False) -> TransferError:
    """The error that an unwelcome answer is.

    Args:
        answer: The answer.
        what: What was asked for; starts the message.
        access_hint: Which credentials were used, and where they were looked for.
        writing: Whether something was to be stored.
    """
    status = answer.status
    message = f"{what}: answered {answer.outcome}{_quote(answer)}"
    if judged := _by_its_words(answer, message, writing=writing):
        return judged
    if status in _REFUSED:
        kind, hint = _REFUSED[status]
        return kind(message, hint=hint)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AccessDenied(message, hint=access_hint)
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(message, hint=_CREATE_FIRST if writing else _CHECK_NAME)
    if status in TEMPORARY or status >= _BROKEN:
        return Unavailable(
            message,
            hint="the registry is overloaded or broken; its log says more",
            retry_after=answer.retry_after,
            stumbled=status == HTTPStatus.INTERNAL_SERVER_ERROR,
        )
    return InvalidInput(message, hint=_wrong_place(answer))


def _by_its_words(answer: Answer, message: str, *, writing: bool) -> TransferError | None:
    told, said = set(codes(answer)), _quote(answer)
    if told & _CONTENT_CODES:
        return IntegrityError(message, hint="the content changed on its way; run it again")
    if project := _NO_PROJECT.search(said):
        return CreateFirst(message, hint=_CREATE_FIRST, wanted=f"project {project[1]}")
    if not writing or answer.status in TEMPORARY or answer.status >= _BROKEN:
        return None
    if told & _LOST_CODES:
        return Unattached(message, hint=_LOST)
    for words, (kind, hint) in _WORDS:
        if words.search(said):
            return kind(message, hint=hint)
    return None


def _wrong_place(answer: Answer) -> str:
    if b"HTTPS" in answer.body and answer.url.startswith("http:"):
        return "the server wants HTTPS; leave --plain-http (plainHttp: true) out"
    if b"SSL certificate" in answer.body:  # nginx, where it asks for one
        return "the server wants to see a client certificate: --client-cert (clientCertFile:)"
    if moved := answer.location:
        return f"it has moved to {printable(moved)}; give the address where the registry is"
    return "check that this is the address of a registry, and that it accepts such images"


def _errors(answer: Answer) -> Iterator[Mapping[str, object]]:
    """The entries of `{"errors": [{"code": …, "message": …}]}`."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return
    entries = value.get("errors") if isinstance(value, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield entry


def codes(answer: Answer) -> Iterator[str]:
    """The registry's own codes in an answer."""
    for entry in _errors(answer):
        yield _told(entry, "code")


def _told(entry: Mapping[str, object], key: str) -> str:
    text = entry.get(key)
    return text if isinstance(text, str) else ""


def _quote(answer: Answer) -> str:
    """The registry's own words, made fit for one line."""
    told = [
        ": ".join(filter(None, (_told(entry, key) for key in ("code", "message"))))
        for entry in _errors(answer)
    ]
    if not told and answer.media_type == "text/plain":
        told = [answer.body.decode(errors="replace")]
    text = "; ".join(filter(None, told))
    line = "".join(c if c.isprintable() else " " for c in text).strip()
    shown = line if len(line) <= _LONGEST_QUOTE else line[:_LONGEST_QUOTE] + "…"
    return f" ({shown})" if shown else ""
