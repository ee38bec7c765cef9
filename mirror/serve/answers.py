"""What a read-only registry answers: a request as a value in, an answer as a value out.

Source: OCI distribution-spec, pull and content discovery. A name or tag from the network is only
ever looked up in a mapping; of a request, nothing but a parsed digest leads to a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import unquote

from mirror.serve.conditions import byte_range, etag, is_known
from mirror.serve.exchange import Answer, Content, Request, Slice, document, error
from mirror.serve.listing import catalog, referrers_list, tags_list
from transfer.digest import Digest
from transfer.errors import InvalidInput

BINARY = "application/octet-stream"

_ROUTE = re.compile(
    r"/v2/(?P<name>.+)/(?:(?P<kind>manifests|blobs|referrers)/(?P<reference>[^/]+)|tags/list)"
)


def answer(content: Content, request: Request) -> Answer:
    """Answer a GET or HEAD.

    Raises:
        IntegrityError: a manifest is damaged.
    """
    path, _, query = request.target.partition("?")
    path = unquote(path)
    if path in ("/v2", "/v2/"):
        return document({})
    shelf = content.shelf()
    if path == "/v2/_catalog":
        return catalog(path, shelf, query)
    route = _ROUTE.fullmatch(path)
    images = shelf.get(route["name"]) if route else None
    if route is None or images is None:
        return error(HTTPStatus.NOT_FOUND, "NAME_UNKNOWN", "there is no such repository")
    return _in_repository(content, images, route, request)


def _in_repository(
    content: Content, images: Mapping[str, Digest], route: re.Match[str], request: Request
) -> Answer:
    path, _, query = request.target.partition("?")
    kind, name = route["kind"], route["reference"]
    if kind is None:
        return tags_list(path, route["name"], images, query)
    if kind == "manifests" and ":" not in name:
        return _manifest(content, images.get(name), request)
    try:
        digest = Digest.parse(name)
    except InvalidInput as fault:
        return error(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", fault.message)
    if kind == "referrers":
        return referrers_list(content.referrers(images.values()), digest, query)
    return (_manifest if kind == "manifests" else _blob)(content, digest, request)


def read_only() -> Answer:
    """The answer to everything that would write."""
    return error(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "UNSUPPORTED",
        "this registry is read-only: only GET and HEAD",
        ("Allow", "GET, HEAD"),
    )


def unauthorized() -> Answer:
    """The answer to whoever does not say who it is, or says it wrong."""
    return error(
        HTTPStatus.UNAUTHORIZED,
        "UNAUTHORIZED",
        "a user name and its password are needed",
        ("WWW-Authenticate", 'Basic realm="airgap-mirror", charset="UTF-8"'),
    )


def _manifest(content: Content, digest: Digest | None, request: Request) -> Answer:
    manifest = content.manifest(digest) if digest else None
    if manifest is None or digest is None:
        return error(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", "there is no such manifest")
    whole = Answer(
        status=HTTPStatus.OK,
        content_type=manifest.media_type,
        body=manifest.raw,
        headers=_about(digest),
    )
    return _not_modified(whole) if is_known(request, digest) else whole


def _blob(content: Content, digest: Digest, request: Request) -> Answer:
    size = content.blob_size(digest)
    if size is None:
        return error(HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN", "there is no such blob")
    whole = Answer(
        status=HTTPStatus.OK,
        content_type=BINARY,
        body=Slice(digest=digest, start=0, count=size),
        headers=(*_about(digest), ("Accept-Ranges", "bytes")),
    )
    if is_known(request, digest):
        return _not_modified(whole)
    wanted = byte_range(request, digest, size)
    return whole if wanted is None else _part(whole, digest, *wanted)


def _part(whole: Answer, digest: Digest, start: int, end: int) -> Answer:
    if start >= end:
        return error(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "RANGE_INVALID",
            f"the blob has {whole.length} bytes",
            ("Content-Range", f"bytes */{whole.length}"),
        )
    return replace(
        whole,
        status=HTTPStatus.PARTIAL_CONTENT,
        body=Slice(digest=digest, start=start, count=end - start),
        headers=(*whole.headers, ("Content-Range", f"bytes {start}-{end - 1}/{whole.length}")),
    )


def _not_modified(whole: Answer) -> Answer:
    return replace(whole, status=HTTPStatus.NOT_MODIFIED, body=b"")


def _about(digest: Digest) -> tuple[tuple[str, str], ...]:
    return (("Docker-Content-Digest", str(digest)), ("ETag", etag(digest)))
