"""`--site` in place of `--to`, for a registry with TLS and passwords, and options that go first."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any

import click
import pytest
from click.testing import CliRunner

from mirror.cli.destination import destination_options
from mirror.target import RegistryAccess
from tests.fakes.registry import FakeRegistry
from tests.mirror.supply import DESTINATIONS, Ran, held, make_bundle, mirror
from tests.processes import PATIENCE
from tests.real.product import ENVIRONMENT, command
from tests.servers import Certificate, Registry, docker_registry
from transfer.registry import Credentials

pytest_plugins = ["tests.server_fixtures"]

USER, PASSWORD = "pusher", "correct horse battery staple"
LOGIN = {"REGISTRY_USER": USER, "REGISTRY_PASSWORD": PASSWORD}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


@pytest.fixture
def guarded(tmp_path: Path, tls: Certificate) -> Iterator[Registry]:
    """A registry with TLS that asks for a password."""
    folder = tmp_path / "docker-registry"
    with docker_registry(folder, tls=tls, htpasswd=(USER, PASSWORD)) as registry:
        yield registry


def site_of(folder: Path, endpoint: str, **registry: object) -> Path:
    """A site file; its registry asks the environment for user and password."""
    credentials = {"usernameEnv": "REGISTRY_USER", "passwordEnv": "REGISTRY_PASSWORD"}
    value = {
        "apiVersion": "airgap/v1",
        "kind": "Site",
        "name": "north",
        "registry": {"endpoint": endpoint, "credentials": credentials, **registry},
        "namespace": "harness",
        "applications": {"harness": {"licenseFile": "licence.yaml"}},
    }
    path = folder / "site.yaml"
    path.write_text(json.dumps(value))  # JSON is YAML
    return path


def test_the_site_file_says_all_that_plan_push_and_audit_need(
    bundle: Path, guarded: Registry, tls: Certificate, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(tls.ca.read_bytes())
    site = site_of(tmp_path, f"{guarded.host}/harness", caFile="ca.pem")
    receipt = tmp_path / "receipt.json"

    def ran(*words: str | Path) -> Ran:
        done = mirror(*words, "--site", site, env=LOGIN)
        assert done.code == 0, done.err
        assert PASSWORD not in done.out + done.err
        return done

    assert f"{len(DESTINATIONS)} new" in ran("plan", bundle).out
    pushed = ran("push", bundle, "--receipt", receipt, "--output", "json").json()
    assert (pushed["target"], pushed["imagesCopied"]) == (f"{guarded.host}/harness", 4)
    assert PASSWORD not in receipt.read_text()
    assert held(guarded, "harness/manager").keys() == {"79915"}
    assert f"{len(DESTINATIONS)} present" in ran("plan", bundle).out
    assert f"{len(DESTINATIONS)} held" in ran("audit", receipt).out
    assert f"{len(DESTINATIONS)} held" in ran("audit", bundle).out


def test_a_receipt_of_another_place_does_not_fit_the_site(
    bundle: Path, guarded: Registry, tls: Certificate, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    site = site_of(tmp_path, f"{guarded.host}/harness", caFile=str(tls.ca))
    assert mirror("push", bundle, "--site", site, "--receipt", receipt, env=LOGIN).code == 0
    site = site_of(tmp_path, f"{guarded.host}/elsewhere", caFile=str(tls.ca))
    refused = mirror("audit", receipt, "--site", site, env=LOGIN)
    assert refused.code == 3
    assert f"of {guarded.host}/harness, not of {guarded.host}/elsewhere" in refused.err


def test_options_go_before_the_site_file(
    bundle: Path, guarded: Registry, tls: Certificate, other_tls: Certificate, tmp_path: Path
) -> None:
    site = site_of(tmp_path, f"{guarded.host}/harness", caFile=str(other_tls.ca))
    assert mirror("plan", bundle, "--site", site, env=LOGIN).code == 6
    assert mirror("plan", bundle, "--site", site, "--ca-file", tls.ca, env=LOGIN).code == 0
    words = ("--site", site, "--ca-file", tls.ca, "--username", USER, "--password-stdin")
    assert mirror("plan", bundle, *words, stdin=PASSWORD).code == 0
    assert mirror("plan", bundle, *words, stdin="wrong", env=LOGIN).code == 6


def test_a_password_that_the_site_file_names_and_nobody_set(bundle: Path, tmp_path: Path) -> None:
    site = site_of(tmp_path, "registry.invalid:5000/harness")
    refused = mirror("push", bundle, "--site", site, env={"REGISTRY_USER": USER})
    assert refused.code == 3
    assert "environment variable REGISTRY_PASSWORD is not set" in refused.err


def test_missing_credentials_are_named_together(bundle: Path, tmp_path: Path) -> None:
    refused = mirror("push", bundle, "--site", site_of(tmp_path, "registry.invalid:5000/harness"))
    assert refused.code == 3
    for name in ("REGISTRY_USER", "REGISTRY_PASSWORD"):
        assert f"environment variable {name} is not set" in refused.err


@pytest.mark.parametrize("password", ["s3cret\tx", "s3cret\x00", "s3cret\x1b[0m"])
def test_a_password_that_cannot_be_one_is_refused(bundle: Path, password: str) -> None:
    words = ("--to", "r.example/x", "--username", "me", "--password-stdin")
    refused = mirror("push", bundle, *words, stdin=password)
    assert refused.code == 3
    assert "--password-stdin: expected one line of text" in refused.err
    assert "s3cret" not in refused.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "r.example/x", "--site", "site.yaml"), "not both"),
        ((), "missing option: --to, or --site"),
        (("--to", "r.example/x", "--ca-file", "ca.pem", "--plain-http"), "choose one of"),
    ],
)
def test_a_destination_is_said_once(bundle: Path, words: tuple[str, ...], message: str) -> None:
    refused = mirror("plan", bundle, *words)
    assert (refused.code, message in refused.err) == (2, True), refused.err


def test_a_password_that_is_typed_is_not_shown(bundle: Path) -> None:
    ours, theirs = pty.openpty()
    with FakeRegistry(authorization=Credentials(USER, PASSWORD).basic()) as registry:
        to = ("--to", f"{registry.host}/x", "--plain-http")
        words = ("plan", bundle, *to, "--username", USER, "--password-stdin")
        argv = command("mirror", *words)
        with subprocess.Popen(
            argv, env=ENVIRONMENT, stdin=theirs, stdout=-1, stderr=theirs, start_new_session=True
        ) as process:
            os.close(theirs)
            seen = b""
            while not seen.endswith(b"Password: "):
                if not select([ours], [], [], PATIENCE)[0]:
                    process.kill()
                    pytest.fail("it does not ask for the password")
                seen += os.read(ours, 1)
            os.write(ours, f"{PASSWORD}\n".encode())
            out, _ = process.communicate(timeout=PATIENCE)
    with suppress(OSError):  # Linux says EIO where a pipe says end of file
        while block := os.read(ours, 4096):
            seen += block
    os.close(ours)
    assert (process.returncode, b"4 new" in out) == (0, True), seen
    assert PASSWORD.encode() not in seen + out


def given(folder: Path, *flags: str, env: dict[str, str], **registry: object) -> RegistryAccess:
    """What a command gets as `access`."""
    seen: list[tuple[str | None, RegistryAccess]] = []

    @click.command()
    @destination_options()
    def noticing(to: str | None, access: RegistryAccess) -> None:
        seen.append((to, access))

    site = site_of(folder, "r.example/x", **registry)
    ran = CliRunner().invoke(noticing, ["--site", str(site), *flags], env=env, input="other\n")
    assert ran.exit_code == 0, ran.output
    ((to, access),) = seen
    assert to == "r.example/x"
    assert ("is not checked" in ran.stderr) is not access.verify
    return access


@pytest.mark.parametrize(
    ("registry", "flags", "expected"),
    [
        ({}, (), (None, False, True)),
        ({"plainHttp": True}, (), (None, True, True)),
        ({"insecureSkipTlsVerify": True}, (), (None, False, False)),
        ({"insecureSkipTlsVerify": True}, ("--ca-file", "a.pem"), ("a.pem", False, True)),
        ({"plainHttp": True}, ("--insecure-skip-tls-verify",), (None, False, False)),
        ({"caFile": "/b.pem"}, ("--plain-http",), (None, True, True)),
        ({"caFile": "/b.pem"}, (), ("/b.pem", False, True)),
    ],
)
def test_how_the_registry_is_reached(
    tmp_path: Path, registry: dict[str, Any], flags: tuple[str, ...], expected: tuple[Any, ...]
) -> None:
    access = given(tmp_path, *flags, env=LOGIN, **registry)
    found = (str(access.ca_file) if access.ca_file else None, access.plain_http, access.verify)
    assert found == expected
    assert access.credentials == Credentials(USER, PASSWORD)


def test_who_the_user_is(tmp_path: Path) -> None:
    login = ("--username", "other", "--password-stdin")
    assert given(tmp_path, *login, env={}).credentials == Credentials("other", "other")
    access = given(tmp_path, env=LOGIN, credentials={"dockerConfig": True})
    assert access.credentials is None
    assert "PATH" in access.environ
    assert "PATH" not in repr(access)
    assert PASSWORD not in repr(given(tmp_path, env=LOGIN))
