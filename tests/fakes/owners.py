"""Registries that want a project or a repository first: a Harbor, and an ECR with its API."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tests.fakes.faulty import Exchange, FaultyServer
from tests.fakes.registry import FakeRegistry, RegistryApi
from transfer.registry.ecr import sign


class _HarborApi(RegistryApi):
    """Refuses what is below no project, as Harbor does: by 401, and its own words."""

    def serve(self) -> None:
        """Answer Harbor's API, or as a registry."""
        harbor = self.server.owner
        assert isinstance(harbor, FakeHarbor)
        path = urlsplit(self.path).path
        if path == "/api/v2.0/ping":
            return self.answer(200, {"Content-Type": "text/plain"}, b"Pong")
        if path == "/api/v2.0/projects":
            return self._create(harbor)
        project = path.split("/")[2]
        if not path.startswith("/v2/") or not project:
            return super().serve()
        token = self.headers.get("Authorization", "")
        known = harbor.projects
        if token.startswith("Bearer "):
            known = harbor.tokens.setdefault(token, set(harbor.projects))
        if project in known:
            return super().serve()
        self.read_body()
        words = f"project {project} not found: project {project} not found"
        if project in harbor.projects:
            words = "unauthorized to access repository"
        body = {"errors": [{"code": "UNAUTHORIZED", "message": words}]}
        return self.answer(401, {"WWW-Authenticate": ""}, json.dumps(body).encode())

    def _create(self, harbor: FakeHarbor) -> None:
        asked = json.loads(self.read_body())
        if self.headers.get("Authorization") != harbor.owner:
            return self.refuse(401, "UNAUTHORIZED")
        harbor.asked.append(asked)
        if asked["project_name"] in harbor.projects:
            return self.refuse(409, "CONFLICT")
        harbor.projects.add(asked["project_name"])
        return self.answer(201, {"Location": "/api/v2.0/projects/7"})


@dataclass(slots=True)
class FakeHarbor(FakeRegistry):
    """A Harbor and its projects."""

    handler: ClassVar[type[Exchange]] = _HarborApi

    projects: set[str] = field(default_factory=set)
    owner: str = ""
    """The Authorization of whoever may create projects."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """What was to be created."""
    tokens: dict[str, set[str]] = field(default_factory=dict)
    """The projects that there were when a token was first shown: it is for no others."""


class _EcrApi(RegistryApi):
    """Refuses what goes to no repository, as ECR does."""

    def serve(self) -> None:
        """Answer as a registry."""
        ecr = self.server.owner
        assert isinstance(ecr, FakeEcr)
        path = urlsplit(self.path).path
        known = any(path.startswith(f"/v2/{name}/") for name in ecr.repositories)
        if "Authorization" in self.headers and path != "/v2/" and not known:
            self.read_body()
            return self.refuse(404, "NAME_UNKNOWN")
        return super().serve()


@dataclass(slots=True)
class FakeEcr(FakeRegistry):
    """An ECR, which takes the token that a helper exchanged AWS's keys for."""

    handler: ClassVar[type[Exchange]] = _EcrApi

    repositories: set[str] = field(default_factory=set)
    challenge: str = 'Basic realm="https://fake/",service="ecr.amazonaws.com"'


class _CreateApi(Exchange):
    """ECR's API, which checks who signed."""

    def serve(self) -> None:
        """Create a repository."""
        api = self.server.owner
        assert isinstance(api, EcrApi)
        body = self.read_body()
        asked = json.loads(body)["repositoryName"]
        if self.headers["Authorization"] != _expected(api, self, body):
            return self._answer(403, {"__type": "InvalidSignatureException"})
        if api.denies:
            return self._answer(400, {"__type": "AccessDeniedException"})
        if asked in api.registry.repositories:
            return self._answer(400, {"__type": "RepositoryAlreadyExistsException"})
        api.registry.repositories.add(asked)
        return self._answer(200, {"repository": {"repositoryName": asked}})

    def _answer(self, code: int, value: object) -> None:
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        self.answer(code, headers, json.dumps(value).encode())


@dataclass(slots=True)
class EcrApi(FaultyServer):
    """The API beside an ECR."""

    handler: ClassVar[type[Exchange]] = _CreateApi

    registry: FakeEcr = field(default_factory=FakeEcr)
    secret: str = ""
    denies: bool = False


def _expected(api: EcrApi, exchange: Exchange, body: bytes) -> str:
    """The Authorization of a request as it arrived, had it been signed with the right secret."""
    algorithm, _, rest = exchange.headers["Authorization"].partition(" ")
    told = dict(part.split("=", 1) for part in rest.split(", "))
    lines = [f"{name}:{exchange.headers[name]}" for name in told["SignedHeaders"].split(";")]
    canonical = "\n".join(
        ["POST", "/", "", *lines, "", told["SignedHeaders"], hashlib.sha256(body).hexdigest()]
    )
    key_id, _, scope = told["Credential"].partition("/")
    signature = sign(api.secret, exchange.headers["x-amz-date"], scope, canonical)
    return (
        f"{algorithm} Credential={key_id}/{scope}, SignedHeaders={told['SignedHeaders']}, "
        f"Signature={signature}"
    )


def basic(user: str, password: str) -> str:
    """An Authorization."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
