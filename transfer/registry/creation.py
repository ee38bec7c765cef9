"""Creating what a registry wants to be there before it takes a push.

Only where that was allowed by name. Which registry it is, it says itself: Harbor answers its
ping, ECR calls itself so when it asks for credentials. Everybody else is told what to create.
Source: Harbor's API 2.0, `POST /projects`; for ECR see `ecr`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urljoin

from transfer.errors import AccessDenied, TransferError, Unavailable
from transfer.http.answers import Answer
from transfer.http.messages import Request
from transfer.http.transport import Transport
from transfer.registry import ecr
from transfer.registry.credentials import Credentials, Search
from transfer.registry.refusals import refusal

_API = "/api/v2.0"
_PONG = b"pong"


class Creator:
    """Creates a registry's projects or repositories, each once; used by many threads."""

    def __init__(
        self,
        base: str,
        host: str,
        transport: Transport,
        environ: Mapping[str, str],
    ) -> None:
        self._base = base
        self._host = host
        self._transport = transport
        self._environ = environ
        self._lock = threading.Lock()
        self._tried: dict[str, TransferError | None] = {}
        self._way: Callable[[str, Search], None] | None = None
        self._is_known = False

    def create(self, path: str, found: Search) -> bool:
        """Create what a repository needs; False where nobody knows how.

        Args:
            path: Of the repository.
            found: The credentials that its registry takes.

        Raises:
            TransferError: the registry refuses.
        """
        with self._lock:
            if not self._is_known:
                self._way, self._is_known = self._find_way(), True
            if self._way is None:
                return False
            thing = path.partition("/")[0] if self._way == self._create_project else path
            if thing not in self._tried:
                self._tried[thing] = None
                try:
                    self._way(thing, found)
                except Unavailable:
                    del self._tried[thing]  # whoever tries again, asks again
                    raise
                except TransferError as error:
                    self._tried[thing] = error
            if failed := self._tried[thing]:
                raise failed
        return True

    def _find_way(self) -> Callable[[str, Search], None] | None:
        door = self._ask(Request(method="GET", url="/v2/", what=f"registry {self._host}"))
        if ecr.SERVICE in door.headers.get("WWW-Authenticate", ""):
            return self._create_repository
        ping = Request(method="GET", url=f"{_API}/ping", what=f"registry {self._host}")
        answer = self._ask(ping)
        is_harbor = answer.status == HTTPStatus.OK and answer.body.strip().lower() == _PONG
        return self._create_project if is_harbor else None

    def _create_project(self, name: str, found: Search) -> None:
        what = f"{self._host}: creation of project {name}"
        if not isinstance(found.credentials, Credentials):
            raise AccessDenied(f"{what}: needs a user name and a password", hint=found.hint())
        request = Request(
            method="POST",
            url=f"{_API}/projects",
            what=what,
            headers={"Content-Type": "application/json"},
            credentials={"Authorization": found.credentials.basic()},
            body=json.dumps({"project_name": name, "metadata": {"public": "false"}}).encode(),
        )
        answer = self._ask(request)
        if answer.status not in (HTTPStatus.CREATED, HTTPStatus.CONFLICT):  # or it is there
            raise refusal(answer, what, access_hint=found.hint(), writing=True)

    def _create_repository(self, path: str, _found: Search) -> None:
        keys = ecr.Keys.find(self._host, self._environ)
        request = ecr.create_repository(keys, self._host, path, datetime.now(UTC))
        answer = self._ask(request)
        is_there = b"RepositoryAlreadyExistsException" in answer.body
        if answer.status == HTTPStatus.OK or is_there:
            return
        if b"AccessDenied" in answer.body:
            raise AccessDenied(
                f"{request.what}: the API of ECR answered {answer.outcome} (AccessDenied)",
                hint=f"key {keys.key_id} may not do ecr:CreateRepository",
            )
        raise refusal(answer, request.what, access_hint="", writing=True)

    def _ask(self, request: Request) -> Answer:
        request = replace(request, url=urljoin(self._base, request.url))
        return self._transport.send(request).whole()
