"""Authorised requests to one registry: what is asked for comes back, or one of our errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urljoin

from transfer.errors import AccessDenied, TransferError, Unavailable
from transfer.habits import UNKNOWN, Habits
from transfer.http.answers import Answer
from transfer.http.messages import Reply, Request, Scopes
from transfer.http.retry import RetryPolicy
from transfer.http.transport import Transport, check_downgrade, origin
from transfer.progress import Progress
from transfer.registry.auth import Authenticator
from transfer.registry.creation import Creator
from transfer.registry.manners import Manners
from transfer.registry.refusals import refusal

_Result = TypeVar("_Result")
_OK = (HTTPStatus.OK,)

_SETTLING = (0.1, 0.3, 1.0, 2.0, 4.0)
"""Pauses, in parts of the shortest that a retry makes, before acknowledged content is lost."""


class TokenExpired(AccessDenied):
    """The token ended before the body did. A new one is at hand: send the body again, whole."""


class Unchallenged(AccessDenied):
    """Refused without being asked who we are: other credentials would not help."""


class Connection:
    """Sends each request with the authorization it needs; used by many threads."""

    def __init__(  # noqa: PLR0913 - a part each
        self,
        base: str,
        transport: Transport,
        authenticator: Authenticator,
        retry: RetryPolicy,
        *,
        progress: Progress,
        habits: Habits = UNKNOWN,
        creator: Creator | None = None,
    ) -> None:
        self._base = base
        self._transport = transport
        self._authenticator = authenticator
        self._retry = retry
        self._progress = progress
        self._creator = creator
        self.manners = Manners(habits, lambda told: progress.say(f"{origin(base)[1]}: {told}"))
        """How this registry wants to be treated."""
        self.setbacks = 0
        """How often the registry was unavailable so far."""
        self._uploads = 0
        self._ended = threading.Condition()

    @contextmanager
    def upload(self) -> Iterator[None]:
        """While the body has something open there, which it takes back if it fails."""
        with self._ended:
            self._uploads += 1
        try:
            yield
        finally:
            with self._ended:
                self._uploads -= 1
                self._ended.notify_all()

    def wait_for_uploads(self) -> None:
        """Return when nothing is open any more."""
        with self._ended:
            self._ended.wait_for(lambda: not self._uploads)

    def retried(
        self, work: Callable[[], _Result], reached: Callable[[], int] = lambda: 0
    ) -> _Result:
        """`work`, tried again while the registry is unavailable; see `RetryPolicy.run`."""

        def counted() -> _Result:
            try:
                return work()
            except Unavailable:
                self.setbacks += 1
                raise

        return self._retry.run(counted, self._progress, reached)

    def settled(self, ask: Callable[[], _Result], is_there: Callable[[_Result], bool]) -> _Result:
        """What `ask` gives, asked again for a while as long as it is not there yet.

        For what the registry has acknowledged: one whose servers or whose storage need a moment
        to agree will have it then. Where that was in vain once, nothing is waited for any more.
        """
        found = ask()
        for pause in (self._retry.base * part for part in _SETTLING):
            if is_there(found) or self.manners.loses or self._retry.sleep(pause):
                return found
            found = ask()
        self.manners.loses = not is_there(found)
        return found

    def exchange(self, request: Request, expect: Collection[int] = _OK) -> Answer:
        """Send a request and return its answer, whose status is one of `expect`.

        Raises:
            TokenExpired: a body that can't be repeated was refused; there is a new token now.
            TransferError: any other answer, or none; see `answers` and `failures`.
        """
        answer = self._open(request).whole()
        if answer.status not in expect:
            raise self.refusal(answer, request)
        return answer

    def anonymous(self, request: Request) -> Answer:
        """The answer to a request without credentials, whatever it is.

        Raises:
            TransferError: no answer.
        """
        request = replace(request, url=urljoin(self._base, request.url))
        return self._transport.send(request).whole()

    def download(self, request: Request) -> Reply:
        """Send a GET; the reply is to be read and closed by the caller.

        Raises:
            TransferError: any status but 200 and 206, or no answer.
        """
        reply = self._open(request)
        if reply.answer.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            raise self.refusal(reply.whole(), request)
        return reply

    def create(self, path: str, scopes: Scopes) -> bool:
        """Create what a repository needs to be there; False where that is not for us.

        Raises:
            TransferError: the registry refuses.
        """
        if self._creator is None:
            return False
        created = self._creator.create(path, self._authenticator.search(scopes))
        self._authenticator.forget()  # tokens for what was not there allow nothing
        return created

    def check_safe(self, location: str, what: str) -> None:
        """Refuse to go on at an address without HTTPS where the registry has it.

        Raises:
            InvalidInput: that is where `location` points.
        """
        check_downgrade(self._base, location, what)

    def _open(self, request: Request) -> Reply:
        request = replace(request, url=urljoin(self._base, request.url))
        if not self.is_ours(request.url):
            return self._transport.send(request)
        authorization = self._authenticator.header(request.scopes)
        reply = self._transport.send(request.with_header("Authorization", authorization))
        if reply.answer.status != HTTPStatus.UNAUTHORIZED or not self.is_ours(reply.answer.url):
            return reply
        answer = reply.whole()
        asked = answer.headers.get("WWW-Authenticate", "")
        renewed = self._authenticator.renew(asked, request.scopes, authorization)
        if renewed is None:
            error = self.refusal(answer, request)
            if isinstance(error, AccessDenied) and not asked:
                raise Unchallenged(error.message, hint=error.hint)
            raise error
        if not request.repeatable:
            raise TokenExpired(
                f"{request.what}: the registry did not accept the token for it",
                hint=self._authenticator.search(request.scopes).hint(),
            )
        return self._transport.send(request.with_header("Authorization", renewed))

    def is_ours(self, url: str) -> bool:
        """Whether an address is the registry's own: nobody else gets its credentials."""
        return origin(url) == origin(self._base)

    def refusal(self, answer: Answer, request: Request) -> TransferError:
        """The error that an unwelcome answer is."""
        denied = answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        hint = self._authenticator.search(request.scopes).hint() if denied else ""
        writing = request.method not in ("GET", "HEAD")
        return refusal(answer, request.what, access_hint=hint, writing=writing)
