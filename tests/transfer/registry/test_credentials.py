from __future__ import annotations

import base64
import json
import logging
import os
import select
from pathlib import Path
from typing import Any

import pytest

from transfer.errors import AccessDenied, InvalidInput
from transfer.registry import Credentials
from transfer.registry.credentials import IdentityToken, Keychain, Search

HOST = "registry.example:5000"


def auth(user: str = "ann", password: str = "pw-file") -> dict[str, Any]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


class Home:
    """A user's home with docker's file in it, and folders for the rest."""

    def __init__(self, folder: Path) -> None:
        self.docker = folder / "home" / ".docker" / "config.json"
        self.podman = folder / "run" / "containers" / "auth.json"
        self.config = folder / "home" / ".config" / "containers" / "auth.json"
        self.helpers = folder / "bin"
        self.environ = {"HOME": str(folder / "home"), "XDG_RUNTIME_DIR": str(folder / "run")}
        for path in (self.docker, self.podman, self.config, self.helpers / "x"):
            path.parent.mkdir(parents=True)

    def write(self, **config: object) -> None:
        self.docker.write_text(json.dumps(config))

    def helper(self, name: str, script: str) -> None:
        path = self.helpers / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def search(self, host: str = HOST, path: str = "", *, patience: float = 30.0) -> Search:
        return Keychain(host, None, self.environ, patience=patience).search(path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path)
    monkeypatch.setenv("PATH", f"{home.helpers}{os.pathsep}{os.environ['PATH']}")
    return home


def test_a_password_is_not_shown() -> None:
    assert "pw" not in repr(Credentials("ann", "pw"))


def test_what_is_given_goes_first(home: Home) -> None:
    home.write(auths={HOST: auth()})
    given = Credentials("bob", "pw")
    found = Keychain(HOST, given, home.environ).search()
    assert found.credentials is given
    assert found.origin == "--username and --password-stdin, or the site file"


def test_docker_config_of_the_home(home: Home) -> None:
    home.write(auths={"other.example": auth("bob"), HOST: auth()})
    found = home.search()
    assert found.credentials == Credentials("ann", "pw-file")
    assert found.origin == str(home.docker)


def test_docker_config_elsewhere(home: Home, tmp_path: Path) -> None:
    home.write(auths={HOST: auth("wrong")})
    (tmp_path / "config.json").write_text(json.dumps({"auths": {HOST: auth()}}))
    home.environ["DOCKER_CONFIG"] = str(tmp_path)
    assert home.search().credentials == Credentials("ann", "pw-file")


def test_podman_goes_before_docker_and_a_named_file_before_both(home: Home, tmp_path: Path) -> None:
    home.write(auths={HOST: auth("docker")})
    home.podman.write_text(json.dumps({"auths": {HOST: auth("podman")}}))
    assert home.search().credentials == Credentials("podman", "pw-file")
    named = tmp_path / "named.json"
    named.write_text(json.dumps({"auths": {HOST: auth("named")}}))
    home.environ["REGISTRY_AUTH_FILE"] = str(named)
    assert home.search().credentials == Credentials("named", "pw-file")


def test_nothing_anywhere(home: Home) -> None:
    found = home.search()
    assert found.credentials is None
    assert found.places[1:] == (str(home.podman), str(home.config), str(home.docker))


def test_no_environment_no_files() -> None:
    assert len(Keychain(HOST, None, {}).search().places) == 1


@pytest.mark.parametrize(
    "key", [HOST, f"https://{HOST}", f"http://{HOST}/", f"https://{HOST}/v1/", f"{HOST}/v2"]
)
def test_the_spellings_of_a_host(home: Home, key: str) -> None:
    home.write(auths={key: auth()})
    assert home.search().credentials == Credentials("ann", "pw-file")


@pytest.mark.parametrize("key", ["registry.example", f"{HOST}1", f"x{HOST}", f"{HOST}1/team"])
def test_credentials_of_another_host_are_not_taken(home: Home, key: str) -> None:
    home.write(auths={key: auth()})
    assert home.search().credentials is None
    assert home.search(path="team").credentials is None


@pytest.mark.parametrize(
    ("path", "user"),
    [
        ("team/app/api", "api"),
        ("team/app/api/v2", "api"),
        ("team/app/apiary", "app"),
        ("team/app", "app"),
        ("team/application", "team"),
        ("team", "team"),
        ("teams/app", "host"),
        ("", "host"),
    ],
)
def test_the_longest_prefix_of_a_repository_wins(home: Home, path: str, user: str) -> None:
    names = {"app": f"{HOST}/team/app", "host": HOST, "api": f"{HOST}/team/app/api"}
    entries = {name: auth(user) for user, name in names.items()} | {f"{HOST}/team": auth("team")}
    home.podman.write_text(json.dumps({"auths": entries}))
    assert home.search(path=path).credentials == Credentials(user, "pw-file")


def test_what_is_about_no_repository_may_use_those_of_any(home: Home) -> None:
    home.podman.write_text(json.dumps({"auths": {f"{HOST}/team": auth()}}))
    assert home.search().credentials == Credentials("ann", "pw-file")
    assert home.search(path="other/app").credentials is None


def test_the_hub_has_namespaces_too(home: Home) -> None:
    home.podman.write_text(json.dumps({"auths": {"docker.io/harness": auth()}}))
    assert home.search("docker.io", "harness/delegate").credentials is not None
    assert home.search("docker.io", "library/redis").credentials is None


def test_where_podman_keeps_a_login_for_good(home: Home, tmp_path: Path) -> None:
    home.config.write_text(json.dumps({"auths": {HOST: auth("kept")}}))
    assert home.search().credentials == Credentials("kept", "pw-file")
    home.environ["XDG_CONFIG_HOME"] = str(tmp_path / "elsewhere")
    assert home.search().credentials is None


def test_without_a_runtime_folder_podman_uses_that_of_the_user(home: Home) -> None:
    del home.environ["XDG_RUNTIME_DIR"]
    assert f"/run/containers/{os.getuid()}/auth.json" in home.search().places


def test_the_hub_has_many_names(home: Home) -> None:
    home.write(auths={"https://index.docker.io/v1/": auth()})
    assert home.search("docker.io").credentials == Credentials("ann", "pw-file")


def test_a_colon_in_a_password(home: Home) -> None:
    home.write(auths={HOST: auth("ann", "a:b")})
    assert home.search().credentials == Credentials("ann", "a:b")


def test_user_and_password_in_the_open(home: Home) -> None:
    home.write(auths={HOST: {"username": "ann", "password": "pw"}})
    assert home.search().credentials == Credentials("ann", "pw")


@pytest.mark.parametrize("text", ['{"auths": pw-file}', "[1]", '"pw-file"', "[" * 99999])
def test_a_file_that_is_not_json(home: Home, text: str) -> None:
    home.docker.write_text(text)
    with pytest.raises(InvalidInput, match=r"config\.json: not") as caught:
        home.search()
    assert "pw-file" not in caught.value.message
    assert caught.value.__cause__ is None


def test_an_empty_file(home: Home) -> None:
    home.docker.write_bytes(b"")
    assert home.search().credentials is None


def test_a_file_that_cannot_be_read(home: Home) -> None:
    home.docker.mkdir()
    with pytest.raises(AccessDenied, match=r"config\.json: Is a directory"):
        home.search()


@pytest.mark.parametrize("value", ["pw-file", "cHctZmlsZQ==", "/////w=="])
def test_an_entry_that_is_not_user_and_password(home: Home, value: str) -> None:
    home.write(auths={HOST: {"auth": value}})
    with pytest.raises(InvalidInput, match="not base64 of user:password") as caught:
        home.search()
    assert value not in caught.value.message


@pytest.mark.parametrize("config", [{"auths": []}, {"auths": {HOST: "x"}}, {"auths": {HOST: {}}}])
def test_entries_without_anything_in_them(home: Home, config: dict[str, Any]) -> None:
    home.write(**config)
    assert home.search().credentials is None


def test_an_identity_token_goes_before_a_password(home: Home) -> None:
    home.write(auths={HOST: {**auth("<token>", ""), "identitytoken": "eyJ-secret"}})
    found = home.search()
    assert found.credentials == IdentityToken("eyJ-secret")
    assert "eyJ-secret" not in f"{found!r} {found.hint()}"
    assert str(home.docker) in found.hint()


GIVES = r"""read host; echo "{\"Username\": \"ann\", \"Secret\": \"$1 $host\"}" """


def test_a_helper_for_this_registry(home: Home) -> None:
    home.helper("vault", GIVES)
    home.write(credHelpers={HOST: "vault"}, credsStore="missing")
    assert home.search().credentials == Credentials("ann", f"get {HOST}")


def test_a_helper_for_all_registries(home: Home) -> None:
    home.helper("vault", GIVES)
    home.write(credsStore="vault", auths={HOST: {}})
    assert home.search().credentials == Credentials("ann", f"get {HOST}")


def test_a_helper_that_fails_is_denied_and_not_quoted(
    home: Home, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("oras.logger"), "disabled", False)
    home.helper("vault", "echo pw-helper; echo pw-helper >&2; exit 1")
    home.write(credHelpers={HOST: "vault"})
    with pytest.raises(AccessDenied, match="docker-credential-vault: gave no cred") as caught:
        home.search()
    assert "pw-helper" not in f"{caught.value} {caught.value.hint} {caplog.text}"
    assert str(home.docker) in (caught.value.hint or "")


def test_a_helper_that_is_not_installed(home: Home) -> None:
    home.write(credHelpers={HOST: "missing"})
    with pytest.raises(AccessDenied, match="docker-credential-missing") as caught:
        home.search()
    assert "PATH" in (caught.value.hint or "")


def test_a_helper_for_all_that_failed_where_the_user_logged_in(home: Home) -> None:
    home.write(credsStore="missing", auths={HOST: {}})
    with pytest.raises(AccessDenied, match="docker-credential-missing"):
        home.search()


def test_a_helper_for_all_that_knows_nothing_is_no_failure(home: Home) -> None:
    home.helper("vault", "echo credentials not found in native keychain; exit 1")
    home.write(credsStore="vault", auths={"other.example": {}})
    assert home.search().credentials is None


@pytest.mark.parametrize("answer", ["pw-helper", '{\\"Username\\": \\"ann\\"}', "[]", '\\"x\\"'])
def test_a_helper_that_answers_something_else(home: Home, answer: str) -> None:
    home.helper("vault", f'echo "{answer}"')
    home.write(credHelpers={HOST: "vault"})
    with pytest.raises(AccessDenied, match="not what docker defines") as caught:
        home.search()
    error: BaseException = caught.value
    assert "pw-helper" not in f"{error} {caught.value.hint}"
    assert error.__cause__ is None


def test_a_helper_that_has_an_identity_token(home: Home) -> None:
    home.helper("vault", 'echo \'{"Username": "<token>", "Secret": "eyJ-secret"}\'')
    home.write(credHelpers={HOST: "vault"})
    assert home.search().credentials == IdentityToken("eyJ-secret")


def test_the_hub_is_asked_for_by_its_old_name(home: Home) -> None:
    home.helper("vault", GIVES)
    home.write(credsStore="vault")
    expected = Credentials("ann", "get https://index.docker.io/v1/")
    assert home.search("docker.io").credentials == expected


def test_a_helper_is_asked_once(home: Home, tmp_path: Path) -> None:
    home.helper("vault", f"echo asked >>{tmp_path}/count; {GIVES}")
    home.write(credHelpers={HOST: "vault"})
    keychain = Keychain(HOST, None, home.environ)
    assert keychain.search("a").credentials == keychain.search("b").credentials is not None
    assert (tmp_path / "count").read_text() == "asked\n"


@pytest.mark.parametrize("script", ["echo pw-helper; sleep 600 & wait", "sleep 600"])
def test_a_helper_that_hangs_is_ended_and_what_it_started_too(
    home: Home, tmp_path: Path, script: str
) -> None:
    pipe = tmp_path / "held"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    home.helper("vault", f"exec 9>{pipe}; {script}")
    home.write(credHelpers={HOST: "vault"})
    with pytest.raises(AccessDenied, match="docker-credential-vault: gave no answer") as caught:
        home.search(patience=2.0)
    told = f"{caught.value} {caught.value.hint}"
    assert "in 2 seconds" in told
    assert "pw-helper" not in told
    assert select.select([reader], [], [], 30)[0], "somebody still holds the pipe"
    assert os.read(reader, 1) == b""
    os.close(reader)


@pytest.mark.parametrize("name", ["../evil", "a b", "", 7, ["x"]])
def test_a_helper_with_a_name_that_is_none(home: Home, name: object) -> None:
    home.write(credHelpers={HOST: name})
    if not name:
        assert home.search().credentials is None
    else:
        with pytest.raises(InvalidInput, match="not the name of a credential helper"):
            home.search()
