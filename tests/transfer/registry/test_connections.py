"""Below HTTP: TLS, proxies, servers that are not there, what requests would do on its own."""

from __future__ import annotations

import ssl
import threading
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import pytest
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, ReadTimeoutError

from tests.fakes.faulty import header, status
from tests.fakes.registry import FakeRegistry
from tests.processes import PATIENCE, free_port
from tests.servers import Certificate
from tests.transfer.registry.support import AT_ONCE, connect, descriptor
from transfer.errors import AccessDenied, InvalidInput, TransferError, Unavailable
from transfer.http.failures import translate
from transfer.http.messages import Request
from transfer.http.transport import Transport, is_loopback, proxies_for
from transfer.http.trust import Trust
from transfer.registry import RegistryClient, RetryPolicy

pytest_plugins = ["tests.server_fixtures"]


def test_the_right_authority_is_believed(tls: Certificate) -> None:
    with FakeRegistry(tls=tls) as fake, connect(fake) as client:
        client.ping()


def test_the_certificate_itself_is_believed(tls: Certificate) -> None:
    with FakeRegistry(tls=tls) as fake, connect(fake, ca_file=tls.certificate) as client:
        client.ping()


def test_the_wrong_authority_is_denied_and_not_tried_again(
    tls: Certificate, other_tls: Certificate
) -> None:
    with FakeRegistry(tls=tls) as fake:
        with (
            connect(fake, ca_file=other_tls.ca) as client,
            pytest.raises(AccessDenied, match="certificate is not trusted") as caught,
        ):
            client.ping()
        assert "--ca-file" in (caught.value.hint or "")
        assert fake.connections == 1
        assert not fake.requests


def test_without_a_ca_file_a_private_authority_is_denied(tls: Certificate) -> None:
    with (
        FakeRegistry(tls=tls) as fake,
        RegistryClient.connect(fake.host, retry=AT_ONCE) as client,
        pytest.raises(AccessDenied, match="certificate is not trusted"),
    ):
        client.ping()


def test_verification_can_be_switched_off(tls: Certificate) -> None:
    with (
        FakeRegistry(tls=tls) as fake,
        RegistryClient.connect(fake.host, verify=False, retry=AT_ONCE) as client,
    ):
        client.ping()
        assert client.repository("a").tags() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"", "no certificate in PEM form"),
        (b"hello", "no certificate in PEM form"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PEM form"),
    ],
)
def test_a_ca_file_that_is_none(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=rf"CA file {path}: .*{message}"):
        RegistryClient.connect("registry.example", ca_file=path)


def test_certificates_are_loaded_for_the_first_connection_by_tls_and_once(
    fake: FakeRegistry, tls: Certificate
) -> None:
    loaded = []

    def load() -> ssl.SSLContext:
        loaded.append(tls.ca)
        return ssl.create_default_context(cafile=tls.ca)

    transport = Transport(Trust(load), {})
    with FakeRegistry(tls=tls) as secure, closing(transport):
        plain, encrypted = f"http://{fake.host}", f"https://{secure.host}"
        for url, expected in ((plain, 0), (encrypted, 1), (encrypted, 1)):
            request = Request(method="GET", url=f"{url}/v2/", what="registry")
            assert transport.send(request).whole().status == HTTPStatus.OK
            assert len(loaded) == expected


def test_https_to_a_server_without_it(fake: FakeRegistry) -> None:
    with (
        RegistryClient.connect(fake.host, retry=AT_ONCE) as client,
        pytest.raises(InvalidInput, match=f"{fake.host}: does not speak HTTPS") as caught,
    ):
        client.ping()
    assert "--plain-http" in (caught.value.hint or "")
    assert not fake.requests


def test_http_to_a_server_that_wants_https(fake: FakeRegistry) -> None:
    body = b"Client sent an HTTP request to an HTTPS server.\n"
    fake.fail("GET", "/v2/", 1, status(400, {"Content-Type": "text/plain"}, body=body))
    with connect(fake) as client, pytest.raises(InvalidInput, match="answered 400") as caught:
        client.ping()
    assert "leave --plain-http" in (caught.value.hint or "")


def test_nobody_listens() -> None:
    host = f"127.0.0.1:{free_port()}"
    with (
        RegistryClient.connect(host, plain_http=True, retry=AT_ONCE) as client,
        pytest.raises(Unavailable, match=rf"registry {host}: Connection refused \(tried 3 times\)"),
    ):
        client.ping()


def test_no_registry_there(fake: FakeRegistry) -> None:
    fake.fail("GET", "/v2/", 1, status(404))
    with connect(fake) as client, pytest.raises(InvalidInput, match="not a container registry"):
        client.ping()


def test_a_registry_that_moved(fake: FakeRegistry) -> None:
    fake.fail("POST", "/uploads/", 1, status(301, {"Location": "https://new.example/v2/"}))
    blob = descriptor(b"x")
    with connect(fake) as client, pytest.raises(InvalidInput, match="answered 301") as caught:
        client.repository("a").push_blob(blob, lambda: pytest.fail("opened"))
    assert "https://new.example/v2/" in (caught.value.hint or "")


def test_closing_the_client_ends_its_pauses(fake: FakeRegistry) -> None:
    fake.fail("GET", "/v2/", 9, status(503))
    failures: list[TransferError] = []
    client = connect(fake, retry=RetryPolicy(base=10_000.0, longest=10_000.0, random=lambda: 1.0))
    asked = threading.Event()

    def ping() -> None:
        asked.set()
        try:
            client.ping()
        except TransferError as error:
            failures.append(error)

    thread = threading.Thread(target=ping, daemon=True)
    thread.start()
    asked.wait()
    client.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert isinstance(failures[0], Unavailable)


def test_cookies_are_not_kept(fake: FakeRegistry) -> None:
    fake.fail("GET", "/v2/", 1, header("Set-Cookie", "sid=1; Path=/"))
    with connect(fake) as client:
        client.ping()
        client.ping()
    assert not any("cookie" in seen.headers for seen in fake.requests)


def test_netrc_is_not_read(
    fake: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with connect(fake) as client:
        client.ping()
    assert not any(seen.authorized for seen in fake.requests)


def test_a_ca_bundle_of_the_environment_changes_nothing(
    tls: Certificate, other_tls: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other_tls.ca))
    with FakeRegistry(tls=tls) as fake, connect(fake) as client:
        client.ping()


def test_a_proxy_of_the_environment_is_used(fake: FakeRegistry) -> None:
    environ = {"http_proxy": f"http://{fake.host}"}
    with RegistryClient.connect(
        "registry.example", plain_http=True, environ=environ, retry=AT_ONCE
    ) as client:
        client.ping()
    assert [seen.path for seen in fake.requests] == ["http://registry.example/v2/"]


def test_no_proxy_for_this_machine(fake: FakeRegistry) -> None:
    environ = {"http_proxy": f"http://127.0.0.1:{free_port()}"}
    with connect(fake, environ=environ) as client:
        client.ping()
    assert fake.count("GET", "^/v2/$") == 1


def test_a_proxy_that_is_not_there_is_named() -> None:
    environ = {"HTTP_PROXY": f"http://127.0.0.1:{free_port()}"}
    with (
        RegistryClient.connect(
            "registry.example", plain_http=True, environ=environ, retry=AT_ONCE
        ) as client,
        pytest.raises(
            Unavailable, match=r"registry registry\.example: Connection refused"
        ) as caught,
    ):
        client.ping()
    assert "proxy" in (caught.value.hint or "")


def test_a_proxy_that_cannot_be_one_is_named() -> None:
    environ = {"http_proxy": "http://"}
    with (
        RegistryClient.connect(
            "registry.example", plain_http=True, environ=environ, retry=AT_ONCE
        ) as client,
        pytest.raises(InvalidInput, match=r"registry registry\.example: .*proxy") as caught,
    ):
        client.ping()
    assert "proxy variables" in (caught.value.hint or "")


@pytest.mark.parametrize("host", ["", ":5000", "registry.example:99999", "h:0", "[::1", "h:x"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(InvalidInput, match="not a host, or not a port"):
        RegistryClient.connect(host)


PROXIES: list[tuple[str, dict[str, str], str | None]] = [
    ("https://r.example/", {}, None),
    ("https://r.example/", {"https_proxy": "http://p"}, "http://p"),
    ("https://r.example/", {"HTTPS_PROXY": "http://p"}, "http://p"),
    ("https://r.example/", {"http_proxy": "http://p"}, None),
    ("https://r.example/", {"ALL_PROXY": "http://p"}, "http://p"),
    ("https://r.example/", {"https_proxy": "http://p", "no_proxy": "r.example"}, None),
    ("https://r.example/", {"https_proxy": "http://p", "NO_PROXY": ".example"}, None),
    ("https://10.1.2.3/", {"https_proxy": "http://p", "no_proxy": "10.0.0.0/8"}, None),
    ("https://r.example/", {"https_proxy": "http://p", "no_proxy": "other"}, "http://p"),
    ("https://[::1]:5000/", {"https_proxy": "http://p"}, None),
    ("http://localhost:5000/", {"http_proxy": "http://p"}, None),
]


@pytest.mark.parametrize(("url", "environ", "proxy"), PROXIES)
def test_which_proxy_holds(url: str, environ: dict[str, str], proxy: str | None) -> None:
    expected = {url.partition(":")[0]: proxy} if proxy else {}
    assert proxies_for(url, environ) == expected


def test_what_this_machine_is() -> None:
    assert all(map(is_loopback, ("localhost", "a.localhost", "127.8.8.8", "::1")))
    assert not any(map(is_loopback, ("localhost.example", "10.0.0.1", "127.0.0.1.example", "")))


POOL = HTTPConnectionPool("registry.example")
TLS_ALERT = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert (_ssl.c:1)")
TLS_ALERT.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"

CAUSES: list[tuple[Exception, type[TransferError], str]] = [
    (
        NameResolutionError("registry.example", HTTPConnection("x"), OSError(-2, "gai")),  # type: ignore[arg-type]
        Unavailable,
        "the name is not known",
    ),
    (ConnectTimeoutError(HTTPConnection("x"), "slow"), Unavailable, "does not take the connection"),
    (ReadTimeoutError(POOL, "/?secret", "slow"), Unavailable, "does not answer"),
    (OSError("?"), Unavailable, "the connection failed"),
    (ssl.SSLEOFError(8, "EOF"), Unavailable, "the TLS connection broke"),
    (TLS_ALERT, AccessDenied, "TLSV13_ALERT_CERTIFICATE_REQUIRED"),
]


@pytest.mark.parametrize(("cause", "kind", "message"), CAUSES)
def test_what_is_hard_to_stage(cause: Exception, kind: type[TransferError], message: str) -> None:
    wrapped = OSError("outside, with /?secret in it")
    wrapped.__cause__ = cause
    error = translate(wrapped, "https://ann:pw@registry.example/?secret", "tag v1")
    assert type(error) is kind
    assert error.message.startswith("tag v1: registry.example: ")
    assert message in error.message
    assert "secret" not in f"{error.message} {error.hint}"
