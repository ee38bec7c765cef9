"""Each way to log in: it lets us in, and whatever happens no secret of it is told to anybody."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.faulty import close_after, status
from tests.fakes.registry import FakeRegistry
from tests.fakes.tokens import token_server
from tests.servers import Certificate, certificate
from tests.transfer.memory import Watch
from tests.transfer.registry.support import AT_ONCE, Content, noise
from transfer.errors import TransferError
from transfer.registry import Credentials, Identity, RegistryClient

pytest_plugins = ["tests.server_fixtures"]

PAGE = (Path(__file__).parents[3] / "docs/registries.md").read_text(encoding="utf-8")
SECRET = "s3cret-of-ann"
TOKEN = "eyJ-identity-of-ann"
BASIC = base64.b64encode(f"ann:{SECRET}".encode()).decode()
ECR = base64.b64encode(f"AWS:{SECRET}".encode()).decode()
CONTENT = noise(50_000)


@dataclass(slots=True)
class Stage:
    """A registry, and what a client shows to it."""

    registry: FakeRegistry
    folder: Path
    stack: ExitStack
    tls: Certificate
    secrets: set[str] = field(default_factory=set)
    """What nobody may read."""
    credentials: Credentials | None = None
    environ: dict[str, str] = field(default_factory=dict)
    identity: Identity | None = None

    def config(self, **value: object) -> None:
        """Leave a docker file."""
        (self.folder / "config.json").write_text(json.dumps(value))
        self.environ["DOCKER_CONFIG"] = str(self.folder)

    def tokens(self) -> None:
        """Let the registry ask for tokens of a server."""
        server = self.stack.enter_context(token_server(self.folder / "t", users={"ann": SECRET}))
        server.identities = frozenset({TOKEN})
        wanted = f'Bearer realm="{server.realm}",service="s"'
        self.registry.fail("GET", "^/v2/$", 1, status(401, {"WWW-Authenticate": wanted}))

    def helper(self, name: str, user: str, secret: str) -> None:
        """Leave a helper on PATH."""
        path = self.folder / f"docker-credential-{name}"
        answer = json.dumps({"Username": user, "Secret": secret})
        path.write_text(f"#!/bin/sh\necho '{secret}' >&2\necho '{answer}'\n")
        path.chmod(0o755)
        self.config(credHelpers={self.registry.host: name})


def basic(stage: Stage) -> None:
    stage.registry.authorization = f"Basic {BASIC}"
    stage.credentials = Credentials("ann", SECRET)


def bearer(stage: Stage) -> None:
    stage.tokens()
    stage.credentials = Credentials("ann", SECRET)


def identity_token(stage: Stage) -> None:
    stage.tokens()
    stage.config(auths={stage.registry.host: {"identitytoken": TOKEN}})


def helper(stage: Stage) -> None:
    stage.registry.authorization = f"Basic {BASIC}"
    stage.helper("vault", "ann", SECRET)


def ecr(stage: Stage) -> None:
    stage.registry.authorization = f"Basic {ECR}"
    stage.registry.challenge = 'Basic realm="https://x/",service="ecr.amazonaws.com"'
    stage.helper("ecr-login", "AWS", SECRET)


def client_certificate(stage: Stage) -> None:
    ours = certificate(stage.folder / "ours", purpose="clientAuth")
    stage.registry.tls, stage.registry.client_ca = stage.tls, ours.ca
    stage.identity = Identity(certificate=ours.certificate, key=ours.key)
    stage.secrets |= set(ours.key.read_text().splitlines()[1:-1])


WAYS: dict[str, Callable[[Stage], None]] = {
    "basic": basic,
    "bearer": bearer,
    "identity-token": identity_token,
    "helper": helper,
    "ecr": ecr,
    "client-certificate": client_certificate,
}


@pytest.fixture
def stage(tls: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with ExitStack() as stack:
        secrets = {SECRET, TOKEN, BASIC, ECR}
        yield Stage(FakeRegistry(), tmp_path, stack, tls, secrets=secrets)


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_is_told(
    stage: Stage,
    way: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("oras.logger"), "disabled", False)
    if way != "client-certificate":
        stage.stack.enter_context(stage.registry)
    WAYS[way](stage)
    if way == "client-certificate":
        stage.stack.enter_context(stage.registry)
    said, told, content = Watch(), list[str](), Content(CONTENT)
    fake = stage.registry
    with RegistryClient.connect(
        fake.host,
        plain_http=fake.tls is None,
        ca_file=fake.tls.ca if fake.tls else None,
        identity=stage.identity,
        credentials=stage.credentials,
        environ=stage.environ,
        retry=AT_ONCE,
        progress=said,
    ) as client:
        repository = client.repository("a/b")
        client.ping()
        fake.fail("PUT", "/uploads/", 1, close_after(100))
        repository.push_blob(content.blob, content.open)
        assert fake.blobs
        told += [repr(client), repr(repository), repr(vars(client))]
        for action in (status(401), status(403), status(429), close_after(3)):
            fake.fail("HEAD", "/manifests/", 3, action)
            with pytest.raises(TransferError) as caught:
                repository.resolve("v1")
            told += told_by(caught.value)
            while fake.take_fault("HEAD", "/manifests/"):
                pass
    out, err = capfd.readouterr()
    everything = "\n".join([*told, *said.lines, caplog.text, out, err])
    assert "trying again" in everything
    assert "urllib3" in caplog.text, "somebody logs"
    assert [secret for secret in stage.secrets if secret in everything] == []
    assert not any(secret in seen.path for seen in fake.requests for secret in stage.secrets), (
        "an address holds a secret"
    )


def told_by(error: BaseException | None) -> list[str]:
    """Every text of an error and of what caused it."""
    told = []
    while error is not None:
        told += [str(error), repr(error), str(getattr(error, "hint", ""))]
        error = error.__cause__ or error.__context__
    return told


def test_the_page_has_a_row_for_each_way() -> None:
    section = PAGE.partition("\n## Credentials\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == list(WAYS)
