"""Tokens: what a registry asks for, and how its token server is asked for it.

With a user name and a password, or with nothing, by a GET that oras makes; with an identity token
by the OAuth2 POST that refreshes one. Statuses, which oras swallows, are judged here.
Sources: the distribution project's docs/spec/auth: token.md, oauth.md, jwt.md.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from transfer.errors import AccessDenied, Unavailable
from transfer.http.answers import Answer, printable
from transfer.http.messages import Request, Scopes
from transfer.http.transport import Transport, is_loopback
from transfer.registry.credentials import Credentials, IdentityToken, Search
from transfer.registry.refusals import refusal

_DEFAULT_LIFETIME = 60
"""Seconds that a token is good for when its server does not say (token.md)."""

_LONGEST_LIFETIME = 366 * 24 * 3600.0
_CLIENT = "harness-airgap"
"""Who asks, in the words of oauth.md (`client_id`)."""

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
class Token:
    """A token as it was handed out."""

    value: str = field(repr=False)
    lifetime: float
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenServer:
    """The token server that a registry named, and what there is to show it."""

    transport: Transport
    challenge: Challenge
    found: Search
    plain_http: bool
    """Whether the registry itself is spoken to without TLS, because that was said by name."""

    def fetch(self, scopes: Scopes) -> Token:
        """Ask for a token.

        Raises:
            AccessDenied: the server refuses, or is at no place to send a secret to.
            Unavailable: it does not answer.
        """
        self._check_realm()
        secret = self.found.credentials
        if isinstance(secret, IdentityToken):
            return self._refresh(secret, scopes)
        return self._fetch_with_oras(secret, scopes)

    def _fetch_with_oras(self, credentials: Credentials | None, scopes: Scopes) -> Token:
        from oras.auth.token import TokenAuth
        from oras.auth.utils import authHeader

        logging.getLogger("oras.logger").disabled = True  # it repeats what servers say
        endpoint = _Session(self)
        backend = TokenAuth()
        backend.session = endpoint
        backend._tls_verify = True  # noqa: SLF001 - oras has no other way in; ours decides
        if credentials:
            backend.set_basic_auth(credentials.username, credentials.password)
        asked = {
            "realm": self.challenge.realm,
            "service": self.challenge.service,
            "scope": list(scopes),
        }
        return Token(backend.request_token(authHeader(asked)), _lifetime(endpoint.json()))

    def _refresh(self, secret: IdentityToken, scopes: Scopes) -> Token:
        form = {
            "grant_type": "refresh_token",
            "service": self.challenge.service,
            "client_id": _CLIENT,
            "scope": " ".join(scopes),
            "refresh_token": secret.value,
        }
        request = Request(
            method="POST",
            url=self.challenge.realm,
            what=self.what,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        content = self.exchange(request)
        return Token(_token_of(content), _lifetime(content))

    @property
    def what(self) -> str:
        """How messages name it."""
        return f"{self.found.host}: token server {printable(self.challenge.realm)}"

    def exchange(self, request: Request) -> dict[str, Any]:
        """Send a request for a token, and return the answer that holds one.

        Raises:
            AccessDenied: there is none in it.
            Unavailable: there is no answer.
        """
        answer = self.transport.send(request).whole()
        if answer.status != HTTPStatus.OK:
            error = refusal(answer, self.what, access_hint=self.found.hint())
            if isinstance(error, (AccessDenied, Unavailable)):
                raise error
            raise AccessDenied(error.message, hint=self.found.hint())
        return _token_content(answer, self.what)

    def _check_realm(self) -> None:
        """A secret goes over HTTPS, unless the registry itself is spoken to without."""
        realm = self.challenge.realm
        try:
            parts = urlsplit(realm)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme == "https" or (parts.scheme and not self.found.credentials):
            return
        if parts.scheme == "http" and (self.plain_http or is_loopback(parts.hostname or "")):
            return
        raise AccessDenied(
            f"{self.found.host}: wants the password sent to {printable(realm)!r}, "
            f"which is not an HTTPS address",
            hint="the registry's setting of its token server (realm) is wrong; ask who runs it",
        )


class _Session:
    """Stands for the session that oras sends its token request through."""

    def __init__(self, server: TokenServer) -> None:
        self._server = server
        self._content: dict[str, Any] = {}
        self.status_code = HTTPStatus.OK

    def get(
        self, url: str, *, headers: Mapping[str, str], params: Mapping[str, Any], verify: object
    ) -> Self:
        """Ask for a token; `verify` is settled in the transport."""
        del verify
        query = urlencode(params, doseq=True)
        asked = f"{url}{'&' if urlsplit(url).query else '?'}{query}"
        request = Request(method="GET", url=asked, what=self._server.what, headers=headers)
        self._content = self._server.exchange(request)
        return self

    def json(self) -> dict[str, Any]:
        """The answer, in which there is a token."""
        return self._content


def _lifetime(content: Mapping[str, Any]) -> float:
    seconds = content.get("expires_in")
    if isinstance(seconds, (int, float)) and 0 <= seconds <= _LONGEST_LIFETIME:
        return seconds
    return _DEFAULT_LIFETIME


def _token_of(content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the answer holds
    return content.get("token") or content.get("access_token")


def _token_content(answer: Answer, what: str) -> dict[str, Any]:
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        value = None
    token = _token_of(value) if isinstance(value, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise AccessDenied(
            f"{what}: its answer holds no token",
            hint="something else answers at that address: a proxy, or a login page",
        )
    return dict(value)
