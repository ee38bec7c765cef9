"""The habits of a registry, found out with a few kilobytes and nothing left behind.

Nothing is ever stored: uploads are cancelled, and what is sent to the end is announced under a
digest that it does not have, so that a registry may only refuse it. How it refuses tells whether
it knows such requests. No tag is written.
Source: distribution-spec 1.1, "Pushing blobs", "Error Codes".
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from mirror.probe.wire import codes, manifest_of_nothing, names, nowhere
from transfer.descriptor import ACCEPTED_TYPES
from transfer.digest import Digest
from transfer.errors import AccessDenied, InvalidInput, TransferError, Unavailable
from transfer.http.answers import Answer, printable
from transfer.http.messages import Request
from transfer.http.transport import origin
from transfer.registry.refusals import refusal

REPOSITORY = "airgap-probe"
"""Below the endpoint; some registries make it when the first upload begins, and keep it, empty."""

_SIZE = 1024
_DONE = frozenset({202, 204})
_REFUSED = frozenset({405, 411, 413, 415, 416, 501})
_UNKNOWN = frozenset({"MANIFEST_INVALID", "UNSUPPORTED"})
_PUSH = {403: "denied", 404: "create-first", 405: "read-only"}
_REFUSALS = {
    "create-first": "the project or repository has to be created first",
    "read-only": "it is read-only, or in maintenance",
    "denied": "these credentials may not write here",
    "refused": "no upload can be begun",
}
_SHORT_TYPES = {kind: kind.partition("vnd.")[2] for kind in ACCEPTED_TYPES}


_NO_DIGEST = "sha256:none"
_BINARY = {"Content_Type": "application/octet-stream"}


class Registry(Protocol):
    """Whoever is asked."""

    def anonymous(self) -> Answer:
        """What `/v2/` answers to whoever shows no credentials."""
        ...

    def ask(self, request: Request) -> Answer:
        """One request, and its answer, whatever it is.

        Raises:
            AccessDenied: the credentials do not reach so far.
            Unavailable: no answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One habit."""

    name: str
    value: str
    """A word for programs."""
    told: str
    """The same for a person, and what follows from it."""


@dataclass(slots=True)
class Probe:
    """What was found so far."""

    registry: Registry
    path: str
    """Of a repository where nothing is."""
    findings: list[Finding] = field(default_factory=list)
    refusal: TransferError | None = None
    """Why a push would fail."""
    _error: TransferError | None = None
    """Why the last question without an answer had none."""

    def run(self) -> None:
        """Ask everything. What one question is refused does not stop the others.

        Raises:
            InvalidInput: there is no registry.
            TransferError: nothing answers, or TLS fails.
        """
        self._login()
        upload = self._push()
        if upload is not None:
            self._location(upload)
            self._chunks(upload)
            self._whole()
            self._mount()
            self._manifests()
        self._digests()
        self._deletes()
        self._referrers()

    def _note(self, name: str, value: str, told: str) -> None:
        self.findings.append(Finding(name=name, value=value, told=told))

    def _ask(
        self, method: str, url: str, body: bytes | None = None, /, **headers: str
    ) -> Answer | None:
        """The answer; None where there is none, or the credentials do not reach so far."""
        actions = {"GET": "pull", "HEAD": "pull", "DELETE": "pull,push,delete"}
        request = Request(
            method=method,
            url=url,
            what=f"probe of {self.path}",
            scopes=(f"repository:{self.path}:{actions.get(method, 'pull,push')}",),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            body=body,
        )
        try:
            return self.registry.ask(request)
        except (AccessDenied, Unavailable) as error:
            self._error = error
            return None

    def _said(self, answer: Answer | None) -> str:
        """What came of a question, in two words."""
        if answer is not None:
            return f"answered {answer.status}"
        return "denied" if self._is_denied() else "hung up"

    def _is_denied(self) -> bool:
        """Whether the last question without an answer had none for want of credentials."""
        return isinstance(self._error, AccessDenied)

    def _url(self, kind: str, name: str = "", **query: str) -> str:
        return f"/v2/{self.path}/{kind}/{name}" + (f"?{urlencode(query)}" if query else "")

    def _login(self) -> None:
        answer = self.registry.anonymous()
        if answer.status == HTTPStatus.NOT_FOUND:
            raise InvalidInput(
                f"{printable(answer.url)}: nothing there, so this is not a container registry",
                hint="check the host and the port",
            )
        if answer.status == HTTPStatus.OK:
            self._note("login", "none", "nobody is asked who they are before they read or write")
            return
        if answer.status != HTTPStatus.UNAUTHORIZED:
            raise refusal(answer, printable(answer.url), access_hint="")
        scheme, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
        realm = rest.partition('realm="')[2].partition('"')[0]
        at = f", at {printable(realm)}" if scheme.lower() == "bearer" and realm else ""
        words = {"basic": "a user name and password", "bearer": "a token"}
        wanted = words.get(scheme.lower(), f"something unknown ({scheme or 'not said'})")
        self._note("login", scheme.lower() or "unknown", f"asks for {wanted}{at}")

    def _push(self) -> Answer | None:
        """Begin an upload; None where that is refused."""
        answer = self._ask("POST", self._url("blobs", "uploads/"))
        if answer is not None and answer.status == HTTPStatus.ACCEPTED and answer.location:
            self._note("push", "allowed", "new repositories may be pushed to")
            return answer
        if answer is not None:
            value = _PUSH.get(answer.status, "refused")
        else:
            value = "denied" if self._is_denied() else "refused"
        self._note("push", value, f"{_REFUSALS[value]} ({self._said(answer)})")
        self.refusal = self._error
        if answer is not None:
            self.refusal = refusal(answer, f"upload to {self.path}", access_hint="", writing=True)
        return None

    def _location(self, upload: Answer) -> None:
        raw, to = upload.headers.get("Location", ""), upload.location or ""
        if not urlsplit(raw).scheme:
            self._note("location", "relative", "uploads go on at an address without a host")
        elif origin(to) == origin(upload.url):
            self._note("location", "absolute", "uploads go on at the same host")
        else:
            told = f"uploads go on at {printable(to)}; credentials are not sent there"
            self._note("location", "other-host", told)

    def _chunks(self, upload: Answer) -> None:
        """A piece of a blob, and the end of it under a wrong digest."""
        location = upload.location or ""
        least = upload.headers.get("OCI-Chunk-Min-Length", "")
        if least.isdigit():
            self._note("chunk-minimum", least, f"chunks have at least {least} bytes")
        piece = secrets.token_bytes(_SIZE)
        patched = self._ask("PATCH", location, piece, Content_Range=f"0-{_SIZE - 1}", **_BINARY)
        if patched is not None and patched.status == HTTPStatus.ACCEPTED:
            location = patched.location or location
            self._note("chunks", "accepted", "a blob may come in pieces")
            self._resume(location)
            self._end_wrongly(location)
        else:
            self._note("chunks", "refused", f"a blob has to come whole ({self._said(patched)})")
        done = self._ask("DELETE", location)
        if done is not None and done.status in _DONE:
            self._note("cancel", "yes", "uploads can be cancelled")
        else:
            self._note("cancel", "no", f"uploads cannot be cancelled ({self._said(done)})")
            self._left(f"{_SIZE} bytes")

    def _end_wrongly(self, location: str) -> None:
        wrong = str(nowhere())
        answer = self._ask("PUT", _with(location, wrong), b"")
        if answer is not None and answer.status == HTTPStatus.CREATED:
            told = "it stores content under a digest that it does not have: audit what it holds"
            self._note("digests", "unchecked", told)
            self._ask("DELETE", self._url("blobs", wrong))
        else:
            self._note("digests", "checked", "content under a wrong digest is refused")

    def _resume(self, location: str) -> None:
        asked = self._ask("GET", location)
        reached = asked.headers.get("Range", "") if asked is not None else ""
        if reached.endswith(f"-{_SIZE - 1}"):
            self._note("resume", "by-offset", "it tells how far a broken upload came")
        else:
            self._note("resume", "no", "it does not tell how far a broken upload came")

    def _left(self, what: str) -> None:
        """Say what could not be taken away."""
        told = f"an unfinished upload of {what} stays until the registry sweeps it away"
        self._note("left", "upload", told)

    def _whole(self) -> None:
        """A blob that comes whole, by POST and PUT and by POST alone, under what is no digest.

        A wrong digest would be refused only after the blob was kept, and docker-registry does not
        let go of it then.
        """
        begun = self._ask("POST", self._url("blobs", "uploads/"))
        if begun is not None and begun.location:
            put = self._ask("PUT", _with(begun.location, _NO_DIGEST), b"0", **_BINARY)
            refused = put is None or put.status in _REFUSED
            self._note("whole", *_taken(self._said(put), refused=refused))
            gone = self._ask("DELETE", begun.location)
            is_gone = gone is not None and gone.status in _DONE
            if not is_gone and "BLOB_UPLOAD_UNKNOWN" not in codes(gone):
                self._left("one byte")
        url = self._url("blobs", "uploads/", digest=_NO_DIGEST)
        alone = self._ask("POST", url, b"0", **_BINARY)
        if alone is not None and alone.status == HTTPStatus.ACCEPTED and alone.location:
            self._ask("DELETE", alone.location)
            self._note("single-post", "ignored", "a POST alone does not store a blob")
        else:
            refused = alone is None or alone.status in _REFUSED
            self._note("single-post", *_taken(self._said(alone), refused=refused))

    def _mount(self) -> None:
        """A blob that is nowhere: the answer to a mount that cannot be."""
        query = {"mount": str(nowhere()), "from": f"{self.path}-other"}
        answer = self._ask("POST", self._url("blobs", "uploads/", **query))
        if answer is not None and answer.status == HTTPStatus.ACCEPTED and answer.location:
            self._note("mount", "upload", "where a blob cannot be mounted, it is uploaded at once")
            self._ask("DELETE", answer.location)
        else:
            told = (
                f"where a blob cannot be mounted, another request is needed ({self._said(answer)})"
            )
            self._note("mount", "refused", told)

    def _manifests(self) -> None:
        """A manifest of each type, under a wrong digest and of blobs that are nowhere."""
        for kind in ACCEPTED_TYPES:
            wrong, body = str(nowhere()), manifest_of_nothing(kind)
            answer = self._ask("PUT", self._url("manifests", wrong), body, Content_Type=kind)
            name = f"type {_SHORT_TYPES[kind]}"
            if answer is not None and answer.status == HTTPStatus.CREATED:
                self._ask("DELETE", self._url("manifests", str(Digest.of(body))))
                self._note(name, "unchecked", "taken under a wrong digest, without its blobs")
            elif answer is None or answer.status in _REFUSED or _UNKNOWN & set(codes(answer)):
                self._note(name, "refused", f"not taken ({self._said(answer)})")
            else:
                self._note(name, "accepted", "known")

    def _digests(self) -> None:
        """Whether HEAD tells what a tag stands for: of any image that is there."""
        for path, tag in self._images():
            head = self._ask(
                "HEAD", f"/v2/{path}/manifests/{tag}", Accept=", ".join(ACCEPTED_TYPES)
            )
            if head is None or head.status != HTTPStatus.OK:
                continue
            told = "tells the digest" if head.digest else "does not tell the digest: one GET more"
            self._note("head", "digest" if head.digest else "no-digest", f"HEAD of a tag {told}")
            return
        self._note("head", "unknown", "no image was found to look at")

    def _images(self) -> Iterator[tuple[str, str]]:
        for path in names(self._ask("GET", "/v2/_catalog?n=20"), "repositories"):
            for tag in names(self._ask("GET", f"/v2/{path}/tags/list?n=1"), "tags")[:1]:
                yield path, tag

    def _deletes(self) -> None:
        answer = self._ask("DELETE", self._url("manifests", str(nowhere())))
        if answer is not None and answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.ACCEPTED):
            self._note("delete", "possible", "images can be deleted")
        else:
            self._note("delete", "refused", f"images cannot be deleted ({self._said(answer)})")

    def _referrers(self) -> None:
        answer = self._ask("GET", self._url("referrers", str(nowhere())))
        there = answer is not None and answer.status == HTTPStatus.OK
        told = "it lists what is about an image" if there else "no list of what is about an image"
        self._note("referrers", "yes" if there else "no", told)


def _with(location: str, digest: str) -> str:
    """The address that ends an upload."""
    joint = "&" if urlsplit(location).query else "?"
    return f"{location}{joint}{urlencode({'digest': digest})}"


def _taken(said: str, *, refused: bool) -> tuple[str, str]:
    if refused:
        return "refused", f"a blob may not come whole this way ({said})"
    return "accepted", "a blob may come whole this way"
