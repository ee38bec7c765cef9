"""What a read-only registry answers: a request as a value in, an answer as a value out.

Sources: OCI distribution-spec, pull and content discovery; RFC 9110 for ranges. A name or tag
from the network is only ever looked up in a mapping; of a request, nothing but a parsed digest
leads to a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlencode

from transfer.descriptor import Manifest
from transfer.digest import Digest
from transfer.errors import InvalidInput

Shelf = Mapping[str, Mapping[str, Digest]]
"""Path of a repository → tag → manifest. One whose images have no tag is there, empty."""

JSON = "application/json"
BINARY = "application/octet-stream"

_ROUTE = re.compile(
    r"/v2/(?P<name>.+)/(?:(?P<kind>manifests|blobs)/(?P<reference>[^/]+)|tags/list)"
)
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for."""

    target: str
    """Path and query, as they stand in the request line."""
    range: str = ""
    if_range: str | None = None


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


def answer(content: Content, request: Request) -> Answer:
    """Answer a GET or HEAD.

    Raises:
        IntegrityError: a manifest is damaged.
    """
    path, _, query = request.target.partition("?")
    path = unquote(path)
    if path in ("/v2", "/v2/"):
        return Answer(status=HTTPStatus.OK, content_type=JSON, body=b"{}")
    route = _ROUTE.fullmatch(path)
    tags = content.shelf().get(route["name"]) if route else None
    if route is None or tags is None:
        return error(HTTPStatus.NOT_FOUND, "NAME_UNKNOWN", "there is no such repository")
    if route["kind"] is None:
        return _tags(route["name"], tags, query)
    if route["kind"] == "manifests" and ":" not in route["reference"]:
        return _manifest(content, tags.get(route["reference"]))
    return _by_digest(content, route, request)


def _by_digest(content: Content, route: re.Match[str], request: Request) -> Answer:
    try:
        digest = Digest.parse(route["reference"])
    except InvalidInput as fault:
        return error(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", fault.message)
    if route["kind"] == "manifests":
        return _manifest(content, digest)
    return _blob(content, digest, request)


def error(status: HTTPStatus, code: str, message: str) -> Answer:
    """An error in the form of the distribution-spec, with one of its codes."""
    body = {"errors": [{"code": code, "message": message}]}
    return Answer(status=status, content_type=JSON, body=_json(body))


def read_only() -> Answer:
    """The answer to everything that would write."""
    refused = error(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "UNSUPPORTED",
        "this registry is read-only: only GET and HEAD",
    )
    return Answer(
        status=refused.status,
        content_type=refused.content_type,
        body=refused.body,
        headers=(("Allow", "GET, HEAD"),),
    )


def _manifest(content: Content, digest: Digest | None) -> Answer:
    manifest = content.manifest(digest) if digest else None
    if manifest is None:
        return error(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", "there is no such manifest")
    return Answer(
        status=HTTPStatus.OK,
        content_type=manifest.media_type,
        body=manifest.raw,
        headers=_digest_headers(manifest.descriptor.digest),
    )


def _blob(content: Content, digest: Digest, request: Request) -> Answer:
    size = content.blob_size(digest)
    if size is None:
        return error(HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN", "there is no such blob")
    about = (*_digest_headers(digest), ("Accept-Ranges", "bytes"))
    wanted = _range(request, digest, size)
    if wanted is None:
        whole = Slice(digest=digest, start=0, count=size)
        return Answer(status=HTTPStatus.OK, content_type=BINARY, body=whole, headers=about)
    start, end = wanted
    if start >= end:
        return Answer(
            status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            content_type=JSON,
            body=b"",
            headers=(("Content-Range", f"bytes */{size}"),),
        )
    return Answer(
        status=HTTPStatus.PARTIAL_CONTENT,
        content_type=BINARY,
        body=Slice(digest=digest, start=start, count=end - start),
        headers=(*about, ("Content-Range", f"bytes {start}-{end - 1}/{size}")),
    )


def _range(request: Request, digest: Digest, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for the whole, empty where unsatisfiable.

    A header that asks for several ranges, or for anything else, may be ignored (RFC 9110, 14.2).
    """
    found = _RANGE.fullmatch(request.range)
    if not found or request.if_range not in (None, _etag(digest)):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        return max(size - int(last), 0), size
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < int(first):
        return None
    return int(first), end


def _tags(name: str, tags: Mapping[str, Digest], query: str) -> Answer:
    """The tags in order, `n` of them after `last` where asked for."""
    asked = parse_qs(query)
    last, limit = asked.get("last", [""])[0], asked.get("n", [""])[0]
    if limit and not re.fullmatch(r"[0-9]{1,9}", limit):
        return error(
            HTTPStatus.BAD_REQUEST, "PAGINATION_NUMBER_INVALID", "n is not a number of tags"
        )
    listed = sorted(tag for tag in tags if tag > last)
    page = listed[: int(limit)] if limit else listed
    more: tuple[tuple[str, str], ...] = ()
    if page and len(page) < len(listed):
        following = urlencode({"n": limit, "last": page[-1]})
        more = (("Link", f'</v2/{name}/tags/list?{following}>; rel="next"'),)
    body = _json({"name": name, "tags": page})
    return Answer(status=HTTPStatus.OK, content_type=JSON, body=body, headers=more)


def _digest_headers(digest: Digest) -> tuple[tuple[str, str], ...]:
    return (("Docker-Content-Digest", str(digest)), ("ETag", _etag(digest)))


def _etag(digest: Digest) -> str:
    return f'"{digest}"'


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
