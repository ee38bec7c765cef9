"""Proving to a registry who asks: not at all, by password, or by a token for each scope.

Nothing is sent before the registry asked for it (401 with `WWW-Authenticate`). From then on
every request carries what it needs, so that a body is never sent in vain. Tokens are kept per
scope and fetched anew shortly before they expire.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from transfer.errors import AccessDenied
from transfer.http.messages import Scopes
from transfer.http.transport import Transport
from transfer.registry.credentials import Credentials, IdentityToken, Keychain, Search
from transfer.registry.tokens import Challenge, TokenServer

_FRESH = 0.8
"""The part of a token's life after which it is not used for anything new."""


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
        self._transport = transport
        self._keychain = Keychain(host, given, environ)
        self._plain_http = plain_http
        self._clock = clock
        self._challenge: Challenge | None = None
        self._lock = threading.Lock()
        self._tokens: dict[frozenset[str], _Token] = {}
        self._fetching: dict[frozenset[str], threading.Lock] = {}

    def search(self, scopes: Scopes = ()) -> Search:
        """The credentials for what `scopes` are about, looked for when they are first needed.

        Raises:
            InvalidInput: a credential file is not what it should be.
            AccessDenied: a credential helper failed.
        """
        return self._keychain.search(_repository(scopes))

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
        found = self.search(scopes)
        if isinstance(found.credentials, IdentityToken):
            raise AccessDenied(
                f"{found.host}: asks for a password, and {found.origin} holds an identity token, "
                f"which only a token server takes",
                hint=f"log in to {found.host} again with a user name and a password",
            )
        return found.credentials.basic() if found.credentials else None

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
        if challenge is None:  # but what was refused may have been replaced meanwhile
            header = self.header(scopes)
            return header if header != refused else None
        self._challenge = challenge
        with self._lock:
            self._tokens = {k: v for k, v in self._tokens.items() if v.header != refused}
        header = self.header(_with(scopes, challenge.scope) if challenge.bearer else scopes)
        if header == refused and self._found_anew(scopes, self.search(scopes)):
            header = self.header(scopes)
        return header if header != refused else None

    def forget(self) -> None:
        """Use none of the tokens any more that were handed out so far."""
        with self._lock:
            self._tokens.clear()

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
        found = self.search(scopes)
        try:
            return self._ask(challenge, scopes, found)
        except AccessDenied:
            anew = self._found_anew(scopes, found)
            if anew is None:
                raise
        return self._ask(challenge, scopes, anew)

    def _found_anew(self, scopes: Scopes, refused: Search) -> Search | None:
        """Other credentials than those that were refused: a helper's may last some hours only."""
        self._keychain.forget(refused.credentials, self._clock())
        found = self.search(scopes)
        return found if found.credentials != refused.credentials else None

    def _ask(self, challenge: Challenge, scopes: Scopes, found: Search) -> _Token:
        server = TokenServer(
            transport=self._transport,
            challenge=challenge,
            found=found,
            plain_http=self._plain_http,
        )
        began = self._clock()
        token = server.fetch(scopes)
        return _Token(f"Bearer {token.value}", began + _FRESH * token.lifetime)


def _repository(scopes: Scopes) -> str:
    """The path of the repository that a request is about; "" where it is about none."""
    kind, _, rest = scopes[0].partition(":") if scopes else ("", "", "")
    return rest.rpartition(":")[0] if kind == "repository" else ""


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
