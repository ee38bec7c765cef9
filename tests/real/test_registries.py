"""Push, push again, audit and probe, with each way to log in, against every registry there is.

Debian's docker-registry is always one of them, distribution's of today is one wherever Go is, which
`scripts/test` builds it with, and zot where somebody put it on PATH. Any other that runs somewhere
is tried with AIRGAP_TRY=HOST:PORT/NAMESPACE, to which AIRGAP_TRY_OPTIONS are added.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.fakes.tokens import token_server
from tests.mirror.supply import DESTINATIONS, make_bundle
from tests.real.product import ENVIRONMENT, command, execute
from tests.real.zot import zot
from tests.servers import Certificate, Request, certificate, docker_registry
from tests.tools import need

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real

USER, PASSWORD = "ann", "a password with 'quotes' and $signs"
IDENTITY = "eyJ-identity-7"
HABITS = {
    "push": "allowed",
    "chunks": "accepted",
    "whole": "accepted",
    "digests": "checked",
    "resume": "by-offset",
    "mount": "works",
    "head": "digest",
    "type oci.image.index.v1+json": "accepted",
    "type docker.distribution.manifest.v2+json": "accepted",
}


class Registry(Protocol):
    """A registry that runs."""

    @property
    def host(self) -> str: ...

    def requests(self) -> list[Request]: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """A registry that runs, and how we get in."""

    registry: Registry | None
    to: str
    options: tuple[str | Path, ...] = ()
    secret: str = ""
    login: str = "none"
    env: Mapping[str, str] = field(default_factory=lambda: ENVIRONMENT)

    def mirror(self, *words: str | Path) -> dict[str, Any]:
        """What a command says, which must succeed."""
        argv = command("mirror", *words, *self.options, "--output", "json")
        said: dict[str, Any] = json.loads(execute(argv, secret=self.secret, env=self.env))
        return said

    def sent(self) -> list[str]:
        """The requests that changed something, where that can be known."""
        asked = self.registry.requests() if self.registry else []
        return [f"{r.method} {r.path}" for r in asked if r.method not in {"GET", "HEAD"}]


Start = Callable[..., AbstractContextManager[Registry]]


def anonymous(start: Start, folder: Path, tls: Certificate) -> Iterator[Scene]:
    del tls
    with start(folder) as registry:
        yield Scene(registry, f"{registry.host}/harness", ("--plain-http",))


def password(start: Start, folder: Path, tls: Certificate) -> Iterator[Scene]:
    with start(folder, tls=tls, htpasswd=(USER, PASSWORD)) as registry:
        options = ("--ca-file", tls.ca, "--username", USER, "--password-stdin")
        yield Scene(registry, f"{registry.host}/harness", options, PASSWORD, "basic")


def token(start: Start, folder: Path, tls: Certificate) -> Iterator[Scene]:
    with (
        token_server(folder / "tokens", users={USER: PASSWORD}) as tokens,
        start(folder, tls=tls, token=tokens) as registry,
    ):
        options = ("--ca-file", tls.ca, "--username", USER, "--password-stdin")
        yield Scene(registry, f"{registry.host}/harness", options, PASSWORD, "bearer")
        assert tokens.issued


def identity(start: Start, folder: Path, tls: Certificate) -> Iterator[Scene]:
    """What `docker login` leaves where a token server hands out identity tokens."""
    with (
        token_server(folder / "tokens") as tokens,
        start(folder, tls=tls, token=tokens) as registry,
    ):
        tokens.identities = frozenset({IDENTITY})
        logins = folder / "auth.json"
        entry = {"auth": "", "identitytoken": IDENTITY}
        logins.write_text(json.dumps({"auths": {registry.host: entry}}))
        env = {**ENVIRONMENT, "REGISTRY_AUTH_FILE": str(logins)}
        to = f"{registry.host}/harness"
        yield Scene(registry, to, ("--ca-file", tls.ca), login="bearer", env=env)
        assert tokens.forms


def own_certificate(start: Start, folder: Path, tls: Certificate) -> Iterator[Scene]:
    ours = certificate(folder / "client", purpose="clientAuth")
    with start(folder, tls=tls, client=ours) as registry:
        shown = ("--client-cert", ours.certificate, "--client-key", ours.key)
        yield Scene(registry, f"{registry.host}/harness", ("--ca-file", tls.ca, *shown))


def elsewhere() -> Iterator[Scene]:
    """The one that AIRGAP_TRY names."""
    to = os.environ["AIRGAP_TRY"]
    options = tuple(shlex.split(os.environ.get("AIRGAP_TRY_OPTIONS", "--plain-http")))
    yield Scene(None, to, options, login="")


def later(folder: Path, **options: Any) -> AbstractContextManager[Registry]:  # noqa: ANN401
    """Distribution's registry of today."""
    return docker_registry(folder, program=need("registry"), **options)


WAYS = (anonymous, password, token, identity, own_certificate)
WANTED = {"registry": "go", "zot": "zot"}
"""What has to be on PATH for a registry to be tried that not everybody has."""
REGISTRIES: dict[str, Start] = {"docker-registry": docker_registry, "registry": later, "zot": zot}
NAMES = [n for n in REGISTRIES if shutil.which(n) or shutil.which(WANTED.get(n, "sh"))]
CASES = [(name, way) for name in NAMES for way in WAYS]
OTHERS = [None] if "AIRGAP_TRY" in os.environ else []


@pytest.fixture(params=[*CASES, *OTHERS], ids=lambda c: f"{c[0]}-{c[1].__name__}" if c else "other")
def scene(request: pytest.FixtureRequest, tmp_path: Path, tls: Certificate) -> Iterator[Scene]:
    if request.param is None:
        made = contextmanager(elsewhere)()
    else:
        name, way = request.param
        made = contextmanager(way)(REGISTRIES[name], tmp_path / "registry", tls)
    with made as scene:
        yield scene


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("docker-registry")
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


def test_push_push_again_audit_and_probe(scene: Scene, bundle: Path, tmp_path: Path) -> None:
    count, receipt = len(DESTINATIONS), tmp_path / "receipt.json"
    first = scene.mirror("push", bundle, "--to", scene.to, "--receipt", receipt)
    assert len(first["images"]) == count
    before = scene.sent()
    assert before or not scene.registry
    again = scene.mirror("push", bundle, "--to", scene.to)
    assert {image["outcome"] for image in again["images"]} == {"present"}
    assert again["blobsSent"] == 0
    assert scene.sent() == before, "what was there already was sent again"
    for held in (bundle, receipt):
        assert scene.mirror("audit", held, "--to", scene.to)["held"] == count
    found = scene.mirror("probe", scene.to)["findings"]
    told = {name: finding["value"] for name, finding in found.items()}
    if scene.registry:
        assert {name: told[name] for name in HABITS} == HABITS
        assert told["login"] == scene.login
    assert scene.mirror("audit", bundle, "--to", scene.to)["held"] == count
