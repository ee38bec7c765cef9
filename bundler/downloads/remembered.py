"""Which content an identity stood for the last time, and by what its server recognised it.

Where nobody says a digest beforehand, a file that was fetched once need not be fetched again to
know it: the server is asked whether it is still the same, with a request that brings no bytes
(RFC 9110, section 13). What is kept here holds no secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from bundler.downloads.answers import total_of, validator_of
from bundler.downloads.cache import Cache, name_of
from bundler.downloads.journal import DAMAGED, Validator, read_size
from bundler.downloads.values import Download
from transfer.digest import Digest
from transfer.disk import read_plain, replace_file, storage_errors
from transfer.errors import InvalidInput, NotFound, SizeMismatch, TransferError
from transfer.fields import dump_json
from transfer.http.messages import Request
from transfer.http.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What an identity stood for."""

    identity: str
    file_name: str
    digest: Digest
    size: int
    validator: Validator = field(default_factory=Validator)


def remember(cache: Cache, memory: Memory) -> None:
    """Keep what an identity stands for now.

    Raises:
        StorageError: it cannot be written.
    """
    value = {
        "identity": memory.identity,
        "fileName": memory.file_name,
        "digest": str(memory.digest),
        "size": memory.size,
        "etag": memory.validator.etag,
        "lastModified": memory.validator.modified,
    }
    with storage_errors(cache.what):
        cache.remembered.mkdir(parents=True, exist_ok=True)
    path = cache.remembered / f"{name_of(memory.identity)}.json"
    replace_file(path, dump_json(value).encode(), cache.what)


def recall(cache: Cache, identity: str) -> Memory | None:
    """What an identity stood for; None where nobody knows.

    Raises:
        StorageError: it cannot be read.
    """
    found = memory_at(cache.remembered / f"{name_of(identity)}.json", cache.what)
    return found if found and found.identity == identity else None


def memories(cache: Cache) -> Iterator[tuple[Path, Memory | None]]:
    """Everything that is remembered, and where; None for what is no memory.

    Raises:
        StorageError: it cannot be read.
    """
    with storage_errors(cache.what):
        paths = sorted(cache.remembered.glob("*")) if cache.remembered.is_dir() else []
    for path in paths:
        yield path, memory_at(path, cache.what)


def still_same(wanted: Download, memory: Memory, transport: Transport, timeout: float) -> bool:
    """Ask the server whether it has what is remembered; False where it does not say so."""
    if wanted.pinned:
        return True
    if not memory.validator:
        return False
    headers = {"Range": "bytes=0-0"}
    if memory.validator.etag:
        headers["If-None-Match"] = memory.validator.etag
    else:
        headers["If-Modified-Since"] = memory.validator.modified
    try:
        location = wanted.locate()
        request = Request(
            method="GET",  # a signature for GET does not hold for HEAD
            url=location.url,
            what=wanted.what,
            headers=headers,
            credentials=location.headers,
            read_timeout=timeout,
        )
        with transport.send(request) as reply:
            answer = reply.answer
    except TransferError:
        return False  # whoever fetches it then will say what is wrong
    if answer.status == HTTPStatus.NOT_MODIFIED:
        return True
    if answer.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return False
    return validator_of(answer) == memory.validator and total_of(answer) == memory.size


def memory_at(path: Path, what: str) -> Memory | None:
    """What a file remembers; None where it does not exist, or is no memory.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        found = json.loads(read_plain(path, what))
        return Memory(
            identity=str(found["identity"]),
            file_name=str(found["fileName"]),
            digest=Digest.parse(str(found["digest"])),
            size=read_size(found["size"]),
            validator=Validator.from_json(found),
        )
    except (NotFound, InvalidInput, SizeMismatch, *DAMAGED):
        return None
