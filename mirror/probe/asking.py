"""Asking a registry small questions, and noting what its answers show.

Whatever a question may leave behind is taken back, however the asking ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlencode

from mirror.probe.wire import Announced
from transfer.errors import AccessDenied, TransferError, Unavailable
from transfer.http.answers import TEMPORARY, Answer
from transfer.http.messages import READ_TIMEOUT, Request

_LIMIT_TIMEOUT = 3.0
"""Seconds; what refuses a size does so before the body, what waits for the body takes it."""


_TRIES = 3
"""Requests to take something back, where the answer says neither that it is gone nor never."""

_PATIENCE = 10.0
"""Seconds after Ctrl-C for the answer to the last question, and for taking everything back."""


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


class _Interrupted(Exception):
    """Nothing is asked any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One habit."""

    name: str
    value: str
    """A word for programs."""
    told: str
    """The same for a person, and what follows from it."""


@dataclass(slots=True)
class Asker:
    """Whoever asks, and what was found so far."""

    registry: Registry
    path: str
    """Of a repository where nothing is."""
    findings: list[Finding] = field(default_factory=list)
    error: TransferError | None = None
    """Why the last question without an answer had none."""
    _left: list[str] = field(default_factory=list)
    """What is there because of us, by its address."""
    _is_ending: threading.Event = field(default_factory=threading.Event)

    def ask_all(self, questions: Callable[[], None]) -> None:
        """Ask in a thread of its own, and take back what is left, however that ends.

        Ctrl-C ends the questions, but not the answer to the one that is on its way: it may tell
        what has just been begun.

        Raises:
            TransferError: as the questions raise it.
        """
        failures: list[BaseException] = []
        done = threading.Event()  # to wait for a thread itself would not survive Ctrl-C

        def work() -> None:
            try:
                questions()
            except _Interrupted:
                pass
            except BaseException as error:  # noqa: BLE001 - raised below
                failures.append(error)
            for left in tuple(self._left):
                self.cancel(left)
            done.set()

        try:
            threading.Thread(target=work, name="probe", daemon=True).start()
            done.wait()
        except BaseException:
            self._is_ending.set()
            done.wait(_PATIENCE)
            raise
        for failure in failures:
            raise failure

    def note(self, name: str, value: str, told: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(name=name, value=value, told=told))

    def ask(
        self, method: str, url: str, body: bytes | Announced | None = None, /, **headers: str
    ) -> Answer | None:
        """The answer; None where there is none, or none that can be made use of."""
        if self._is_ending.is_set():
            raise _Interrupted
        return self._send(method, url, body, **headers)

    def begin(self, url: str, body: bytes | None = None, /, **headers: str) -> Answer | None:
        """The answer to a POST that may open an upload."""
        answer = self.ask("POST", url, body, **headers)
        if answer is not None and answer.status == HTTPStatus.ACCEPTED and answer.location:
            self._left.append(answer.location)
        return answer

    def offer(self, url: str, body: bytes, /, *places: str, **headers: str) -> Answer | None:
        """The answer to a PUT of what has to be refused.

        Args:
            url: Where it is sent.
            body: What is sent.
            places: Where it is then, if it is taken all the same; it is deleted there.
            headers: With `_` for each `-`.
        """
        self._left += places
        answer = self.ask("PUT", url, body, **headers)
        for place in places:
            if answer is None or answer.status == HTTPStatus.CREATED:
                self.cancel(place)
            else:
                self._left.remove(place)
        return answer

    def moved(self, upload: str, answer: Answer) -> str:
        """Where an upload goes on after an answer to a part of it."""
        location = answer.location or upload
        self._left = [location if left == upload else left for left in self._left]
        return location

    def cancel(self, location: str) -> Answer | None:
        """Take back an upload, or something that was stored."""
        for _ in range(_TRIES):
            answer = self._send("DELETE", location)
            if answer is not None and not _is_open(answer.status):
                break
        if location in self._left:
            self._left.remove(location)
        return answer

    def _send(
        self, method: str, url: str, body: bytes | Announced | None = None, /, **headers: str
    ) -> Answer | None:
        actions = {"GET": "pull", "HEAD": "pull", "DELETE": "pull,push,delete"}
        request = Request(
            method=method,
            url=url,
            what=f"probe of {self.path}",
            scopes=(f"repository:{self.path}:{actions.get(method, 'pull,push')}",),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            body=body,
            read_timeout=_LIMIT_TIMEOUT if isinstance(body, Announced) else READ_TIMEOUT,
        )
        try:
            return self.registry.ask(request)
        except TransferError as error:
            self.error = error
            return None

    def said(self, answer: Answer | None) -> str:
        """What came of a question, in two words."""
        if answer is not None:
            return f"answered {answer.status}"
        if self.is_denied():
            return "denied"
        return "hung up" if isinstance(self.error, Unavailable) else "not understood"

    def is_denied(self) -> bool:
        """Whether the last question without an answer had none for want of credentials."""
        return isinstance(self.error, AccessDenied)

    def url(self, kind: str, name: str = "", **query: str) -> str:
        """An address below the repository."""
        return f"/v2/{self.path}/{kind}/{name}" + (f"?{urlencode(query)}" if query else "")


def _is_open(status: int) -> bool:
    """Whether another answer may follow to the same question."""
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {*range(300, 400), *TEMPORARY}
