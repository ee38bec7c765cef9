"""Files behind any address: what their server says of them."""

from __future__ import annotations

import pytest

from bundler.sources.protocol import Evidence
from bundler.spec.origin import Address
from tests.bundler.sources.world import NOW, World, refused
from tests.fakes.faulty import FOREVER, header, status
from tests.fakes.vendor import Vendor
from transfer.digest import Digest
from transfer.errors import AccessDenied, InvalidInput, NotFound
from transfer.http.retry import GivenUp

CONTENT = b"the content of a file"
PATH = "/release/harness.airgap"


@pytest.fixture
def address(vendor: Vendor) -> Address:
    """A file behind a signed address."""
    return Address(url=vendor.storage.put(PATH, CONTENT))


def test_a_file_of_which_nobody_says_the_digest(world: World, address: Address) -> None:
    source = world.source(address)
    promise = source.promise()
    assert promise.size == len(CONTENT)
    assert promise.digest is None
    assert promise.evidence is Evidence.FIRST_USE
    assert promise.file_name == "harness.airgap"
    assert world.download(source) == CONTENT


def test_a_digest_in_the_spec_is_enough(world: World, vendor: Vendor, address: Address) -> None:
    promise = world.source(address, Digest.of(CONTENT)).promise()
    assert promise.digest == Digest.of(CONTENT)
    assert promise.evidence is Evidence.SPEC
    assert not vendor.storage.requests


def test_the_identity_is_of_the_content_and_holds_no_signature(
    world: World, vendor: Vendor, address: Address
) -> None:
    first = world.source(address).promise().identity
    assert "?" not in first
    vendor.storage.expire()
    again = Address(url=vendor.storage.sign(PATH))
    assert world.source(again).promise().identity == first
    vendor.storage.objects[PATH] = b"the contents of a file"
    assert world.source(again).promise().identity != first


def test_no_more_than_a_byte_is_sent(world: World, vendor: Vendor, address: Address) -> None:
    world.source(address).promise()
    (asked,) = vendor.storage.requests
    assert asked.headers["range"] == "bytes=0-0"


@pytest.mark.parametrize("content", [CONTENT, b""])
def test_a_server_without_ranges_and_an_empty_file(
    world: World, vendor: Vendor, content: bytes
) -> None:
    for answer in (None, status(200, body=content)):
        address = Address(url=vendor.storage.put(PATH, content))
        if answer:
            vendor.storage.fail("GET", PATH, 1, answer)
        assert world.source(address).promise().size == len(content)


def test_a_size_that_is_not_told(world: World, vendor: Vendor, address: Address) -> None:
    vendor.storage.fail("GET", PATH, 1, header("Content-Range", "bytes 0-0/*"))
    promise = world.source(address).promise()
    assert promise.size is None
    assert promise.identity.endswith('"')


def test_a_redirect_is_followed(world: World, vendor: Vendor, address: Address) -> None:
    vendor.portal.fail("GET", "/latest", 1, status(302, {"Location": address.url}))
    moved = Address(url=f"http://{vendor.portal.host}/latest/harness.airgap")
    assert world.source(moved).promise().size == len(CONTENT)


def test_a_page_to_log_in_is_no_file(world: World, vendor: Vendor, address: Address) -> None:
    page = status(200, {"Content-Type": "text/html; charset=utf-8"}, body=b"<html>")
    vendor.storage.fail("GET", "/", FOREVER, page)
    error = refused(InvalidInput, world.source(address).promise)
    assert "answered with a web page, expected a file" in error.message
    guide = Address(url=f"http://{vendor.storage.host}/docs/guide.html")
    assert world.source(guide).promise().size == len(b"<html>")


def test_an_address_that_is_not_accepted(world: World, vendor: Vendor, address: Address) -> None:
    vendor.storage.expire()
    error = refused(AccessDenied, world.source(address).promise)
    assert error.message == f"download http://{vendor.storage.host}{PATH}: answered 403 Forbidden"
    assert error.hint
    assert "log-in or a signature" in error.hint


@pytest.mark.parametrize(("seconds", "verb"), [(-60, "expired"), (60, "expires")])
def test_a_signature_that_tells_its_end(
    world: World, vendor: Vendor, address: Address, seconds: int, verb: str
) -> None:
    vendor.storage.expire()
    dated = Address(url=f"{address.url}&Expires={int(NOW) + seconds}")
    error = refused(AccessDenied, world.source(dated).promise)
    assert error.hint
    assert f"{verb} at 2026-11-18 11:0" in error.hint
    assert "put a new one into the spec" in error.hint


def test_other_refusals(world: World, vendor: Vendor, address: Address) -> None:
    for code, kind in (
        (401, AccessDenied),
        (404, NotFound),
        (407, AccessDenied),
        (410, NotFound),
        (418, InvalidInput),
    ):
        vendor.storage.fail("GET", PATH, 1, status(code))
        assert f"answered {code}" in refused(kind, world.source(address).promise).message
    vendor.storage.fail("GET", PATH, 1, status(599))
    assert world.source(address).promise().size == len(CONTENT)


def test_a_status_that_nobody_knows(world: World, vendor: Vendor, address: Address) -> None:
    vendor.storage.fail("GET", PATH, 1, status(499))
    error = refused(InvalidInput, world.source(address).promise)
    assert error.message.endswith("answered 499")


def test_what_stays_temporary_is_given_up(world: World, vendor: Vendor, address: Address) -> None:
    vendor.storage.fail("GET", PATH, FOREVER, status(503, {"Retry-After": "5"}))
    error = refused(GivenUp, world.source(address).promise)
    assert "(tried 3 times)" in error.message
    assert world.pauses == [5.0, 5.0]
