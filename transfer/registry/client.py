"""One registry: its address, its TLS, its credentials, its connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from transfer.errors import InvalidInput, NotFound
from transfer.habits import UNKNOWN, Habits
from transfer.http.answers import Answer
from transfer.http.messages import Request
from transfer.http.retry import RetryPolicy
from transfer.http.transport import Transport
from transfer.http.trust import Identity, load_trust
from transfer.progress import SILENT, Progress
from transfer.registry.auth import Authenticator
from transfer.registry.connection import Connection
from transfer.registry.creation import Creator
from transfer.registry.credentials import Credentials
from transfer.registry.repository import RegistryRepository

_API_HOSTS = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
"""Where the one registry is whose name is not its address."""

_ANY = range(100, 600)

_GRACE = 2.0
"""Seconds for taking back what is open; what is left then, the registry sweeps away some day."""


class RegistryClient:
    """The way to all repositories of one registry; made by `connect`, used by many threads."""

    def __init__(
        self, host: str, connection: Connection, transport: Transport, closed: threading.Event
    ) -> None:
        self.host = host
        self._connection = connection
        self._transport = transport
        self._closed = closed
        self._lock = threading.Lock()
        self._repositories: dict[str, RegistryRepository] = {}

    @classmethod
    def connect(  # noqa: PLR0913 - a registry option each
        cls,
        host: str,
        *,
        ca_file: Path | None = None,
        plain_http: bool = False,
        verify: bool = True,
        identity: Identity | None = None,
        credentials: Credentials | None = None,
        environ: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        progress: Progress = SILENT,
        habits: Habits = UNKNOWN,
        create_missing: bool = False,
    ) -> Self:
        """Prepare to speak to a registry; nothing is sent yet (see `ping`).

        Args:
            host: `host[:port]`.
            ca_file: PEM; the only authorities to be trusted. By default those of the system.
            plain_http: Speak HTTP. Never tried unless it is said.
            verify: False accepts any certificate; whoever says so warns the user.
            identity: Our own certificate, shown to this registry alone.
            credentials: What the user gave; otherwise docker's and podman's files are asked.
            environ: Environment that names these files and the proxies; nothing by default.
            retry: How often to try what is temporarily unavailable.
            progress: Told of every retry and its reason.
            habits: What a probe found out about the registry.
            create_missing: Create projects and repositories that a push needs; see `creation`.

        Raises:
            InvalidInput: `host` is not one, or a certificate's file can't be used.
        """
        base = f"{'http' if plain_http else 'https'}://{_API_HOSTS.get(host, host)}/"
        _check_address(base, host)
        environ = environ or {}
        closed = threading.Event()
        retry = retry or RetryPolicy()
        if retry.sleep is time.sleep:  # closing the client ends a pause, Ctrl-C included
            retry = replace(retry, sleep=closed.wait)
        trust = load_trust(ca_file, verify=verify, identity=identity, known_to=base)
        transport = Transport(trust, environ)
        authenticator = Authenticator(
            host, transport, given=credentials, environ=environ, plain_http=plain_http
        )
        connection = Connection(
            base,
            transport,
            authenticator,
            retry,
            progress=progress,
            habits=habits,
            creator=Creator(base, host, transport, environ) if create_missing else None,
        )
        return cls(host, connection, transport, closed)

    def ping(self) -> None:
        """Prove that a registry answers there, with TLS and credentials in order.

        Raises:
            AccessDenied: the certificate or the credentials are not accepted.
            InvalidInput: this is not a registry, or not HTTPS.
            Unavailable: no answer, after all retries.
        """
        what = f"registry {self.host}"
        request = Request(method="GET", url="/v2/", what=what)
        try:
            self._connection.retried(lambda: self._connection.exchange(request))
        except NotFound as error:
            raise InvalidInput(
                f"{what}: nothing at /v2/, so this is not a container registry",
                hint="check the host and the port",
            ) from error

    def anonymous(self) -> Answer:
        """What `/v2/` answers to whoever shows no credentials.

        Raises:
            TransferError: no answer.
        """
        request = Request(method="GET", url="/v2/", what=f"registry {self.host}")
        return self._connection.anonymous(request)

    def ask(self, request: Request) -> Answer:
        """One request, sent once, and its answer with whatever status it has.

        Raises:
            AccessDenied: not with these credentials.
            TransferError: no answer.
        """
        return self._connection.exchange(request, _ANY)

    def repository(self, path: str) -> RegistryRepository:
        """A repository by its path; the same object for the same path."""
        with self._lock:
            found = self._repositories.get(path)
            if found is None:
                found = RegistryRepository(self._connection, self.host, path)
                self._repositories[path] = found
            return found

    def close(self) -> None:
        """Cancel what is open, close the connections, and end the pauses before retries.

        After Ctrl-C whoever sends something finds out at the next block, and takes it back.
        """
        self._closed.set()
        ending = threading.Thread(target=self._end_uploads, daemon=True)
        ending.start()
        ending.join(_GRACE)
        self._transport.close()

    def _end_uploads(self) -> None:
        with self._lock:
            repositories = list(self._repositories.values())
        if all(repository.close() for repository in repositories):
            self._connection.wait_for_uploads()

    def __enter__(self) -> Self:
        """Nothing more."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()


def _check_address(base: str, host: str) -> None:
    try:
        parts = urlsplit(base)
        usable = parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidInput(
            f"registry {host!r}: not a host, or not a port",
            hint="write host:port, for example registry.example:5000",
        )
