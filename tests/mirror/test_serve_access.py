"""Who may read from the served registry, and what its log tells."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from mirror.serve import Passwords, serving, tls_context
from mirror.serve.accesslog import Access
from tests.mirror.served import BLOB, BLOB_DIGEST, OCI, fill_store, quiet, served
from tests.processes import run
from tests.servers import Certificate
from transfer.errors import InvalidInput, NotFound

pytest_plugins = ["tests.server_fixtures"]
PASSWORD = "not: a secret \u00e4"  # a colon and more than ASCII


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return fill_store(tmp_path / "store")


@pytest.fixture
def passwords(tmp_path: Path, need: Callable[[str], Path]) -> Passwords:
    path = tmp_path / "htpasswd"
    path.write_text(
        "# who may read\n\n"
        + run([need("htpasswd"), "-Bbn", "joe", PASSWORD])
        + run([need("htpasswd"), "-Bbn", "-C", "4", "ann", "other"])
    )
    return Passwords.read(path)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_only_who_is_known_gets_in(store: Path, passwords: Passwords) -> None:
    with served(store, passwords=passwords) as ask:
        for path in ("/v2/", "/v2/redis/manifests/7", f"/v2/redis/blobs/{BLOB_DIGEST}", "/other"):
            refused = ask(path)
            assert (refused.status, refused.code) == (401, "UNAUTHORIZED")
            assert refused.headers["WWW-Authenticate"].startswith('Basic realm="')
        for _ in range(2):  # computed once, remembered then
            for user, password in (("joe", PASSWORD), ("ann", "other")):
                answered = ask("/v2/redis/manifests/7", Authorization=basic(user, password))
                assert answered.body == OCI.manifests[OCI.root.digest]
        assert ask("/v2/").status == 401  # the connection itself proves nothing


@pytest.mark.real
def test_skopeo_logs_in_over_tls(
    *,
    store: Path,
    passwords: Passwords,
    tls: Certificate,
    need: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    (trusted / "ca.crt").write_bytes(tls.ca.read_bytes())
    context = tls_context(tls.certificate, tls.key)
    service = replace(quiet(store, context), passwords=passwords)
    with serving(service, "127.0.0.1", 0) as address:
        look: list[str | Path] = [need("skopeo"), "inspect", "--raw", "--cert-dir", trusted]
        image = f"docker://{address}/redis:7"
        assert (
            run([*look, "--creds", "ann:other", image]).encode() == OCI.manifests[OCI.root.digest]
        )
        with pytest.raises(AssertionError, match="unauthorized"):
            run([*look, "--creds", "ann:wrong", image])


@pytest.mark.parametrize(
    "authorization",
    [
        basic("joe", "wrong"),
        basic("joe", ""),
        basic("joe", PASSWORD + "\0more"),
        basic("ann", PASSWORD),
        basic("nobody", "x"),
        basic("", ""),
        "Basic joe",
        "Basic",
        "Basic \u00e4",
        "Bearer " + basic("joe", PASSWORD)[6:],
        base64.b64encode(b"joe").decode(),
        "",
    ],
)
def test_what_is_not_right(passwords: Passwords, authorization: str) -> None:
    assert passwords.user_of(authorization) is None
    assert passwords.user_of(basic("joe", PASSWORD)) == "joe"
    assert passwords.user_of(authorization) is None


def test_password_files_that_are_none(tmp_path: Path, need: Callable[[str], Path]) -> None:
    path = tmp_path / "htpasswd"
    with pytest.raises(NotFound):
        Passwords.read(path)
    path.write_text("# nobody\n")
    with pytest.raises(InvalidInput, match="nobody is in it"):
        Passwords.read(path)
    weak = run([need("htpasswd"), "-mbn", "joe", "secret"]).strip()
    path.write_text(f"{weak}\njust-a-word\n")
    with pytest.raises(InvalidInput) as caught:
        Passwords.read(path)
    assert [str(fault)[:7] for fault in caught.value.faults] == ["line 1:", "line 2:"]
    assert "htpasswd -B" in str(caught.value.hint)
    assert weak.partition(":")[2] not in repr(caught.value.faults)


LINE = re.compile(
    r"(127\.0\.0\.1) - (\S+) \[\d\d/[A-Z][a-z]{2}/\d{4}(?::\d\d){3} \+0000\] "
    r'"(.*)" (\d{3}) (\d+)'
)


def test_the_log_is_in_the_common_format_and_tells_no_secret(
    store: Path, passwords: Passwords
) -> None:
    said: list[str] = []
    with served(store, said=said, passwords=passwords) as ask:
        login = basic("joe", PASSWORD)
        ask(f"/v2/redis/blobs/{BLOB_DIGEST}?token=hidden", Authorization=login)
        ask("/v2/redis/manifests/7", "HEAD", Authorization=login)
        ask("http://ann:hidden@elsewhere/v2/", Authorization=basic("joe", "hidden"))
        ask('/v2/"quoted"', Authorization=login)
        ask("/v2/", "POST", body=b"x", Authorization=login)  # refused before anybody is asked
    logged = [found.groups() for found in map(LINE.fullmatch, said) if found]
    blob = f"GET /v2/redis/blobs/{BLOB_DIGEST} HTTP/1.1"
    assert logged[:3] == [
        ("127.0.0.1", "joe", blob, "200", str(len(BLOB))),
        ("127.0.0.1", "joe", "HEAD /v2/redis/manifests/7 HTTP/1.1", "200", "0"),
        ("127.0.0.1", "-", "GET /v2/ HTTP/1.1", "401", logged[2][4]),
    ]
    assert logged[3][2] == 'GET /v2/\\"quoted\\" HTTP/1.1'
    assert logged[4][1:4] == ("-", "POST /v2/ HTTP/1.1", "405")
    assert len(logged) == len(said)
    for secret in ("hidden", PASSWORD, login[6:]):
        assert not any(secret in line for line in said)


def test_a_line_of_the_log_cannot_be_forged() -> None:
    access = Access(
        client="::1",
        user='joe" [x]\n\x1b',
        moment=datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=2))),
        request='GET /v2/\x1b[2J\n"\x85 HTTP/1.1',
        status=404,
        sent=0,
    )
    assert str(access) == (
        "::1 - joe???x??? [21/Nov/2026:23:30:00 +0000] "
        r'"GET /v2/\x1b[2J\n\"\x85 HTTP/1.1" 404 0'
    )
