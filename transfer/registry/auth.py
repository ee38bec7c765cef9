"""Proving to a registry who asks: not at all, by password, or by a token for each scope.

Nothing is sent before the registry asked for it (401 with `WWW-Authenticate`). From then on
every request carries what it needs, so that a body is never sent in vain. Tokens are kept per
scope and fetched anew shortly before they expire. oras asks the token server; statuses, which it
swallows, are judged here. Source: the distribution project's docs/spec/auth.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from transfer.errors import AccessDenied, Unavailable
from transfer.http.answers import Answer, printable
from transfer.http.messages import Request, Scopes
from transfer.http.transport import Transport, is_loopback
from transfer.registry.credentials import Credentials, Search, search, silence_oras
from transfer.registry.refusals import refusal

_DEFAULT_LIFETIME = 60
"""Seconds that a token is good for when its server does not say (token.md)."""

_LONGEST_LIFETIME = 366 * 24 * 3600.0

_FRESH = 0.8
"""The part of a token's life after which it is not used for anything new."""

_CHALLENGE = re.compile(
    r"\b(Basic|Bearer)\b\s*((?:,?\s*\w+=(?:\"[^\"]*\"|[^\s,\"]+))*)", re.IGNORECASE
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")
_PARAMETER = re.compile(r"(\w+)=(?:\"([^\"]*)\"|([^\s,\"]+))")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry asks for."""

    bearer: bool
    realm: str
    service: str = ""
    scope: str = ""

    @classmethod
    def parse(cls, header: str) -> Challenge | None:
        """Read `WWW-Authenticate`; of several challenges the one with a token goes first."""
        found = []
        for scheme, parameters in _CHALLENGE.findall(header):
            values = {name.lower(): a or b for name, a, b in _PARAMETER.findall(parameters)}
            known = {name: values.get(name, "") for name in ("realm", "service", "scope")}
            found.append(cls(bearer=scheme.lower() == "bearer", **known))
        return max(found, key=lambda challenge: challenge.bearer, default=None)


@dataclass(frozen=True, slots=True)
class _Token:
    header: str = field(repr=False)
    stale: float
    """When it is not fresh any more, on the authenticator's clock."""


class Authenticator:
    """Knows what one registry asks for, and has it; used by many threads."""

    def __init__(  # noqa: PLR0913 - a setting each
        self,
        host: str,
        transport: Transport,
        *,
        given: Credentials | None,
        environ: Mapping[str, str],
        plain_http: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._transport = transport
        self._given = given
        self._environ = environ
        self._plain_http = plain_http
        self._clock = clock
        self._challenge: Challenge | None = None
        self._search: Search | None = None
        self._searching = threading.Lock()
        self._lock = threading.Lock()
        self._tokens: dict[frozenset[str], _Token] = {}
        self._fetching: dict[frozenset[str], threading.Lock] = {}

    def search(self) -> Search:
        """The credentials, looked for when they are first needed.

        Raises:
            InvalidInput: a credential file is not what it should be.
            AccessDenied: a credential helper failed.
        """
        with self._searching:
            if self._search is None:
                self._search = search(self._host, self._given, self._environ)
            return self._search

    def header(self, scopes: Scopes) -> str | None:
        """What to send as Authorization; None as long as the registry never asked.

        Raises:
            AccessDenied: the token server refuses, or a credential helper failed.
            Unavailable: the token server does not answer.
        """
        challenge = self._challenge
        if challenge is None:
            return None
        if challenge.bearer:
            return self._token(challenge, scopes)
        credentials = self.search().credentials
        return credentials.basic() if credentials else None

    def renew(self, asked: str, scopes: Scopes, refused: str | None) -> str | None:
        """What to send after a 401 to a request that carried `refused`.

        Args:
            asked: The answer's WWW-Authenticate.
            scopes: What the request needs.
            refused: The Authorization that was not enough.

        Returns:
            None when there is nothing else to send.

        Raises:
            TransferError: as `header`.
        """
        challenge = Challenge.parse(asked)
        if challenge is None:
            return None
        self._challenge = challenge
        with self._lock:
            self._tokens = {k: v for k, v in self._tokens.items() if v.header != refused}
        header = self.header(_with(scopes, challenge.scope) if challenge.bearer else scopes)
        return header if header != refused else None

    def _token(self, challenge: Challenge, scopes: Scopes) -> str:
        wanted = _rights(scopes)
        with self._lock:
            fetching = self._fetching.setdefault(wanted, threading.Lock())
        with fetching:  # one thread asks, the others wait for what it gets
            token = self._held(wanted)
            if token is None:
                token = self._fetch(challenge, scopes)
                with self._lock:
                    self._tokens[wanted] = token
        return token.header

    def _held(self, wanted: frozenset[str]) -> _Token | None:
        now = self._clock()
        with self._lock:
            for rights, token in self._tokens.items():
                if wanted <= rights and now < token.stale:
                    return token
        return None

    def _fetch(self, challenge: Challenge, scopes: Scopes) -> _Token:
        from oras.auth.token import TokenAuth  # noqa: PLC0415 - slow, and not always needed
        from oras.auth.utils import authHeader  # noqa: PLC0415

        silence_oras()
        found = self.search()
        self._check_realm(challenge, found)
        endpoint = _TokenEndpoint(self._transport, found)
        backend = TokenAuth()
        backend.session = endpoint
        backend._tls_verify = True  # noqa: SLF001 - oras has no other way in; ours decides
        if found.credentials:
            backend.set_basic_auth(found.credentials.username, found.credentials.password)
        asked = {"realm": challenge.realm, "service": challenge.service, "scope": list(scopes)}
        began = self._clock()
        token = backend.request_token(authHeader(asked))
        return _Token(f"Bearer {token}", began + _FRESH * endpoint.lifetime)

    def _check_realm(self, challenge: Challenge, found: Search) -> None:
        """A password goes over HTTPS, unless the registry itself is spoken to without."""
        try:
            parts = urlsplit(challenge.realm)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme == "https" or (parts.scheme and not found.credentials):
            return
        if parts.scheme == "http" and (self._plain_http or is_loopback(parts.hostname or "")):
            return
        raise AccessDenied(
            f"{self._host}: wants the password sent to {printable(challenge.realm)!r}, "
            f"which is not an HTTPS address",
            hint="the registry's setting of its token server (realm) is wrong; ask who runs it",
        )


class _TokenEndpoint:
    """Stands for the session that oras sends its token request through; judges the answer."""

    def __init__(self, transport: Transport, found: Search) -> None:
        self._transport = transport
        self._found = found
        self._content: dict[str, Any] = {}
        self.status_code = HTTPStatus.OK

    def get(
        self, url: str, *, headers: Mapping[str, str], params: Mapping[str, Any], verify: object
    ) -> Self:
        """Ask for a token; `verify` is settled in the transport."""
        del verify
        what = f"{self._found.host}: token server {printable(url)}"
        query = urlencode(params, doseq=True)
        asked = f"{url}{'&' if urlsplit(url).query else '?'}{query}"
        request = Request(method="GET", url=asked, what=what, headers=headers)
        answer = self._transport.send(request).whole()
        if answer.status != HTTPStatus.OK:
            error = refusal(answer, what, access_hint=self._found.hint())
            if isinstance(error, (AccessDenied, Unavailable)):
                raise error
            raise AccessDenied(error.message, hint=self._found.hint())
        self._content = _token_content(answer, what)
        return self

    def json(self) -> dict[str, Any]:
        """The answer, in which there is a token."""
        return self._content

    @property
    def lifetime(self) -> float:
        """Seconds."""
        seconds = self._content.get("expires_in")
        if isinstance(seconds, (int, float)) and 0 <= seconds <= _LONGEST_LIFETIME:
            return seconds
        return _DEFAULT_LIFETIME


def _token_content(answer: Answer, what: str) -> dict[str, Any]:
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        value = None
    token = (value.get("token") or value.get("access_token")) if isinstance(value, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise AccessDenied(
            f"{what}: its answer holds no token",
            hint="something else answers at that address: a proxy, or a login page",
        )
    return dict(value)


def _rights(scopes: Scopes) -> frozenset[str]:
    """Each single right in some scopes: a token for more serves for less."""
    rights = set[str]()
    for scope in scopes:
        resource, _, actions = scope.rpartition(":")
        rights.update(f"{resource}:{action}" for action in actions.split(","))
    return frozenset(rights)


def _with(scopes: Scopes, challenged: str) -> Scopes:
    """Our scopes, and those of a challenge that are about something else."""
    ours = {scope.rpartition(":")[0] for scope in scopes}
    others = [scope for scope in challenged.split() if scope.rpartition(":")[0] not in ours]
    return (*scopes, *others)
