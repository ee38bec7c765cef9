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
from transfer.errors import (
    Conflict,
    CreateFirst,
    InvalidInput,
    NotFound,
    SizeMismatch,
    TransferError,
    Unavailable,
)
from transfer.http.answers import Answer
from transfer.http.messages import Request
from transfer.outlet import Making
from transfer.registry.connection import Connection, Unchallenged
from transfer.registry.download import Download
from transfer.registry.refusals import Unattached
from transfer.registry.upload import Uploads
from transfer.store import OpenContent, Target

_ACCEPT = ", ".join(ACCEPTED_TYPES)
_FOUND_OR_NOT = (HTTPStatus.OK, HTTPStatus.NOT_FOUND)
_FOUND = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)
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
        self._acknowledged: dict[str, Digest] = {}
        """What the registry said it has of us: digests and tags, and what they stand for."""

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

        What we wrote ourselves is read, and proven by its bytes; of all else the digest is taken
        on the registry's word.

        Raises:
            IntegrityError: asked for one digest, the registry answers with another.
        """
        expected = self._acknowledged.get(name)

        def ask() -> Descriptor | None:
            return self._resolve(name) if expected is None else self._read_back(name, expected)

        return self._connection.settled(
            lambda: self._connection.retried(ask),
            lambda found: expected is None or (found is not None and found.digest == expected),
        )

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
        answer = self._connection.settled(
            lambda: self._connection.retried(lambda: self._head(request)),
            lambda answer: answer is not None or str(blob.digest) not in self._acknowledged,
        )
        if answer is None:
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
        self._acknowledged[str(blob.digest)] = blob.digest

    @property
    def streams(self) -> bool:
        """Whether `stream_blob` is worth a try, as far as is known of the registry."""
        return self._connection.manners.streams

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
        mounted = self._uploads.mount(blob, origin._path)  # noqa: SLF001 - the same
        if mounted:
            self._acknowledged[str(blob.digest)] = blob.digest
        return mounted

    def close(self) -> bool:
        """Cancel the uploads that were begun and are not needed; False where nobody answers."""
        return self._uploads.close()

    def push_manifest(self, manifest: Manifest, name: str) -> None:
        """Write a manifest under a tag, or under its own digest.

        Raises:
            Conflict: the name stands for something else, and must not be moved.
            IntegrityError: the registry stored it under another digest.
            TransferError: as the registry refuses.
        """
        digest = manifest.descriptor.digest
        refused = self._connection.settled(
            lambda: self._put_manifest(manifest, name),
            lambda refused: not isinstance(refused, Unattached),
        )
        if isinstance(refused, Conflict):
            # Names that must not be moved: ours may be there already, by a PUT without an answer.
            found = self._connection.retried(lambda: self._resolve(name))
            refused = None if found and found.digest == digest else refused
        if refused:
            raise refused
        self._acknowledged[name] = self._acknowledged[str(digest)] = digest

    def _put_manifest(self, manifest: Manifest, name: str) -> Conflict | Unattached | None:
        """Write a manifest once; None when it is written."""
        request = self._request("PUT", "manifests", name, body=manifest.raw)
        request = request.with_header("Content-Type", manifest.media_type)
        try:
            answer = self._connection.retried(
                lambda: self._connection.exchange(request, (HTTPStatus.CREATED,))
            )
        except (Conflict, Unattached) as refused:
            return refused
        except InvalidInput as error:
            raise InvalidInput(
                f"{error.message}; its type is {manifest.media_type}",
                hint="the registry may not take manifests of this type: airgap-mirror probe lists "
                "those it takes",
            ) from error
        answer.check_digest(manifest.descriptor.digest, request.what)
        return None

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
        manners = self._connection.manners
        if not manners.heads:
            return self._resolve_by_content(name)
        request = self._request("HEAD", "manifests", name)
        request = request.with_header("Accept", _ACCEPT)
        try:
            answer = self._head(request)
        except Unavailable as error:
            if not error.stumbled:
                raise
            return self._resolve_by_content(name)  # some fail at this question alone
        if answer is None:
            return None
        if answer.digest is None or answer.size is None or not answer.media_type:
            manners.heads = False
            return self._resolve_by_content(name)
        if ":" in name:
            answer.check_digest(Digest.parse(name), request.what)
        return Descriptor(media_type=answer.media_type, digest=answer.digest, size=answer.size)

    def _head(self, request: Request) -> Answer | None:
        """The answer to a HEAD, None where there is nothing.

        It has no body that could say why it is refused: in a project that does not exist there
        is nothing, but Harbor refuses the question, without asking who we are. A GET is told why.
        """
        try:
            answer = self._connection.exchange(request, _FOUND_OR_NOT)
        except Unchallenged:
            asked = replace(request, method="GET").with_header("Range", "bytes=0-0")
            if self._is_in_no_project(asked):
                return None
            # The project may have been created beside us since.
            answer = self._connection.exchange(request, _FOUND_OR_NOT)
        return answer if answer.status == HTTPStatus.OK else None

    def _is_in_no_project(self, asked: Request) -> bool:
        try:
            self._connection.exchange(asked, _FOUND)
        except TransferError as error:
            return isinstance(error, CreateFirst)
        return False

    def _resolve_by_content(self, name: str) -> Descriptor | None:
        """For registries that do not say the digest of a manifest."""
        try:
            return self._get_manifest(name).descriptor
        except NotFound:
            return None

    def _read_back(self, name: str, expected: Digest) -> Descriptor | None:
        """What is there by its bytes, whatever the registry says about them."""
        request = self._request("GET", "manifests", name).with_header("Accept", _ACCEPT)
        answer = self._connection.exchange(request, _FOUND_OR_NOT)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        digest = Digest.of(answer.body, expected.algorithm)
        return Descriptor(media_type=answer.media_type, digest=digest, size=len(answer.body))

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
