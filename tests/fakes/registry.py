"""A registry in memory that speaks the distribution API, and misbehaves as it is told.

    with FakeRegistry() as registry:
        registry.fail("PUT", r"/blobs/uploads/", times=2, action=status(503))

`tests.fakes.faulty` has the faults. Whatever was asked is in `requests`, whatever was stored in
`blobs`, `manifests` and `tags`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.fakes.faulty import Action, Exchange, FaultyServer


@dataclass(frozen=True, slots=True)
class Stored:
    """A manifest as it was sent."""

    media_type: str
    raw: bytes


class RegistryApi(Exchange):
    """The distribution API."""

    def refuse(self, code: int, error: str) -> None:
        """Answer with one of the registry's errors."""
        body = {"errors": [{"code": error, "message": error.lower()}]}
        self.answer(code, {"Content-Type": "application/json"}, json.dumps(body).encode())

    @property
    def held(self) -> FakeRegistry:
        """The registry."""
        assert isinstance(self.server.owner, FakeRegistry)
        return self.server.owner

    def serve(self) -> None:
        """Answer, if the authorization is right."""
        if self.held.authorization not in (None, self.headers.get("Authorization")):
            self.read_body()
            return self.answer(401, {"WWW-Authenticate": self.held.challenge})
        path = urlsplit(self.path).path
        if path == "/v2/":
            return self.answer(200)
        found = re.fullmatch(r"/v2/(.+)/(blobs/uploads|blobs|manifests|tags)/(.*)", path)
        if not found:
            return self.refuse(404, "NAME_UNKNOWN")
        repository, kind, name = found[1], found[2].replace("/", "_"), found[3]
        answer: Callable[[str, str], None] = getattr(self, f"_{self.command.lower()}_{kind}")
        return answer(repository, name)

    def _post_blobs_uploads(self, repository: str, name: str) -> None:
        self.read_body()  # of those who hope that this is enough
        query = parse_qs(urlsplit(self.path).query)
        wanted = query.get("mount", [""])[0]
        content = self.held.blobs.get((query.get("from", [""])[0], wanted))
        if content is not None:
            self.held.blobs[repository, wanted] = content
            return self.answer(201, {"Docker-Content-Digest": wanted})
        session = f"upload-{len(self.held.requests)}"
        self.held.open_uploads.add(session)
        scheme = "https" if self.held.tls else "http"
        path = f"/v2/{repository}/blobs/uploads/{session}?_state=secret%3D"
        return self.answer(202, {"Location": f"{scheme}://{self.held.host}{path}"})

    def _patch_blobs_uploads(self, repository: str, session: str) -> None:
        if session not in self.held.open_uploads:
            self.read_body()
            return self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
        start = re.match(r"(\d+)-", self.headers.get("Content-Range", ""))
        arrived = self.held.arrived.get(session, b"")
        piece = self.read_body()
        if start and int(start[1]) != len(arrived):
            return self._tell(416, repository, session)
        self.held.arrived[session] = arrived + piece
        return self._tell(202, repository, session)

    def _get_blobs_uploads(self, repository: str, session: str) -> None:
        if session not in self.held.open_uploads:
            return self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
        return self._tell(204, repository, session)

    def _tell(self, code: int, repository: str, session: str) -> None:
        """How far an upload came."""
        last = max(0, len(self.held.arrived.get(session, b"")) - 1)
        path = f"/v2/{repository}/blobs/uploads/{session}?_state=later%3D"
        self.answer(code, {"Location": path, "Range": f"0-{last}"})

    def _put_blobs_uploads(self, repository: str, session: str) -> None:
        announced = int(self.headers["Content-Length"])
        wanted = parse_qs(urlsplit(self.path).query)["digest"][0]
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", wanted):
            self.close_connection = True  # whatever else is announced
            self.changed["Connection"] = "close"
            self.rfile.read(announced if announced < 1024 else 0)
            return self.refuse(400, "DIGEST_INVALID")
        content = self.read_body()
        if len(content) != announced or session not in self.held.open_uploads:
            return self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
        content = self.held.arrived.pop(session, b"") + content
        if wanted != digest_of(content):
            return self.refuse(400, "DIGEST_INVALID")
        self.held.open_uploads.discard(session)
        if not self.forgetful:
            self.held.blobs[repository, wanted] = content
        return self.answer(201, {"Docker-Content-Digest": wanted})

    def _delete_blobs_uploads(self, repository: str, session: str) -> None:
        self.held.open_uploads.discard(session)
        self.held.arrived.pop(session, None)
        self.answer(204)

    def _get_blobs(self, repository: str, digest: str) -> None:
        content = self.held.blobs.get((repository, digest))
        if content is None:
            return self.refuse(404, "BLOB_UNKNOWN")
        headers = {"Docker-Content-Digest": digest, "Content-Type": "application/octet-stream"}
        part = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not part:
            return self.answer(200, headers, content)
        headers["Content-Range"] = f"bytes {part[1]}-{len(content) - 1}/{len(content)}"
        return self.answer(206, headers, content[int(part[1]) :])

    _head_blobs = _get_blobs

    def _put_manifests(self, repository: str, name: str) -> None:
        raw = self.read_body()
        digest, value = digest_of(raw), json.loads(raw)
        blobs = [part["digest"] for part in (value.get("config"), *value.get("layers", ())) if part]
        children = [child["digest"] for child in value.get("manifests", ())]
        missing = [d for d in blobs if (repository, d) not in self.held.blobs]
        missing += [d for d in children if (repository, d) not in self.held.manifests]
        if missing:
            return self.refuse(404, "MANIFEST_BLOB_UNKNOWN")
        if not self.forgetful:
            stored = Stored(self.headers["Content-Type"], raw)
            self.held.manifests[repository, digest] = stored
            if ":" not in name:
                self.held.tags[repository, name] = digest
        return self.answer(201, {"Docker-Content-Digest": digest})

    def _get_manifests(self, repository: str, name: str) -> None:
        digest = name if ":" in name else self.held.tags.get((repository, name), "")
        stored = self.held.manifests.get((repository, digest))
        if stored is None:
            return self.refuse(404, "MANIFEST_UNKNOWN")
        headers = {"Docker-Content-Digest": digest, "Content-Type": stored.media_type}
        return self.answer(200, headers, stored.raw)

    _head_manifests = _get_manifests

    def _get_tags(self, repository: str, name: str) -> None:
        query = parse_qs(urlsplit(self.path).query)
        last, size = query.get("last", [""])[0], int(query.get("n", ["100"])[0])
        tags = sorted(tag for held, tag in self.held.tags if held == repository and tag > last)
        if not tags:
            return self.refuse(404, "NAME_UNKNOWN")
        headers = {"Content-Type": "application/json"}
        if tags[size:]:
            page = f"/v2/{repository}/tags/list?n={size}&last={tags[size - 1]}"
            headers["Link"] = f'<{page}>; rel="next"'
        body = json.dumps({"name": repository, "tags": tags[:size]}).encode()
        return self.answer(200, headers, body)


@dataclass(slots=True)
class FakeRegistry(FaultyServer):
    """The registry and what it holds; keys are the repository's path, and a digest or tag."""

    handler: ClassVar[type[Exchange]] = RegistryApi

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], Stored] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    open_uploads: set[str] = field(default_factory=set)
    arrived: dict[str, bytes] = field(default_factory=dict)
    """Of an open upload, what was sent by PATCH."""
    authorization: str | None = None
    """The Authorization that every request must carry."""
    challenge: str = 'Basic realm="fake"'
    """The WWW-Authenticate for those that do not."""


def keep(count: int) -> Action:
    """Take `count` bytes of what is sent into an upload, keep them, and hang up."""

    def act(exchange: Exchange) -> bool:
        assert isinstance(exchange, RegistryApi)
        session = urlsplit(exchange.path).path.rpartition("/")[2]
        arrived = exchange.held.arrived.get(session, b"")
        size = min(count, int(exchange.headers["Content-Length"]))
        exchange.held.arrived[session] = arrived + exchange.rfile.read(size)
        exchange.close_connection = True
        return True

    return act


def digest_of(content: bytes) -> str:
    """`sha256:…` of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
