"""Passwords and tokens: when they are sent, where to, and what is said when they are refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.faulty import FOREVER, Action, Exchange, status
from tests.fakes.registry import FakeRegistry
from tests.fakes.tokens import TokenServer, token_server
from tests.servers import Certificate
from tests.transfer.registry.support import Content, connect, descriptor, noise
from transfer.errors import AccessDenied, Unavailable
from transfer.http.transport import Transport
from transfer.http.trust import load_trust
from transfer.registry import Credentials, RegistryClient
from transfer.registry.auth import Authenticator
from transfer.registry.manners import PIECE
from transfer.registry.tokens import Challenge

pytest_plugins = ["tests.server_fixtures"]

ANN = Credentials("ann", "secret-7")
CONTENT = noise(2_000_000)
UPLOADS = r"/blobs/uploads/"


def told(error: AccessDenied) -> str:
    return f"{error.message}\n{error.hint}"


def test_no_credentials_are_sent_that_nobody_asked_for(fake: FakeRegistry) -> None:
    with connect(fake, credentials=ANN) as client:
        client.ping()
        assert not client.repository("a").has_blob(descriptor(CONTENT))
    assert not any(seen.authorized for seen in fake.requests)


def test_once_asked_for_a_password_goes_with_every_request(fake: FakeRegistry) -> None:
    fake.authorization = ANN.basic()
    content = Content(CONTENT)
    with connect(fake, credentials=ANN) as client:
        client.ping()
        client.repository("a").push_blob(content.blob, content.open)
        assert client.repository("a").has_blob(content.blob)
    assert [seen.authorized for seen in fake.requests] == [False, True, True, True, True]


def test_a_password_is_there_before_a_body_is_sent(fake: FakeRegistry) -> None:
    fake.authorization = ANN.basic()
    content = Content(CONTENT)
    with connect(fake, credentials=ANN) as client:
        client.repository("a").push_blob(content.blob, content.open)
    assert [(seen.method, seen.authorized) for seen in fake.requests] == [
        ("POST", False),
        ("POST", True),
        ("PUT", True),
    ]
    assert content.opened == 1


def test_a_password_with_every_kind_of_character(fake: FakeRegistry) -> None:
    credentials = Credentials("ann", "pä:ss wörd€")
    fake.authorization = credentials.basic()
    with connect(fake, credentials=credentials) as client:
        client.ping()


def test_a_wrong_password_is_denied_at_once(fake: FakeRegistry) -> None:
    fake.authorization = "Basic another"
    with connect(fake, credentials=ANN) as client, pytest.raises(AccessDenied) as caught:
        client.ping()
    assert "answered 401" in caught.value.message
    assert "used user 'ann'" in told(caught.value)
    assert "--username and --password-stdin" in told(caught.value)
    assert "secret-7" not in told(caught.value)
    assert len(fake.requests) == 2


def test_a_password_that_is_no_longer_good_is_not_sent_again(fake: FakeRegistry) -> None:
    fake.authorization = ANN.basic()
    with connect(fake, credentials=ANN) as client:
        client.ping()
        fake.authorization = "Basic another"
        fake.requests.clear()
        with pytest.raises(AccessDenied, match="answered 401"):
            client.repository("a").resolve("v1")
    assert len(fake.requests) == 1


def test_without_credentials_the_hint_says_where_they_were_looked_for(
    fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.authorization = "Basic some"
    environ = {"DOCKER_CONFIG": str(tmp_path), "REGISTRY_AUTH_FILE": "/nowhere/auth.json"}
    with connect(fake, environ=environ) as client, pytest.raises(AccessDenied) as caught:
        client.ping()
    hint = caught.value.hint or ""
    assert f"no credentials for {fake.host}" in hint
    for place in ("--password-stdin", "site file", "/nowhere/auth.json", f"{tmp_path}/config.json"):
        assert place in hint
    assert len(fake.requests) == 1


def test_a_right_that_is_missing_is_denied(fake: FakeRegistry) -> None:
    fake.authorization = ANN.basic()
    fake.fail("POST", UPLOADS, 1, status(403, error=("DENIED", "push to a is not allowed")))
    content = Content(CONTENT)
    with connect(fake, credentials=ANN) as client:
        with pytest.raises(AccessDenied, match="push to a is not allowed") as caught:
            client.repository("a").push_blob(content.blob, content.open)
        assert fake.host in (caught.value.hint or "")
    assert content.opened == 0


def test_a_challenge_that_cannot_be_read_is_denied(fake: FakeRegistry) -> None:
    fake.authorization, fake.challenge = "Negotiate x", "Negotiate"
    with connect(fake, credentials=ANN) as client, pytest.raises(AccessDenied):
        client.ping()
    assert len(fake.requests) == 1


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the token server's key is: making one takes a while."""
    return tmp_path_factory.mktemp("tokens")


@pytest.fixture
def tokens(key: Path) -> Iterator[TokenServer]:
    with token_server(key, users={"ann": "secret-7"}) as server:
        yield server


def challenged(tokens: TokenServer, scope: str = "") -> Action:
    tail = f',scope="{scope}"' if scope else ""
    header = f'Bearer realm="{tokens.realm}",service="{tokens.service}"{tail}'
    return status(401, {"WWW-Authenticate": header}, error=("UNAUTHORIZED", "token wanted"))


@pytest.fixture
def client(fake: FakeRegistry, tokens: TokenServer) -> Iterator[RegistryClient]:
    """Of a registry that asks the first time, and then lets everybody in."""
    fake.fail("GET", "/v2/$", 1, challenged(tokens))
    with connect(fake, credentials=ANN) as client:
        yield client


def test_a_token_for_each_scope_is_fetched_once(
    fake: FakeRegistry, tokens: TokenServer, client: RegistryClient
) -> None:
    client.ping()
    content = Content(CONTENT)
    one, two = client.repository("x/one"), client.repository("x/two")
    for _ in range(2):
        assert one.resolve("v1") is None
        one.push_blob(content.blob, content.open)
        assert two.mount_blob(content.blob, one)
    assert tokens.issued == [
        (),
        ("repository:x/one:pull",),
        ("repository:x/one:pull,push",),
        ("repository:x/two:pull,push", "repository:x/one:pull"),
    ]
    assert all(seen.headers["authorization"].startswith("Bearer ") for seen in fake.requests[1:])
    assert tokens.asked == 4


def test_a_token_for_more_serves_for_less(tokens: TokenServer, client: RegistryClient) -> None:
    client.ping()
    content = Content(CONTENT)
    client.repository("x").push_blob(content.blob, content.open)
    assert client.repository("x").has_blob(content.blob)
    assert tokens.issued == [(), ("repository:x:pull,push",)]


def test_many_threads_fetch_a_token_once(tokens: TokenServer, client: RegistryClient) -> None:
    client.ping()
    barrier = threading.Barrier(6)

    def ask(_: int) -> bool:
        barrier.wait()
        return client.repository("x").has_blob(descriptor(CONTENT))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == [False] * 6
    assert tokens.issued == [(), ("repository:x:pull",)]


def test_a_scope_that_only_the_registry_knows_is_asked_for_too(
    fake: FakeRegistry, tokens: TokenServer, client: RegistryClient
) -> None:
    scope = "repository:x:pull registry:catalog:*"
    fake.fail("HEAD", "/blobs/", 1, challenged(tokens, scope))
    client.repository("x").has_blob(descriptor(CONTENT))
    assert tokens.issued == [("repository:x:pull", "registry:catalog:*")]


def test_a_token_is_not_used_to_its_last_second(
    tokens: TokenServer, client: RegistryClient
) -> None:
    tokens.lifetime = 0
    client.ping()
    for _ in range(3):
        client.repository("x").has_blob(descriptor(CONTENT))
    assert tokens.issued == [(), *[("repository:x:pull",)] * 3]


def test_a_token_is_renewed_when_most_of_its_life_is_over(
    fake: FakeRegistry, tokens: TokenServer
) -> None:
    now, tokens.lifetime = [1000.0], 100
    asked = f'Bearer realm="{tokens.realm}"'
    transport = Transport(load_trust(), {})
    authenticator = Authenticator(
        fake.host, transport, given=ANN, environ={}, plain_http=True, clock=lambda: now[0]
    )
    first = authenticator.renew(asked, ("repository:x:pull",), None)
    now[0] += 79
    assert authenticator.header(("repository:x:pull",)) == first
    now[0] += 2
    assert authenticator.header(("repository:x:pull",)) != first
    assert len(tokens.issued) == 2
    transport.close()


def test_a_token_that_is_refused_is_renewed_once(
    fake: FakeRegistry, tokens: TokenServer, client: RegistryClient
) -> None:
    client.ping()
    fake.fail("HEAD", "/blobs/", 1, challenged(tokens))
    assert not client.repository("x").has_blob(descriptor(CONTENT))
    assert tokens.issued == [(), *[("repository:x:pull",)] * 2]
    fake.fail("HEAD", "/blobs/", FOREVER, challenged(tokens))
    with pytest.raises(AccessDenied, match="answered 401"):
        client.repository("x").has_blob(descriptor(CONTENT))
    assert tokens.issued == [(), *[("repository:x:pull",)] * 3]


def test_a_token_that_ends_before_the_body_does(
    fake: FakeRegistry, tokens: TokenServer, client: RegistryClient
) -> None:
    client.ping()
    fake.fail("PUT", UPLOADS, 1, challenged(tokens))
    content = Content(CONTENT)
    client.repository("x").push_blob(content.blob, content.open)
    assert fake.blobs["x", str(content.blob.digest)] == CONTENT
    assert content.opened == 2
    assert [seen.method for seen in fake.requests[2:]] == ["POST", "PUT", "GET", "PUT"]
    assert tokens.issued == [(), *[("repository:x:pull,push",)] * 2]


def test_large_blobs_come_in_pieces_once_a_token_ended_before_one_did(
    fake: FakeRegistry, tokens: TokenServer, client: RegistryClient
) -> None:
    def larger_than_a_piece(exchange: Exchange) -> bool:
        whole = int(exchange.headers["Content-Length"]) > PIECE
        return whole and challenged(tokens)(exchange)

    client.ping()
    fake.fail("PUT", UPLOADS, FOREVER, larger_than_a_piece)
    for size, asked in (
        (PIECE + 7, ["POST", "PUT", "GET", "PATCH", "PATCH", "PUT"]),
        (PIECE + 8, ["POST", "PATCH", "PATCH", "PUT"]),
    ):
        fake.requests.clear()
        content = Content(bytes(size))
        client.repository("x").push_blob(content.blob, content.open)
        assert [seen.method for seen in fake.requests] == asked
        assert len(fake.blobs["x", str(content.blob.digest)]) == size


def test_a_body_is_not_sent_a_third_time_for_a_token(
    fake: FakeRegistry, tokens: TokenServer, client: RegistryClient
) -> None:
    fake.fail("PUT", UPLOADS, FOREVER, challenged(tokens))
    content = Content(CONTENT)
    with pytest.raises(AccessDenied, match="did not accept the token") as caught:
        client.repository("x").push_blob(content.blob, content.open)
    assert "used user 'ann'" in (caught.value.hint or "")
    assert fake.count("PUT") == 2
    assert not fake.open_uploads


def test_without_credentials_a_token_is_asked_for_all_the_same(
    fake: FakeRegistry, tokens: TokenServer
) -> None:
    fake.fail("GET", "/v2/$", 1, challenged(tokens))
    with connect(fake) as client:
        client.ping()
    assert tokens.issued == [()]


@pytest.mark.parametrize("code", [401, 403, 404, 400])
def test_a_token_server_that_refuses(
    tokens: TokenServer, client: RegistryClient, code: int
) -> None:
    tokens.status = code
    with pytest.raises(AccessDenied, match=rf"token server {tokens.realm}: answered {code}") as e:
        client.ping()
    assert "used user 'ann'" in (e.value.hint or "")
    assert tokens.asked == 1


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_token_server_that_is_down(
    tokens: TokenServer, client: RegistryClient, code: int
) -> None:
    tokens.status = code
    with pytest.raises(Unavailable, match=rf"token server .* {code} .*tried 3 times"):
        client.ping()


def test_a_wrong_password_at_the_token_server(fake: FakeRegistry, tokens: TokenServer) -> None:
    fake.fail("GET", "/v2/$", FOREVER, challenged(tokens))
    wrong = Credentials("ann", "wrong-7")
    with connect(fake, credentials=wrong) as client, pytest.raises(AccessDenied) as caught:
        client.ping()
    assert "wrong-7" not in told(caught.value)
    assert tokens.asked == 1


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"[]", b"{}", b'{"token": "a\\nb"}'])
def test_what_is_no_token(tokens: TokenServer, client: RegistryClient, body: bytes) -> None:
    tokens.body = body
    with pytest.raises(AccessDenied, match="its answer holds no token"):
        client.ping()


def test_a_token_under_its_other_name(tokens: TokenServer, client: RegistryClient) -> None:
    tokens.body = b'{"access_token": "abc"}'
    client.ping()


@pytest.mark.parametrize(
    "realm", ["http://auth.example/token", "auth/token", "ftp://auth.example/", ""]
)
def test_a_password_is_not_sent_without_https(tls: Certificate, realm: str) -> None:
    with FakeRegistry(tls=tls) as fake:
        bearer = {"WWW-Authenticate": f'Bearer realm="{realm}"'}
        fake.fail("GET", "/v2/$", 1, status(401, bearer))
        with (
            connect(fake, credentials=ANN) as client,
            pytest.raises(AccessDenied, match="not an HTTPS address"),
        ):
            client.ping()


CHALLENGES: list[tuple[str, Challenge | None]] = [
    ("", None),
    ("Negotiate", None),
    ('Basic realm="x"', Challenge(bearer=False, realm="x")),
    ("basic", Challenge(bearer=False, realm="")),
    (
        'Bearer realm="https://a/t",service="b c",scope="repository:x:pull,push"',
        Challenge(bearer=True, realm="https://a/t", service="b c", scope="repository:x:pull,push"),
    ),
    ("bearer realm=https://a/t", Challenge(bearer=True, realm="https://a/t")),
    ('Basic realm="x", Bearer realm="y"', Challenge(bearer=True, realm="y")),
    ('Bearer realm="y", error="invalid_token", Basic', Challenge(bearer=True, realm="y")),
    ('Basic realm="not Bearer realm=z"', Challenge(bearer=False, realm="not Bearer realm=z")),
]


@pytest.mark.parametrize(("header", "challenge"), CHALLENGES)
def test_challenges_are_read(header: str, challenge: Challenge | None) -> None:
    assert Challenge.parse(header) == challenge


def test_a_registry_that_takes_back_what_it_had_gets_no_token_for_ever(
    fake: FakeRegistry, tokens: TokenServer
) -> None:
    """Each body is refused, and each time the upload stands at another place."""
    places = iter([5, 9] * 1000)
    fake.fail("GET", "/v2/$", 1, challenged(tokens))
    for method in ("PUT", "PATCH"):
        fake.fail(method, UPLOADS, FOREVER, challenged(tokens))

    def tell(exchange: Exchange) -> bool:
        exchange.answer(204, {"Location": exchange.path, "Range": f"0-{next(places)}"})
        return True

    fake.fail("GET", UPLOADS, FOREVER, tell)
    content = Content(CONTENT)
    with connect(fake, credentials=ANN) as client:
        client.ping()
        with pytest.raises(AccessDenied):
            client.repository("x").push_blob(content.blob, content.open)
    assert fake.count("PUT") + fake.count("PATCH") == 4
    assert not fake.open_uploads


@pytest.mark.parametrize("first", [True, False])
def test_a_registry_that_asks_and_does_not_ask_by_turns_is_not_asked_for_ever(
    fake: FakeRegistry, tokens: TokenServer, *, first: bool
) -> None:
    turns = iter([first, not first] * 1000)
    asks, does_not = challenged(tokens), status(401)

    def refuse(exchange: Exchange) -> bool:
        return (asks if next(turns) else does_not)(exchange)

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        fake.fail(method, "/x/", FOREVER, refuse)
    content = Content(CONTENT)
    with connect(fake, credentials=ANN) as client:
        repository = client.repository("x")
        uses: tuple[Callable[[], object], ...] = (
            lambda: repository.resolve("1"),
            lambda: repository.has_blob(content.blob),
            lambda: repository.push_blob(content.blob, content.open),
            repository.tags,
        )
        for use in uses:
            before = len(fake.requests)
            with pytest.raises(AccessDenied):
                use()
            assert len(fake.requests) - before <= 6
