"""GitHub's API: whom a token is shown to, and how many questions it allows."""

from __future__ import annotations

import pytest

from tests.bundler.sources.world import NOW, TOKEN, World, refused
from tests.fakes.faulty import status
from tests.fakes.vendor import Vendor
from transfer.errors import AccessDenied, InvalidInput

TAG = "v1.131.4"
CONSOLE, PLUGIN = "kotsadm.tar.gz", "kots_linux_amd64.tar.gz"
FILES = {CONSOLE: b"the admin console", PLUGIN: b"the plugin"}


@pytest.fixture(autouse=True)
def published(vendor: Vendor) -> None:
    """One release of KOTS."""
    vendor.github.release(TAG, FILES)


def test_the_token_goes_to_the_api_and_nowhere_else(world: World, vendor: Vendor) -> None:
    world.environ["GITHUB_TOKEN"] = f"{TOKEN}\n"
    source = world.source(world.asset(PLUGIN))
    source.promise()
    world.download(source)
    (asked,) = [r for r in vendor.github.requests if "/tags/" in r.path]
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    others = [r for r in (*vendor.github.requests, *vendor.storage.requests) if r is not asked]
    assert others
    assert not any(request.authorized for request in others)
    assert not source.locate().headers


def test_the_token_is_not_taken_along_by_a_redirect(world: World, vendor: Vendor) -> None:
    world.environ["GITHUB_TOKEN"] = TOKEN
    elsewhere = vendor.storage.put("/repos/moved", b"{}")
    vendor.github.fail("GET", "/tags/", 1, status(301, {"Location": elsewhere}))
    refused(InvalidInput, world.source(world.asset(PLUGIN)).promise)
    (followed,) = vendor.storage.requests
    assert not followed.authorized


def test_the_token_of_one_api_is_not_for_another(world: World, vendor: Vendor) -> None:
    world.environ["GITHUB_TOKEN"] = TOKEN
    del world.environ["GITHUB_API_URL"]
    world.source(world.asset(CONSOLE)).promise()
    assert not any(request.authorized for request in vendor.github.requests)


def test_a_token_that_is_none_is_not_repeated(world: World) -> None:
    world.environ["GITHUB_TOKEN"] = f"{TOKEN}\n{TOKEN}"
    error = refused(InvalidInput, world.source(world.asset(CONSOLE)).promise)
    assert "environment variable GITHUB_TOKEN" in error.message


def test_a_token_that_is_not_accepted(world: World, vendor: Vendor) -> None:
    world.environ["GITHUB_TOKEN"] = TOKEN
    vendor.github.fail("GET", "/tags/", 1, status(401, body=b'{"message": "Bad credentials"}'))
    error = refused(AccessDenied, world.source(world.asset(CONSOLE)).promise)
    assert error.hint
    assert "GITHUB_TOKEN is not accepted" in error.hint


def test_a_repository_that_is_not_public(world: World, vendor: Vendor) -> None:
    vendor.github.fail("GET", "/tags/", 1, status(401))
    error = refused(AccessDenied, world.source(world.asset(CONSOLE)).promise)
    assert error.hint
    assert "set GITHUB_TOKEN" in error.hint


def limit(seconds: float) -> dict[str, str]:
    return {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW + seconds))}


@pytest.mark.parametrize("code", [403, 429])
def test_a_limit_that_is_long_says_until_when(world: World, vendor: Vendor, code: int) -> None:
    vendor.github.fail("GET", "/tags/", 1, status(code, limit(1800)))
    error = refused(AccessDenied, world.source(world.asset(CONSOLE)).promise)
    assert (
        f"answered {code}: no more requests are allowed until 2026-11-18 11:36 UTC" in error.message
    )
    assert error.hint
    assert "set GITHUB_TOKEN" in error.hint
    assert not world.pauses


def test_the_limit_of_a_token_is_no_reason_for_a_token(world: World, vendor: Vendor) -> None:
    world.environ["GITHUB_TOKEN"] = TOKEN
    vendor.github.fail("GET", "/tags/", 1, status(403, limit(1800)))
    error = refused(AccessDenied, world.source(world.asset(CONSOLE)).promise)
    assert error.hint == "the limit of GITHUB_TOKEN is used up: wait until then"


def test_a_limit_that_ends_soon_is_waited_for(world: World, vendor: Vendor) -> None:
    vendor.github.fail("GET", "/tags/", 1, status(403, limit(20)))
    vendor.github.fail("GET", "/tags/", 1, status(429, {"Retry-After": "30"}))
    assert world.source(world.asset(CONSOLE)).promise().digest
    assert world.pauses == [20.0, 30.0]


@pytest.mark.parametrize("reset", ["", "soon", "9" * 40])
def test_a_limit_without_an_end(world: World, vendor: Vendor, reset: str) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    vendor.github.fail("GET", "/tags/", 1, status(403, headers))
    error = refused(AccessDenied, world.source(world.asset(CONSOLE)).promise)
    assert "no more requests are allowed for now" in error.message


def test_a_403_without_a_limit_is_no_limit(world: World, vendor: Vendor) -> None:
    vendor.github.fail("GET", "/tags/", 1, status(403))
    error = refused(AccessDenied, world.source(world.asset(CONSOLE)).promise)
    assert error.message.endswith("answered 403 Forbidden")
