"""Registries that want to see a certificate of ours, and who else gets to see it: nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.faulty import status
from tests.fakes.registry import FakeRegistry
from tests.processes import run
from tests.servers import Certificate, certificate, nginx
from tests.tools import need
from tests.transfer.registry.support import AT_ONCE, Content, noise
from transfer.errors import AccessDenied, InvalidInput, TransferError
from transfer.registry import Identity, RegistryClient

pytest_plugins = ["tests.server_fixtures"]


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for a client, and the authority that it is of."""
    return certificate(tmp_path_factory.mktemp("client"), purpose="clientAuth")


@pytest.fixture
def fake(tls: Certificate, ours: Certificate) -> Iterator[FakeRegistry]:
    with FakeRegistry(tls=tls, client_ca=ours.ca) as registry:
        yield registry


def identity(ours: Certificate) -> Identity:
    return Identity(certificate=ours.certificate, key=ours.key)


def client_of(host: str, tls: Certificate, shown: Identity | None) -> RegistryClient:
    return RegistryClient.connect(host, ca_file=tls.ca, identity=shown, retry=AT_ONCE)


def test_a_certificate_of_ours_lets_us_in(
    fake: FakeRegistry, tls: Certificate, ours: Certificate
) -> None:
    content = Content(noise(100_000))
    with client_of(fake.host, tls, identity(ours)) as client:
        client.ping()
        client.repository("a/b").push_blob(content.blob, content.open)
        assert client.repository("a/b").has_blob(content.blob)


def test_one_file_may_hold_both(
    fake: FakeRegistry, tls: Certificate, ours: Certificate, tmp_path: Path
) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(ours.certificate.read_bytes() + ours.key.read_bytes())
    with client_of(fake.host, tls, Identity(certificate=both, key=None)) as client:
        client.ping()


def test_without_one_it_is_said_what_is_wanted(fake: FakeRegistry, tls: Certificate) -> None:
    with client_of(fake.host, tls, None) as client, pytest.raises(TransferError) as caught:
        client.ping()
    if isinstance(caught.value, AccessDenied):  # else the server was gone before its alert arrived
        assert "client certificate" in (caught.value.hint or "")
    assert not fake.requests


def test_one_of_another_authority_is_refused(fake: FakeRegistry, tls: Certificate) -> None:
    with client_of(fake.host, tls, identity(tls)) as client, pytest.raises(TransferError):
        client.ping()
    assert not fake.requests


def test_it_is_shown_to_the_registry_alone(
    fake: FakeRegistry, tls: Certificate, ours: Certificate
) -> None:
    content = noise(1000)
    with (
        FakeRegistry(tls=tls, client_ca=ours.ca) as elsewhere,
        client_of(fake.host, tls, identity(ours)) as client,
    ):
        moved = {"Location": f"https://{elsewhere.host}/storage/1?signature=x"}
        fake.fail("GET", "/blobs/", 1, status(307, moved))
        blob = Content(content).blob
        with pytest.raises(TransferError), client.repository("a/b").open(blob):
            pass
        assert elsewhere.connections
        assert not elsewhere.requests, "it asked for our certificate, and did not get it"
        assert fake.requests


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"certificate": Path("/nowhere/client.pem")}, "No such file"),
        ({"key": Path("/nowhere/client.key")}, "No such file"),
        ({"key": "other"}, "the key belongs to another certificate"),
        ({"key": "encrypted"}, "or the key is encrypted"),
        ({"key": None}, "no certificate and key in PEM form"),
        ({"certificate": "garbage"}, "no certificate and key in PEM form"),
    ],
)
def test_files_that_are_none(
    tls: Certificate,
    ours: Certificate,
    tmp_path: Path,
    wrong: dict[str, Path | str | None],
    message: str,
) -> None:
    garbage, encrypted = tmp_path / "garbage.pem", tmp_path / "encrypted.key"
    garbage.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    cipher = ["-aes256", "-passout", "pass:x"]
    run([need("openssl"), "pkey", "-in", ours.key, *cipher, "-out", encrypted])
    named = {"other": tls.key, "encrypted": encrypted, "garbage": garbage}
    paths = {
        key: named.get(value, value) if isinstance(value, str) else value
        for key, value in wrong.items()
    }
    with pytest.raises(InvalidInput, match=message) as caught:
        client_of("registry.example", tls, replace(identity(ours), **paths))  # type: ignore[arg-type]
    assert "client certificate" in caught.value.message
    assert "--client-cert" in (caught.value.hint or "")


@pytest.mark.real
def test_a_real_server_that_asks_for_it(
    tls: Certificate, ours: Certificate, tmp_path: Path
) -> None:
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2/index.html").write_text("{}")
    wanted = f"ssl_client_certificate {ours.ca}; ssl_verify_client on;"
    with nginx(tmp_path / "nginx", tmp_path, wanted, tls=tls) as server:
        with client_of(server.host, tls, identity(ours)) as client:
            client.ping()
        with client_of(server.host, tls, None) as client, pytest.raises(TransferError) as e:
            client.ping()
    assert "wants to see a client certificate" in (e.value.hint or "")
