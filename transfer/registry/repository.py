"""One repository of a registry, as a source and a target of `copy`.

Source: distribution-spec, "Pulling manifests", "Pulling blobs", "Pushing Manifests", "Listing
Tags".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http import HTTPStatus
from io import BytesIO

from transfer.descriptor import ACCEPTED_TYPES, Descriptor, Manifest
from transfer.digest import Digest, Readable, read_verified
from transfer.errors import InvalidInput, NotFound, SizeMismatch
from transfer.http.answers import Answer
from transfer.http.messages import Request
from transfer.outlet import Making
from transfer.registry.connection import Connection
from transfer.registry.download import Download
from transfer.registry.upload import Uploads
from transfer.store import OpenContent, Target

_ACCEPT = ", ".join(ACCEPTED_TYPES)
_FOUND_OR_NOT = (HTTPStatus.OK, HTTPStatus.NOT_FOUND)
_PAGE = 1000
"""Tags asked for at a time."""
_MOST_PAGES = 1000


class RegistryRepository:
    """A repository, by the path it has in its registry; made by `RegistryClient.repository`."""

    def __init__(self, connection: Connection, host: str, path: str) -> None:
        self._connection = connection
        self._path = path
        self._name = f"{host}/{path}"
        self.host = host
        self._uploads = Uploads(connection, path, self._name)

    @property
    def description(self) -> str:
        """`host/path`."""
        return self._name

    @property
    def setbacks(self) -> int:
        """How often so far the registry was unavailable."""
        return self._connection.setbacks

    def resolve(self, name: str) -> Descriptor | None:
        """The manifest that a tag or digest names right now, or None.

        Raises:
            IntegrityError: asked for one digest, the registry answers with another.
        """
        return self._connection.retried(lambda: self._resolve(name))

    def get_manifest(self, name: str) -> Manifest:
        """A manifest or index by tag or digest, as the bytes it is.

        Raises:
            NotFound: there is none.
            IntegrityError: the bytes are not what `name` or the registry itself says.
        """
        return self._connection.retried(lambda: self._get_manifest(name))

    def tags(self) -> list[str]:
        """Every tag, in the registry's order; none where the repository does not exist."""
        return self._connection.retried(self._tags)

    @contextmanager
    def open(self, descriptor: Descriptor) -> Iterator[Readable]:
        """Open a blob or manifest at its first byte; a broken connection is taken up again.

        Raises:
            NotFound: the registry does not hold it.
        """
        kind = "manifests" if descriptor.is_manifest else "blobs"
        request = self._request("GET", kind, str(descriptor.digest))
        if descriptor.is_manifest:
            request = request.with_header("Accept", descriptor.media_type)
        with closing(Download(self._connection, request)) as download:
            download.read(0)  # asks, so that what is missing is known here
            yield download

    def has_blob(self, blob: Descriptor) -> bool:
        """Whether a blob is there, with the size it should have.

        Raises:
            SizeMismatch: it has another size.
        """
        request = self._request("HEAD", "blobs", str(blob.digest))
        answer = self._connection.retried(lambda: self._connection.exchange(request, _FOUND_OR_NOT))
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        if answer.size is not None and answer.size != blob.size:
            raise SizeMismatch(
                f"{request.what}: the registry holds {answer.size} bytes, expected {blob.size}",
                hint="the registry's storage is damaged: delete this blob there, then run it again",
            )
        return True

    def push_blob(self, blob: Descriptor, content: OpenContent) -> None:
        """Upload a blob; each attempt is a new upload from the first byte.

        Raises:
            IntegrityError: the content is wrong, and the registry did not keep it.
            TransferError: as the registry refuses, or as `content` fails.
        """
        self._uploads.push(blob, content)

    def stream_blob(self, blob: Making) -> None:
        """Upload a blob while it is being made, in one try.

        Raises:
            TransferError: as the registry refuses, or as making it fails.
        """
        self._uploads.stream(blob)

    def mount_blob(self, blob: Descriptor, origin: Target) -> bool:
        """Take over a blob from another repository of this registry; False if it won't."""
        if not isinstance(origin, RegistryRepository):
            return False
        if origin._connection is not self._connection:  # noqa: SLF001 - one of our own
            return False
        return self._uploads.mount(blob, origin._path)  # noqa: SLF001 - the same

    def push_manifest(self, manifest: Manifest, name: str) -> None:
        """Write a manifest under a tag, or under its own digest.

        Raises:
            IntegrityError: the registry stored it under another digest.
            TransferError: as the registry refuses.
        """
        request = self._request("PUT", "manifests", name, body=manifest.raw)
        request = request.with_header("Content-Type", manifest.media_type)
        answer = self._connection.retried(
            lambda: self._connection.exchange(request, (HTTPStatus.CREATED,))
        )
        answer.check_digest(manifest.descriptor.digest, request.what)

    def _request(self, method: str, kind: str, name: str, *, body: bytes | None = None) -> Request:
        actions = "pull" if body is None else "pull,push"
        return Request(
            method=method,
            url=f"/v2/{self._path}/{kind}/{name}",
            what=f"{self._name}: {kind.removesuffix('s')} {name}",
            scopes=(f"repository:{self._path}:{actions}",),
            body=body,
        )

    def _resolve(self, name: str) -> Descriptor | None:
        request = self._request("HEAD", "manifests", name)
        request = request.with_header("Accept", _ACCEPT)
        answer = self._connection.exchange(request, _FOUND_OR_NOT)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.digest is None or answer.size is None or not answer.media_type:
            return self._resolve_by_content(name)
        if ":" in name:
            answer.check_digest(Digest.parse(name), request.what)
        return Descriptor(media_type=answer.media_type, digest=answer.digest, size=answer.size)

    def _resolve_by_content(self, name: str) -> Descriptor | None:
        """For registries that do not say the digest of a manifest."""
        try:
            return self._get_manifest(name).descriptor
        except NotFound:
            return None

    def _get_manifest(self, name: str) -> Manifest:
        request = self._request("GET", "manifests", name).with_header("Accept", _ACCEPT)
        answer = self._connection.exchange(request)
        expected = Digest.parse(name) if ":" in name else answer.digest
        if expected is not None:
            read_verified(BytesIO(answer.body), expected, len(answer.body), request.what)
        return Manifest.parse(answer.body, request.what)

    def _tags(self) -> list[str]:
        tags: list[str] = []
        request = self._request("GET", "tags", f"list?n={_PAGE}")
        request = replace(request, what=f"{self._name}: list of tags")
        seen = set[str]()
        page: str | None = request.url
        while page is not None and page not in seen:
            seen.add(page)
            answer = self._connection.exchange(replace(request, url=page), _FOUND_OR_NOT)
            if answer.status == HTTPStatus.NOT_FOUND:
                break
            tags += _tag_page(answer, request.what)
            if len(seen) > _MOST_PAGES:
                raise InvalidInput(f"{request.what}: goes on after {_MOST_PAGES} pages")
            page = answer.next_page
        return tags


def _tag_page(answer: Answer, what: str) -> list[str]:
    try:
        tags = json.loads(answer.body)["tags"] or []
        return [str(tag) for tag in tags]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidInput(
            f"{what}: the answer is not a list of tags",
            hint="check that this is the address of a registry",
        ) from error
