"""Addresses that expire, redirects, proxies: who gets to see what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bundler.downloads import Download, Downloads, Pace
from bundler.downloads.address import Address
from bundler.sources.protocol import Location
from tests.bundler.downloads.support import (
    AT_ONCE,
    CONTENT,
    DIGEST,
    PARTIAL,
    WHAT,
    files,
    wanted,
)
from tests.fakes.faulty import FOREVER, Action, Exchange, close_after, status
from tests.fakes.web import WebServer, web
from tests.transfer.memory import Watch
from transfer.digest import Digest
from transfer.errors import AccessDenied, InvalidInput, TransferError, Unavailable


@dataclass(slots=True)
class Portal:
    """Hands out signed addresses, each better than the one before."""

    server: WebServer
    digest: Digest | None = DIGEST
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: int = 0

    def locate(self) -> Location:
        self.asked += 1
        return Location(url=f"{self.server.url}?signature={self.asked}", headers=self.headers)

    def order(self) -> Download:
        return Download(
            what=WHAT,
            identity="portal harness 412",
            file_name="harness.airgap",
            digest=self.digest,
            size=None,
            locate=self.locate,
        )


def expired(code: int, *, before: int) -> Action:
    """Refuse signatures that are older."""

    def act(exchange: Exchange) -> bool:
        (signature,) = parse_qs(urlsplit(exchange.path).query)["signature"]
        if int(signature) >= before:
            return False
        exchange.answer(code, {}, b"<Error>Request has expired</Error>")
        return True

    return act


@pytest.mark.parametrize("code", [400, 401, 403])
@pytest.mark.parametrize("digest", [DIGEST, None])
def test_expired_address_is_asked_for_again_and_the_file_continues(
    downloads: Downloads, code: int, digest: Digest | None
) -> None:
    with web(CONTENT, [close_after(100_000)]) as server:
        server.fail("GET", "", FOREVER, expired(code, before=2))
        # The first request meets only its own fault, the next ones the expiry.
        portal = Portal(server, digest=digest)
        found = downloads.fetch(portal.order())
    assert found.path.read_bytes() == CONTENT
    assert portal.asked == 2
    assert server.ranges() == [None, "bytes=100000-", "bytes=100000-"]


def test_address_that_expires_again_and_again(downloads: Downloads) -> None:
    """As long as bytes arrive by each of them, there is no end to asking."""
    signatures = 10

    def short_lived(exchange: Exchange) -> bool:
        (signature,) = parse_qs(urlsplit(exchange.path).query)["signature"]
        used = signature in seen
        seen.add(signature)
        if used:
            exchange.answer(403)
            return True
        return close_after(len(CONTENT) // signatures)(exchange)

    seen: set[str] = set()
    with web(CONTENT) as server:
        server.fail("GET", "", FOREVER, short_lived)
        portal = Portal(server)
        assert downloads.fetch(portal.order()).path.read_bytes() == CONTENT
    assert portal.asked >= signatures


@pytest.mark.parametrize("code", [400, 401, 403])
def test_new_addresses_that_are_all_refused(cache: Path, downloads: Downloads, code: int) -> None:
    with web(CONTENT, [status(code)] * 9) as server:
        portal = Portal(server)
        with pytest.raises(AccessDenied) as caught:
            downloads.fetch(portal.order())
    phrase = HTTPStatus(code).phrase
    assert caught.value.message == f"{WHAT}: answered {code} {phrase}, also at 3 new addresses"
    assert "clock" in str(caught.value.hint)
    assert portal.asked == len(server.requests) == 4
    assert files(cache) == {}


@pytest.mark.parametrize(("code", "error"), [(400, InvalidInput), (403, AccessDenied)])
def test_address_that_stays_the_same_is_tried_once(
    cache: Path, downloads: Downloads, code: int, error: type[TransferError]
) -> None:
    with web(CONTENT, [close_after(1000), *[status(code)] * 9]) as server:
        with pytest.raises(error):
            downloads.fetch(wanted(f"{server.url}?signature=secret"))
        assert len(server.requests) == 2
        # What arrived is kept, for when there is a new address.
        assert downloads.missing([wanted(server.url, size=len(CONTENT))]) == 299_000
        assert files(cache)[PARTIAL] == 1000


def test_several_connections_ask_for_one_new_address(downloads: Downloads) -> None:
    with web(CONTENT) as server:
        portal = Portal(server)
        address = Address(portal.order(), 3)
        first = address.current()
        for _ in range(5):
            address.renew(first, AccessDenied("expired"), 0)
        assert portal.asked == 2
        assert address.current() != first


def test_headers_of_a_source_stay_at_its_host(downloads: Downloads) -> None:
    with web(CONTENT) as bucket, web(b"") as server:
        to = status(302, {"Location": f"{bucket.url}?signature=1"})
        server.fail("GET", "", 1, to)
        secret = {"X-Licence": "secret", "Authorization": "Basic c2VjcmV0"}
        downloads.fetch(Portal(server, headers=secret).order())
        (asked,), (redirected,) = server.requests, bucket.requests
    assert asked.headers["x-licence"] == "secret"
    assert asked.authorized
    assert "secret" not in str(redirected.headers)
    assert not redirected.authorized


def test_headers_of_a_source_follow_to_the_same_host(downloads: Downloads) -> None:
    with web(CONTENT) as server:
        server.fail("GET", "", 1, status(302, {"Location": f"{server.url}?moved"}))
        downloads.fetch(Portal(server, headers={"X-Licence": "secret"}).order())
        assert [seen.headers["x-licence"] for seen in server.requests] == ["secret"] * 2


def test_each_try_starts_at_the_first_address(downloads: Downloads) -> None:
    """What a redirect leads to may have expired; where it starts has not."""
    with web(CONTENT, [close_after(100_000)]) as bucket, web(b"") as server:
        server.fail("GET", "", FOREVER, status(302, {"Location": bucket.url}))
        assert downloads.fetch(wanted(server.url)).path.read_bytes() == CONTENT
        assert len(server.requests) == len(bucket.requests) == 2


@pytest.fixture
def proxy() -> Iterator[WebServer]:
    """A proxy that has the file itself."""
    with web(CONTENT) as server:
        yield server


URL = "http://files.vendor.example/harness.airgap"


def test_proxy_gets_the_request_and_its_own_credentials(proxy: WebServer, cache: Path) -> None:
    environ = {"http_proxy": f"http://ann:secret@{proxy.host}"}
    with Downloads.connect(cache, environ=environ, retry=AT_ONCE) as downloads:
        assert downloads.fetch(wanted(URL)).path.read_bytes() == CONTENT
    (seen,) = proxy.requests
    assert seen.path == URL
    assert seen.headers["proxy-authorization"].startswith("Basic ")


def test_host_without_proxy(proxy: WebServer, cache: Path) -> None:
    environ = {"http_proxy": f"http://{proxy.host}", "no_proxy": "vendor.invalid"}
    with (
        Downloads.connect(cache, environ=environ, retry=AT_ONCE) as downloads,
        pytest.raises(Unavailable, match="not known"),
    ):
        downloads.fetch(wanted(URL.replace("example", "invalid")))
    assert proxy.requests == []


def test_credentials_of_a_proxy_are_never_shown(cache: Path) -> None:
    for script, error in (([status(407)], AccessDenied), ([status(502)] * 3, Unavailable)):
        watch = Watch()
        with web(CONTENT, script) as proxy:
            environ = {"http_proxy": f"http://ann:secret@{proxy.host}"}
            with (
                Downloads.connect(
                    cache, environ=environ, retry=AT_ONCE, progress=watch
                ) as downloads,
                pytest.raises(error) as caught,
            ):
                downloads.fetch(wanted(URL))
        shown = f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r} {watch.lines}"
        assert "secret" not in shown
        assert "ann" not in shown.replace("cannot", "")


def test_proxy_that_is_away(cache: Path, proxy: WebServer) -> None:
    environ = {"http_proxy": f"http://ann:secret@{proxy.host}"}
    with (
        proxy.away(),
        Downloads.connect(cache, environ=environ, retry=AT_ONCE, pace=Pace()) as downloads,
        pytest.raises(Unavailable) as caught,
    ):
        downloads.fetch(wanted(URL))
    assert "the proxy of the environment" in str(caught.value.hint)
    assert "secret" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
