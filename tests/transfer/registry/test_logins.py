"""What docker's and podman's logins leave behind, shown to registries and token servers."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.faulty import FOREVER, Action, status
from tests.fakes.registry import FakeRegistry
from tests.fakes.tokens import TokenServer, token_server
from tests.servers import Certificate
from tests.transfer.registry.support import connect
from transfer.errors import AccessDenied
from transfer.registry import Credentials
from transfer.registry.credentials import Keychain

pytest_plugins = ["tests.server_fixtures"]

SECRET = "eyJ-identity-7"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens")


@pytest.fixture
def tokens(key: Path) -> Iterator[TokenServer]:
    with token_server(key, users={"ann": "secret-7"}) as server:
        server.identities = frozenset({SECRET})
        yield server


def challenged(tokens: TokenServer) -> Action:
    header = f'Bearer realm="{tokens.realm}",service="{tokens.service}"'
    return status(401, {"WWW-Authenticate": header})


def logins(folder: Path, **entries: dict[str, Any]) -> dict[str, str]:
    """An environment that names a file with these entries, by host."""
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": entries}))
    return {"REGISTRY_AUTH_FILE": str(path)}


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_an_identity_token_is_posted_and_never_in_an_address(
    fake: FakeRegistry, tokens: TokenServer, tmp_path: Path
) -> None:
    fake.fail("GET", "/v2/$", 1, challenged(tokens))
    environ = logins(tmp_path, **{fake.host: {"identitytoken": SECRET}})
    with connect(fake, environ=environ) as client:
        client.ping()
        assert client.repository("team/app").resolve("v1") is None
        assert client.repository("team/app").resolve("v2") is None
    common = {"grant_type": "refresh_token", "service": "test registry"}
    common["client_id"] = "harness-airgap"
    assert tokens.forms == [common, {**common, "scope": "repository:team/app:pull"}]
    assert tokens.issued == [(), ("repository:team/app:pull",)]
    assert fake.requests[-1].headers["authorization"].startswith("Bearer ")


def test_an_identity_token_that_has_expired(
    fake: FakeRegistry, tokens: TokenServer, tmp_path: Path
) -> None:
    tokens.identities = frozenset()
    fake.fail("GET", "/v2/$", 1, challenged(tokens))
    environ = logins(tmp_path, **{fake.host: {"identitytoken": SECRET}})
    with (
        connect(fake, environ=environ) as client,
        pytest.raises(AccessDenied, match=rf"token server {tokens.realm}: answered 401") as caught,
    ):
        client.ping()
    assert "log in again" in (caught.value.hint or "")
    assert SECRET not in f"{caught.value} {caught.value.hint}"


def test_an_identity_token_is_not_shown_to_a_registry_that_wants_a_password(
    fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.authorization = Credentials("ann", "secret-7").basic()
    environ = logins(tmp_path, **{fake.host: {"identitytoken": SECRET}})
    with (
        connect(fake, environ=environ) as client,
        pytest.raises(AccessDenied, match=r"asks for a password, and .* identity token") as caught,
    ):
        client.ping()
    assert SECRET not in f"{caught.value} {caught.value.hint}"
    assert not any(seen.authorized for seen in fake.requests)


def test_an_identity_token_is_not_sent_without_https(tls: Certificate, tmp_path: Path) -> None:
    with FakeRegistry(tls=tls) as fake:
        bearer = {"WWW-Authenticate": 'Bearer realm="http://auth.example/token"'}
        fake.fail("GET", "/v2/$", 1, status(401, bearer))
        environ = logins(tmp_path, **{fake.host: {"identitytoken": SECRET}})
        with (
            connect(fake, environ=environ) as client,
            pytest.raises(AccessDenied, match="not an HTTPS address"),
        ):
            client.ping()


def test_each_namespace_has_its_own_user(
    fake: FakeRegistry, tokens: TokenServer, tmp_path: Path
) -> None:
    tokens.users = {"ann": "secret-7", "bob": "secret-8"}
    environ = logins(
        tmp_path,
        **{f"{fake.host}/team": auth("ann", "secret-7"), f"{fake.host}/team/app": auth("bob", "?")},
    )
    fake.fail("HEAD", "/manifests/", 1, challenged(tokens))
    with connect(fake, environ=environ) as client:
        assert client.repository("team/web").resolve("v1") is None
        with pytest.raises(AccessDenied) as caught:
            client.repository("team/app").resolve("v1")
        assert client.repository("other/app").resolve("v1") is None
    assert "used user 'bob'" in (caught.value.hint or "")
    assert tokens.issued == [("repository:team/web:pull",), ("repository:other/app:pull",)]


def test_a_registry_is_there_for_whoever_has_a_namespace(
    fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.authorization = Credentials("ann", "secret-7").basic()
    environ = logins(tmp_path, **{f"{fake.host}/team": auth("ann", "secret-7")})
    with connect(fake, environ=environ) as client:
        client.ping()
        assert client.repository("team/web").resolve("v1") is None
        with pytest.raises(AccessDenied, match="answered 401") as caught:
            client.repository("teams/web").resolve("v1")
    assert f"no credentials for {fake.host}" in (caught.value.hint or "")


class Vault:
    """A credential helper whose answer is a file; it notes each time that it is asked."""

    def __init__(self, folder: Path, host: str) -> None:
        self._answer, self._count = folder / "answer", folder / "count"
        program = folder / "docker-credential-vault"
        program.write_text(f"#!/bin/sh\necho asked >>{self._count}\ncat {self._answer}\n")
        program.chmod(0o755)
        config = folder / "auth.json"
        config.write_text(json.dumps({"credHelpers": {host: "vault"}}))
        self.environ = {"REGISTRY_AUTH_FILE": str(config)}

    def hold(self, username: str, secret: str) -> None:
        self._answer.write_text(json.dumps({"Username": username, "Secret": secret}))

    @property
    def asked(self) -> int:
        return len(self._count.read_text().splitlines())


@pytest.fixture
def vault(fake: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Vault(tmp_path, fake.host)


@pytest.mark.parametrize("kind", ["password", "identity token"])
def test_what_a_helper_gave_and_a_token_server_refuses_is_asked_for_anew(
    fake: FakeRegistry, tokens: TokenServer, vault: Vault, kind: str
) -> None:
    """As a helper has it that exchanges keys for a password of some hours."""
    name = "ann" if kind == "password" else "<token>"
    vault.hold(name, "morning")
    tokens.users, tokens.identities = {"ann": "morning"}, frozenset({"morning"})
    fake.fail("GET", "/v2/$", 1, challenged(tokens))
    with connect(fake, environ=vault.environ) as client:
        client.ping()
        tokens.users, tokens.identities = {"ann": "evening"}, frozenset({"evening"})
        vault.hold(name, "evening")
        assert client.repository("team/app").resolve("v1") is None
        assert client.repository("team/web").resolve("v1") is None
        assert vault.asked == 2
        tokens.users, tokens.identities = {"ann": "night"}, frozenset({"night"})
        vault.hold(name, "night")
        assert client.repository("team/api").resolve("v1") is None
    assert vault.asked == 3
    assert fake.requests[-1].headers["authorization"].startswith("Bearer ")


def test_a_helper_that_says_the_same_again_is_not_asked_for_each_request(
    fake: FakeRegistry, tokens: TokenServer, vault: Vault
) -> None:
    vault.hold("ann", "wrong")
    fake.fail("HEAD", "", FOREVER, challenged(tokens))
    with connect(fake, environ=vault.environ) as client:
        for path in ("a", "b", "c"):
            with pytest.raises(AccessDenied, match="answered 401") as caught:
                client.repository(path).resolve("v1")
            assert "wrong" not in f"{caught.value} {caught.value.hint}"
    assert vault.asked == 2
    assert tokens.asked == 3


def test_a_helper_is_asked_again_a_minute_later(vault: Vault, fake: FakeRegistry) -> None:
    vault.hold("ann", "morning")
    keychain = Keychain(fake.host, None, vault.environ)
    old = keychain.search().credentials
    for now, asked in ((1000.0, 2), (1059.0, 2), (1060.0, 3), (1119.0, 3)):
        keychain.forget(old, now)
        assert keychain.search().credentials == old
        assert vault.asked == asked
    keychain.forget(Credentials("ann", "noon"), 5000.0)
    assert keychain.search().credentials == old
    assert vault.asked == 3, "somebody else has renewed it"
