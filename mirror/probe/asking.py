"""Asking a registry small questions, and noting what its answers show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from mirror.probe.wire import Announced
from transfer.errors import AccessDenied, CreateFirst, TransferError, Unavailable
from transfer.http.answers import Answer
from transfer.http.messages import READ_TIMEOUT, Request

_LIMIT_TIMEOUT = 3.0
"""Seconds; what refuses a size does so before the body, what waits for the body takes it."""


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
class Asker:
    """Whoever asks, and what was found so far."""

    registry: Registry
    path: str
    """Of a repository where nothing is."""
    findings: list[Finding] = field(default_factory=list)
    error: TransferError | None = None
    """Why the last question without an answer had none."""

    def note(self, name: str, value: str, told: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(name=name, value=value, told=told))

    def ask(
        self, method: str, url: str, body: bytes | Announced | None = None, /, **headers: str
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
            read_timeout=_LIMIT_TIMEOUT if isinstance(body, Announced) else READ_TIMEOUT,
        )
        try:
            return self.registry.ask(request)
        except (AccessDenied, CreateFirst, Unavailable) as error:
            self.error = error
            return None

    def cancel(self, location: str) -> Answer | None:
        """Take an upload back; once more where there was no answer, as nothing is to be left."""
        return self.ask("DELETE", location) or self.ask("DELETE", location)

    def said(self, answer: Answer | None) -> str:
        """What came of a question, in two words."""
        if answer is not None:
            return f"answered {answer.status}"
        return "denied" if self.is_denied() else "hung up"

    def is_denied(self) -> bool:
        """Whether the last question without an answer had none for want of credentials."""
        return isinstance(self.error, AccessDenied)

    def url(self, kind: str, name: str = "", **query: str) -> str:
        """An address below the repository."""
        return f"/v2/{self.path}/{kind}/{name}" + (f"?{urlencode(query)}" if query else "")
