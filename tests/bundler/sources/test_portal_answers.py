"""A portal whose answers make no sense, or more than is known of."""

from __future__ import annotations

import pytest

from tests.bundler.sources.world import World, refused, release
from tests.fakes.faulty import status
from tests.fakes.vendor import Vendor
from transfer.errors import InvalidInput, SizeMismatch

LIST, ADDRESS = "/airgap/releases", "/airgap/images/url"


@pytest.fixture(autouse=True)
def published(vendor: Vendor) -> None:
    """Two releases; the older one is required."""
    vendor.portal.release(398, "79400", b"a required archive")["required"] = True
    vendor.portal.release(412, "79915", b"an archive")


LISTS = (
    (b"", "the answer is not JSON"),
    (b"\xff\xfe", "the answer is not JSON"),
    (b"[" * 100_000, "the answer is not JSON"),
    (b"\n<html>Log in", "the answer is a web page or XML"),
    (b'"text"', "the answer has a text, expected an object"),
    (b"{}", "the answer has nothing at releases, expected a list"),
    (b'{"releases": {}}', "an object at releases, expected a list"),
    (b'{"releases": [[]]}', "a list at releases[0], expected an object"),
    (b'{"releases": [{}]}', "nothing at releases[0].release_sequence, expected a whole number"),
    (b'{"releases": [{"release_sequence": true}]}', "has true or false at"),
    (b'{"releases": [{"release_sequence": 1.5}]}', "has a number at"),
    (b'{"releases": [{"release_sequence": 99999999999999999999}]}', "has a number at"),
    (b'{"releases": [{"release_sequence": "412"}]}', "has a text at"),
)


@pytest.mark.parametrize(("body", "fault"), LISTS, ids=range(len(LISTS)))
def test_lists_that_make_no_sense(world: World, vendor: Vendor, body: bytes, fault: str) -> None:
    vendor.portal.fail("GET", LIST, 1, status(200, body=body))
    error = refused(InvalidInput, world.source(release(sequence=412)).promise)
    assert fault in error.message


def test_a_list_without_end_is_refused(world: World, vendor: Vendor) -> None:
    vendor.portal.fail("GET", LIST, 1, status(200, body=b" " * ((16 << 20) + 1)))
    error = refused(SizeMismatch, world.source(release(sequence=412)).promise)
    assert "more than 16777216 bytes" in error.message


ADDRESSES = (
    b"{}",
    b'{"url": ""}',
    b'{"url": 5}',
    b'{"url": "/secret-signature"}',
    b'{"url": "file:///secret-signature"}',
    b'{"url": "http://[secret-signature"}',
    b'{"url": "https://host/\\nsecret-signature"}',
    b'{"url": "https://host/' + b"x" * 9000 + b'"}',
)


@pytest.mark.parametrize("body", ADDRESSES, ids=range(len(ADDRESSES)))
def test_addresses_that_make_no_sense(world: World, vendor: Vendor, body: bytes) -> None:
    vendor.portal.fail("GET", ADDRESS, 1, status(200, body=body))
    refused(InvalidInput, world.source(release(sequence=412)).locate)


def test_unknown_and_odd_facts_do_no_harm(world: World, vendor: Vendor) -> None:
    vendor.portal.releases[0].update(
        checksum=None, required="yes", last_update_time=1, build_status=None, new={"a": 1}
    )
    assert world.source(release(sequence=412)).promise().notes == (
        "release 412 (79915)",
        "the required release before it: 398 (79400)",
    )


def test_what_would_steer_a_terminal_is_spelt_out(world: World, vendor: Vendor) -> None:
    vendor.portal.releases[0].update(label="79915\x1b[2J", build_status="build\ning")
    promise = world.source(release(sequence=412)).promise()
    assert promise.notes[0] == r"release 412 (79915\x1b[2J)"
    assert r"build status: build\ning" in promise.notes
