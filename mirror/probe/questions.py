"""The habits of a registry, found out with a few kilobytes and nothing left behind.

Nothing is ever stored: uploads are cancelled, and what is sent to the end is announced under a
digest that it does not have, so that a registry may only refuse it. How it refuses tells whether
it knows such requests. No tag is written.
Source: distribution-spec 1.1, "Pushing blobs", "Error Codes".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from mirror.probe.asking import Asker
from mirror.probe.images import ask_for_digest, ask_for_mount
from mirror.probe.wire import Announced, codes, manifest_of_nothing, nowhere
from transfer.descriptor import ACCEPTED_TYPES
from transfer.digest import Digest
from transfer.errors import AccessDenied, InvalidInput, NotFound, TransferError
from transfer.http.answers import Answer, printable
from transfer.http.transport import origin
from transfer.registry.refusals import refusal

REPOSITORY = "airgap-probe"
"""Below the endpoint; some registries make it when the first upload begins, and keep it, empty."""

_SIZE = 1024
_DONE = frozenset({202, 204})
_REFUSED = frozenset({405, 411, 413, 415, 416, 501})
_UNKNOWN = frozenset({"MANIFEST_INVALID", "UNSUPPORTED"})
_LIMITS = tuple(size * 1024 * 1024 for size in (32768, 4096, 1024, 256, 100, 50, 10, 1))
"""Bytes that are announced, from the largest down, until one is not refused."""

_REFUSALS = {
    "create-first": "the project or repository has to be created first",
    "read-only": "it is read-only, or in maintenance",
    "denied": "these credentials may not write here",
    "refused": "no upload can be begun",
}
_SHORT_TYPES = {kind: kind.partition("vnd.")[2] for kind in ACCEPTED_TYPES}


_NO_DIGEST = "sha256:none"
_NO_TYPE = "application/vnd.airgap.none.v1+json"
_BINARY = {"Content_Type": "application/octet-stream"}


@dataclass(slots=True)
class Probe(Asker):
    """Every question, and what was found so far."""

    refusal: TransferError | None = None
    """Why a push would fail."""

    def run(self) -> None:
        """Ask everything. What one question is refused does not stop the others.

        Raises:
            InvalidInput: there is no registry.
            TransferError: nothing answers, or TLS fails.
        """
        self.ask_all(self._ask)

    def _ask(self) -> None:
        self._login()
        upload = self._push()
        if upload is not None:
            self._location(upload)
            self._chunks(upload)
            self._whole()
            self._mount_missing()
            self._manifests()
            ask_for_mount(self)
        ask_for_digest(self)
        self._deletes()
        self._referrers()

    def _login(self) -> None:
        answer = self.registry.anonymous()
        if answer.status == HTTPStatus.NOT_FOUND:
            raise InvalidInput(
                f"{printable(answer.url)}: nothing there, so this is not a container registry",
                hint="check the host and the port",
            )
        if answer.status == HTTPStatus.OK:
            self.note("login", "none", "nobody is asked who they are before they read or write")
            return
        if answer.status != HTTPStatus.UNAUTHORIZED:
            raise refusal(answer, printable(answer.url), access_hint="")
        scheme, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
        realm = rest.partition('realm="')[2].partition('"')[0]
        at = f", at {printable(realm)}" if scheme.lower() == "bearer" and realm else ""
        words = {"basic": "a user name and password", "bearer": "a token"}
        wanted = words.get(scheme.lower(), f"something unknown ({scheme or 'not said'})")
        self.note("login", scheme.lower() or "unknown", f"asks for {wanted}{at}")

    def _push(self) -> Answer | None:
        """Begin an upload; None where that is refused."""
        answer = self.begin(self.url("blobs", "uploads/"))
        if answer is not None and answer.status == HTTPStatus.ACCEPTED and answer.location:
            self.note("push", "allowed", "new repositories may be pushed to")
            return answer
        self.refusal = self.error
        if answer is not None:
            self.refusal = refusal(answer, f"upload to {self.path}", access_hint="", writing=True)
        value = _why(self.refusal)
        self.note("push", value, f"{_REFUSALS[value]} ({self.said(answer)})")
        return None

    def _location(self, upload: Answer) -> None:
        raw, to = upload.headers.get("Location", ""), upload.location or ""
        if not urlsplit(raw).scheme:
            self.note("location", "relative", "uploads go on at an address without a host")
        elif origin(to) == origin(upload.url):
            self.note("location", "absolute", "uploads go on at the same host")
        else:
            told = f"uploads go on at {printable(to)}; credentials are not sent there"
            self.note("location", "other-host", told)

    def _chunks(self, upload: Answer) -> None:
        """A piece of a blob, and the end of it under a wrong digest."""
        location = upload.location or ""
        least = upload.headers.get("OCI-Chunk-Min-Length", "")
        if least.isdigit():
            self.note("chunk-minimum", least, f"chunks have at least {least} bytes")
        piece = secrets.token_bytes(_SIZE)
        patched = self.ask("PATCH", location, piece, Content_Range=f"0-{_SIZE - 1}", **_BINARY)
        if patched is not None and patched.status == HTTPStatus.ACCEPTED:
            location = self.moved(location, patched)
            self.note("chunks", "accepted", "a blob may come in pieces")
            self._resume(location)
            self._end_wrongly(location)
        else:
            self.note("chunks", "refused", f"a blob has to come whole ({self.said(patched)})")
        done = self.cancel(location)
        if done is not None and done.status in _DONE:
            self.note("cancel", "possible", "uploads can be cancelled")
        else:
            self.note("cancel", "refused", f"uploads cannot be cancelled ({self.said(done)})")
            self._stays(f"{_SIZE} bytes")

    def _end_wrongly(self, location: str) -> None:
        wrong = str(nowhere())
        answer = self.offer(_with(location, wrong), b"", self.url("blobs", wrong))
        if answer is not None and answer.status == HTTPStatus.CREATED:
            told = "it stores content under a digest that it does not have: audit what it holds"
            self.note("digests", "unchecked", told)
        elif answer is not None:
            self.note("digests", "checked", "content under a wrong digest is refused")

    def _resume(self, location: str) -> None:
        asked = self.ask("GET", location)
        reached = asked.headers.get("Range", "") if asked is not None else ""
        if reached.endswith(f"-{_SIZE - 1}"):
            self.note("resume", "by-offset", "it tells how far a broken upload came")
        else:
            self.note("resume", "from-start", "it does not tell how far a broken upload came")

    def _stays(self, what: str) -> None:
        """Say what could not be taken away."""
        told = f"an unfinished upload of {what} stays until the registry sweeps it away"
        self.note("left", "upload", told)

    def _whole(self) -> None:
        """A blob that comes whole, by POST and PUT and by POST alone, under what is no digest.

        A wrong digest would be refused only after the blob was kept, and docker-registry does not
        let go of it then.
        """
        begun = self.begin(self.url("blobs", "uploads/"))
        if begun is not None and begun.status == HTTPStatus.ACCEPTED and begun.location:
            put = self.ask("PUT", _with(begun.location, _NO_DIGEST), b"0", **_BINARY)
            refused = put is None or put.status in _REFUSED
            self.note("whole", *_taken(self.said(put), refused=refused))
            self._limit(begun.location)
            gone = self.cancel(begun.location)
            is_gone = gone is not None and gone.status in _DONE
            if not is_gone and "BLOB_UPLOAD_UNKNOWN" not in codes(gone):
                self._stays("one byte")
        url = self.url("blobs", "uploads/", digest=_NO_DIGEST)
        alone = self.begin(url, b"0", **_BINARY)
        if alone is not None and alone.status == HTTPStatus.ACCEPTED and alone.location:
            self.cancel(alone.location)
            self.note("single-post", "ignored", "a POST alone does not store a blob")
        else:
            refused = alone is None or alone.status in _REFUSED
            self.note("single-post", *_taken(self.said(alone), refused=refused))

    def _limit(self, location: str) -> None:
        """How large a body may be: of a size that is announced, and of which nothing comes."""
        end = _with(location, _NO_DIGEST)
        for size in _LIMITS:
            answer = self.ask("PUT", end, Announced(size), Connection="close", **_BINARY)
            if answer is None or answer.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                break
        if size == _LIMITS[0]:
            self.note("body-limit", "none", "bodies of any size are let through")
        else:
            told = f"larger bodies than {size} bytes are refused, perhaps by a proxy before it"
            self.note("body-limit", str(size), told)

    def _mount_missing(self) -> None:
        """A blob that is nowhere: the answer to a mount that cannot be."""
        query = {"mount": str(nowhere()), "from": f"{self.path}-other"}
        answer = self.begin(self.url("blobs", "uploads/", **query))
        name = "mount-missing"
        if answer is not None and answer.status == HTTPStatus.ACCEPTED and answer.location:
            self.note(name, "upload", "where a blob cannot be mounted, it is uploaded at once")
            self.cancel(answer.location)
        else:
            told = (
                f"where a blob cannot be mounted, another request is needed ({self.said(answer)})"
            )
            self.note(name, "refused", told)

    def _manifests(self) -> None:
        """A manifest of each type, under a wrong digest and of blobs that are nowhere."""
        for kind in ACCEPTED_TYPES:
            answer = self._offer_manifest(kind)
            name = f"type {_SHORT_TYPES[kind]}"
            if answer is not None and answer.status == HTTPStatus.CREATED:
                self.note(name, "unchecked", "taken under a wrong digest, without its blobs")
            elif answer is None or answer.status in _REFUSED or self._means_the_type(answer):
                self.note(name, "refused", f"not taken ({self.said(answer)})")
            else:
                self.note(name, "accepted", "known")

    def _offer_manifest(self, kind: str) -> Answer | None:
        wrong, body = str(nowhere()), manifest_of_nothing(kind)
        places = (self.url("manifests", name) for name in (str(Digest.of(body)), wrong))
        url = self.url("manifests", wrong)
        return self.offer(url, body, *places, Content_Type=kind)

    def _means_the_type(self, answer: Answer) -> bool:
        """Whether a manifest is called invalid for its type.

        Some registries do that; zot does it where blobs are missing, and says 415 to a type that
        it does not know.
        """
        if not _UNKNOWN & set(codes(answer)):
            return False
        other = self._offer_manifest(_NO_TYPE)
        return other is None or other.status not in _REFUSED

    def _deletes(self) -> None:
        answer = self.ask("DELETE", self.url("manifests", str(nowhere())))
        if answer is not None and answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.ACCEPTED):
            self.note("delete", "possible", "images can be deleted")
        else:
            self.note("delete", "refused", f"images cannot be deleted ({self.said(answer)})")

    def _referrers(self) -> None:
        answer = self.ask("GET", self.url("referrers", str(nowhere())))
        there = answer is not None and answer.status == HTTPStatus.OK
        told = "it lists what is about an image" if there else "no list of what is about an image"
        self.note("referrers", "listed" if there else "unlisted", told)


def _why(refused: TransferError | None) -> str:
    """What keeps a push from beginning, in a word."""
    if isinstance(refused, NotFound):
        return "create-first"
    if isinstance(refused, AccessDenied):
        return "read-only" if "read-only" in (refused.hint or "") else "denied"
    return "refused"


def _with(location: str, digest: str) -> str:
    """The address that ends an upload."""
    joint = "&" if urlsplit(location).query else "?"
    return f"{location}{joint}{urlencode({'digest': digest})}"


def _taken(said: str, *, refused: bool) -> tuple[str, str]:
    if refused:
        return "refused", f"a blob may not come whole this way ({said})"
    return "accepted", "a blob may come whole this way"
