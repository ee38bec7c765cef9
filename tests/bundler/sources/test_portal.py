"""Releases in the vendor's download portal."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from bundler.sources.evidence import settle
from bundler.sources.protocol import Evidence
from bundler.spec.values import Secret
from tests.bundler.sources.world import World, refused, release, wanted
from tests.fakes.faulty import FOREVER, close_after, status
from tests.fakes.vendor import CHANNEL, LICENSE_ID, Vendor, sha256
from transfer.digest import Digest
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    InvalidInput,
    NotFound,
    PolicyError,
)
from transfer.http.retry import GivenUp

ARCHIVE = b"an archive of the application"
LIST, ADDRESS = "/airgap/releases", "/airgap/images/url"


@pytest.fixture(autouse=True)
def published(vendor: Vendor) -> None:
    """Three releases; the one in the middle is required."""
    vendor.portal.release(377, "78000", b"an old archive")
    vendor.portal.release(398, "79400", b"a required archive")["required"] = True
    vendor.portal.release(412, "79915", ARCHIVE)


def test_a_release_by_its_sequence(world: World) -> None:
    source = world.source(release(sequence=412))
    promise = source.promise()
    assert promise.size == len(ARCHIVE)
    assert promise.digest is None
    assert promise.evidence is Evidence.FIRST_USE
    assert promise.file_name == "harness-412.airgap"
    assert promise.notes == (
        "release 412 (79915)",
        "the required release before it: 398 (79400)",
        f"checksum: {sha256(ARCHIVE)}",
    )
    assert world.download(source) == ARCHIVE


def test_a_release_by_its_label(world: World) -> None:
    source = world.source(release(label="78000"))
    assert source.promise().notes[0] == "release 377 (78000)"
    assert world.download(source) == b"an old archive"


def test_the_request_is_what_the_portal_knows(world: World, vendor: Vendor) -> None:
    world.source(release(sequence=412, channel=CHANNEL)).promise()
    asked, address = vendor.portal.requests
    assert parse_qs(urlsplit(asked.path).query) == {"license_id": [LICENSE_ID], "show": ["all"]}
    assert parse_qs(urlsplit(address.path).query) == {
        "license_id": [LICENSE_ID],
        "sequence": ["412"],
    }
    for request in (asked, address):
        assert request.headers["authorization"] == "Basic cG9ydGFsLXBhc3N3b3JkLTQx"
        assert request.headers["x-replicatedchannelid"] == CHANNEL


def test_the_storage_gets_no_credentials(world: World, vendor: Vendor) -> None:
    source = world.source(release(sequence=412, channel=CHANNEL))
    source.promise()
    world.download(source)
    for request in vendor.storage.requests:
        assert not request.authorized
        assert "x-replicatedchannelid" not in request.headers
        assert LICENSE_ID not in request.path


def test_a_new_address_is_asked_for_each_time(world: World, vendor: Vendor) -> None:
    source = world.source(release(label="79915"))
    source.promise()
    first = source.locate().url
    vendor.storage.expire()
    assert source.locate().url != first
    assert world.download(source) == ARCHIVE
    assert vendor.portal.count("GET", LIST) == 1


def test_the_list_is_asked_for_once_for_each_channel(world: World, vendor: Vendor) -> None:
    sources = world.sources()
    for channel in (None, CHANNEL):
        for sequence in (377, 412):
            sources.source_for(wanted(release(sequence=sequence, channel=channel))).promise()
    assert vendor.portal.count("GET", LIST) == 2


def test_the_identity_is_of_the_content(world: World, vendor: Vendor) -> None:
    first = world.source(release(sequence=412)).promise().identity
    vendor.storage.expire()
    assert world.source(release(sequence=412)).promise().identity == first
    for changed in ({"patch_release_sequence": 1}, {"last_update_time": "later"}):
        vendor.portal.releases[0].update(changed)
        assert world.source(release(sequence=412)).promise().identity != first


def test_a_missing_release_is_named_with_those_there(world: World) -> None:
    error = refused(NotFound, world.source(release(sequence=413)).promise)
    assert error.message.endswith(
        "harness sequence 413: not there; listed are 412 (79915), 398 (79400), 377 (78000)"
    )
    assert error.hint
    assert "channel:" in error.hint
    error = refused(NotFound, world.source(release(label="1", channel=CHANNEL)).locate)
    assert error.hint
    assert CHANNEL in error.hint


def test_only_the_newest_of_many_are_named(world: World, vendor: Vendor) -> None:
    for sequence in range(500, 520):
        vendor.portal.release(sequence, "", b"one of many")
    error = refused(NotFound, world.source(release(sequence=1)).promise)
    assert "listed are 519, 518, " in error.message
    assert error.message.endswith("510, and 13 older ones")


def test_a_licence_without_releases(world: World, vendor: Vendor) -> None:
    vendor.portal.releases.clear()
    error = refused(NotFound, world.source(release(sequence=412)).promise)
    assert error.message.endswith("not there; none is listed")


def test_a_label_of_two_releases_is_refused(world: World, vendor: Vendor) -> None:
    vendor.portal.release(420, "79915", b"another one")
    for ask in ("promise", "locate"):
        error = refused(InvalidInput, getattr(world.source(release(label="79915")), ask))
        assert "2 releases have this label: 420, 412" in error.message


def test_the_newest_patch_of_a_release_is_taken(world: World, vendor: Vendor) -> None:
    patch = {**vendor.portal.releases[0], "patch_release_sequence": 2, "checksum": "of the patch"}
    vendor.portal.releases.append(patch)
    for which in ({"sequence": 412}, {"label": "79915"}):
        promise = world.source(release(**which)).promise()
        assert "checksum: of the patch" in promise.notes


@pytest.mark.parametrize("build", ["building", "pending", "failed", "failed_with_metadata"])
def test_an_unfinished_build_is_refused(world: World, vendor: Vendor, build: str) -> None:
    vendor.portal.releases[0]["build_status"] = build
    error = refused(PolicyError, world.source(release(sequence=412)).promise)
    assert f"its archive is not built (build status: {build})" in error.message
    assert error.message.endswith("built are 398 (79400), 377 (78000)")
    assert vendor.portal.count("GET", ADDRESS) == 0


@pytest.mark.parametrize("build", ["warn", "something new"])
def test_another_build_status_is_noted(world: World, vendor: Vendor, build: str) -> None:
    vendor.portal.releases[0]["build_status"] = build
    assert f"build status: {build}" in world.source(release(sequence=412)).promise().notes


def test_more_that_is_noted(world: World, vendor: Vendor) -> None:
    vendor.portal.releases[1]["imageless_checksum"] = "abc"
    vendor.portal.releases[1]["checksum"] = ""
    assert world.source(release(sequence=398)).promise().notes == (
        "release 398 (79400)",
        "required: no upgrade may skip it",
        "imageless checksum: abc",
    )


def test_the_vendors_checksum_proves_the_bytes(world: World) -> None:
    promise = world.source(release(sequence=412)).promise()
    settled = settle(promise, Digest.of(ARCHIVE), "harness 412")
    assert settled.evidence is Evidence.VENDOR
    assert settled.digest == Digest.of(ARCHIVE)


def test_a_checksum_that_does_not_match_is_refused(world: World) -> None:
    promise = world.source(release(sequence=412)).promise()
    refused(DigestMismatch, lambda: settle(promise, Digest.of(b"other bytes"), "harness 412"))


def test_a_digest_in_the_spec_is_taken(world: World) -> None:
    promise = world.source(release(sequence=412), Digest.of(ARCHIVE)).promise()
    assert promise.digest == Digest.of(ARCHIVE)
    assert promise.evidence is Evidence.SPEC


def test_wrong_credentials_are_named_by_their_place(world: World) -> None:
    (world.folder / "pw").write_text("wrong\n")
    world.portal = replace(world.portal, password=Secret(path="pw"))
    error = refused(AccessDenied, world.source(release(sequence=412)).promise)
    assert error.message.endswith("list of releases: answered 401 Unauthorized")
    assert error.hint
    assert "environment variable HARNESS_LICENSE_ID" in error.hint
    assert "file pw" in error.hint
    assert "wrong" not in error.hint


def test_a_channel_that_the_licence_does_not_have(world: World) -> None:
    error = refused(AccessDenied, world.source(release(sequence=412, channel="x")).promise)
    assert error.message.endswith("answered 403 Forbidden")


@pytest.mark.parametrize("channel", ["канал", "a b", ""])
def test_a_channel_that_is_none(world: World, vendor: Vendor, channel: str) -> None:
    error = refused(InvalidInput, world.source(release(sequence=412, channel=channel)).promise)
    assert f"not the id of a channel: {channel!r}" in error.message
    assert not vendor.portal.requests


def test_a_licence_that_the_portal_does_not_know(world: World) -> None:
    world.environ["HARNESS_LICENSE_ID"] = f"{LICENSE_ID}&show=none"
    error = refused(NotFound, world.source(release(sequence=412)).promise)
    assert error.hint
    assert "an unknown licence id" in error.hint


def test_missing_credentials_are_all_named(world: World, vendor: Vendor) -> None:
    world.environ.clear()
    error = refused(InvalidInput, world.source(release(sequence=412)).promise)
    licence, password = error.faults
    assert "licence id for portal" in licence.message
    assert "environment variable HARNESS_LICENSE_ID is not set" in licence.message
    assert "environment variable HARNESS_PORTAL_PASSWORD is not set" in password.message
    assert not vendor.portal.requests


def test_credentials_never_cross_a_network_in_the_clear(world: World) -> None:
    world.portal = replace(world.portal, api="http://portal.example.com")
    error = refused(InvalidInput, world.source(release(sequence=412)).promise)
    assert (
        "portal.example.com would be sent a licence id and a password without TLS" in error.message
    )


def test_credentials_are_not_taken_along_by_a_redirect(world: World, vendor: Vendor) -> None:
    elsewhere = vendor.storage.put("/market/list", b'{"releases": []}')
    vendor.portal.fail("GET", LIST, 1, status(302, {"Location": elsewhere}))
    refused(NotFound, world.source(release(sequence=412, channel=CHANNEL)).promise)
    (followed,) = vendor.storage.requests
    assert not followed.authorized
    assert "x-replicatedchannelid" not in followed.headers
    assert LICENSE_ID not in followed.path


def test_what_is_temporary_is_tried_again(world: World, vendor: Vendor) -> None:
    vendor.portal.fail("GET", LIST, 1, status(429, {"Retry-After": "7"}))
    vendor.portal.fail("GET", ADDRESS, 1, status(503))
    vendor.storage.fail("GET", "/airgap/412", 1, close_after(0))
    assert world.source(release(sequence=412)).promise().size == len(ARCHIVE)
    assert world.pauses == [7.0, 1.0]
    assert len(world.heard.lines) == 2
    assert all(LICENSE_ID not in line for line in world.heard.lines)
    assert "list of releases: answered 429 Too Many Requests; trying" in world.heard.lines[0]


def test_a_portal_that_is_down_is_given_up(world: World, vendor: Vendor) -> None:
    vendor.portal.fail("GET", LIST, FOREVER, status(502))
    error = refused(GivenUp, world.source(release(sequence=412)).promise)
    assert "answered 502 Bad Gateway (tried 3 times)" in error.message


def test_a_portal_that_nobody_answers_for(world: World, vendor: Vendor) -> None:
    source = world.source(release(sequence=412))
    with vendor.portal.away():
        error = refused(GivenUp, source.promise)
    assert "Connection refused (tried 3 times)" in error.message


def test_a_release_listed_without_an_archive(world: World, vendor: Vendor) -> None:
    vendor.portal.fail("GET", ADDRESS, 1, status(404))
    error = refused(NotFound, world.source(release(sequence=412)).promise)
    assert error.message.endswith("harness sequence 412: answered 404 Not Found")
    del vendor.storage.objects[vendor.portal.paths["412"]]
    error = refused(NotFound, world.source(release(sequence=412)).promise)
    assert "its signed address: answered 404 Not Found" in error.message


def test_an_address_that_is_not_accepted(world: World, vendor: Vendor) -> None:
    vendor.storage.fail("GET", "/airgap/412", 1, status(403))
    error = refused(AccessDenied, world.source(release(sequence=412)).promise)
    assert "its signed address: answered 403 Forbidden" in error.message
