"""Requests and answers of a registry as values, and the content that answers are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from transfer.descriptor import Manifest
from transfer.digest import Digest

Shelf = Mapping[str, Mapping[str, Digest]]
"""Path of a repository → name → manifest: a tag, or its own digest where an image has no tag."""

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Referrer:
    """A manifest that is about another one: a signature, a list of parts."""

    subject: Digest
    artifact_type: str
    """ "" where neither the manifest nor its configuration has one."""
    descriptor: Mapping[str, Any]
    """As it stands in a list of referrers."""


class Content(Protocol):
    """Where manifests and blobs come from."""

    def shelf(self) -> Shelf:
        """The names at this moment."""
        ...

    def manifest(self, digest: Digest) -> Manifest | None:
        """A manifest, proven against its digest; None where there is none.

        Raises:
            IntegrityError: the bytes kept under this digest are others.
        """
        ...

    def blob_size(self, digest: Digest) -> int | None:
        """Bytes of a blob; None where there is none."""
        ...

    def referrers(self, roots: Iterable[Digest]) -> Iterator[Referrer]:
        """Everything at and below these manifests that is about another manifest.

        Raises:
            IntegrityError: as `manifest`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for."""

    target: str
    """Path and query, as they stand in the request line."""
    range: str = ""
    if_range: str | None = None
    if_none_match: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of a blob, or all of it."""

    digest: Digest
    start: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, headers and body of one answer."""

    status: HTTPStatus
    content_type: str
    body: bytes | Slice
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return self.body.count if isinstance(self.body, Slice) else len(self.body)


def document(
    value: object, *headers: tuple[str, str], status: HTTPStatus = HTTPStatus.OK, kind: str = JSON
) -> Answer:
    """A value as JSON."""
    body = json.dumps(value).encode()
    return Answer(status=status, content_type=kind, body=body, headers=headers)


def error(status: HTTPStatus, code: str, message: str, *headers: tuple[str, str]) -> Answer:
    """An error in the form of the distribution-spec, with one of its codes."""
    return document({"errors": [{"code": code, "message": message}]}, *headers, status=status)
