"""Files of KOTS releases: what the API and the file of checksums say of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bundler.sources.protocol import Evidence
from tests.bundler.sources.world import World, refused, wanted
from tests.fakes.faulty import FOREVER, close_after, status
from tests.fakes.vendor import KOTS, Vendor
from transfer.digest import Digest
from transfer.errors import (
    DigestMismatch,
    IntegrityError,
    InvalidInput,
    NotFound,
    PolicyError,
    SizeMismatch,
)
from transfer.http.retry import GivenUp

TAG = "v1.131.4"
CONSOLE, PLUGIN = "kotsadm.tar.gz", "kots_linux_amd64.tar.gz"
FILES = {CONSOLE: b"the admin console", PLUGIN: b"the plugin"}
CHECKSUMS = "kots_1.131.4_checksums.txt"


@pytest.fixture(autouse=True)
def published(vendor: Vendor) -> None:
    """One release of KOTS."""
    vendor.github.release(TAG, FILES)


def test_the_api_says_size_and_digest(world: World) -> None:
    promise = world.source(world.asset(CONSOLE)).promise()
    assert promise.digest == Digest.of(FILES[CONSOLE])
    assert promise.size == len(FILES[CONSOLE])
    assert promise.file_name == CONSOLE
    assert promise.evidence is Evidence.RELEASE_API
    assert promise.notes == ()


def test_a_plugin_is_compared_with_the_file_of_checksums(world: World) -> None:
    promise = world.source(world.asset(PLUGIN)).promise()
    assert promise.digest == Digest.of(FILES[PLUGIN])
    assert promise.evidence is Evidence.CHECKSUMS


def test_the_location_stays_and_leads_to_the_bytes(world: World, vendor: Vendor) -> None:
    source = world.source(world.asset(CONSOLE))
    assert source.locate().url.endswith(f"/{KOTS}/releases/download/{TAG}/{CONSOLE}")
    assert world.download(source) == FILES[CONSOLE]
    vendor.storage.expire()
    assert world.download(source) == FILES[CONSOLE]


def test_a_release_is_asked_for_once_by_all_its_files(world: World, vendor: Vendor) -> None:
    sources = world.sources()
    files = [sources.source_for(wanted(world.asset(name))) for name in (CONSOLE, PLUGIN) * 4]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda file: (file.promise(), file.locate()), files))
    assert vendor.github.count("GET", "/releases/tags/") == 1
    assert vendor.github.count("GET", f"/{CHECKSUMS}") == 1


def test_a_release_that_cannot_be_had_is_not_asked_for_again(world: World, vendor: Vendor) -> None:
    vendor.github.fail("GET", "/tags/", FOREVER, status(500))
    sources = world.sources()
    for _ in range(2):
        error = refused(GivenUp, sources.source_for(wanted(world.asset(CONSOLE))).promise)
        assert "(tried 3 times)" in error.message
    assert vendor.github.count("GET") == 3


def test_what_is_temporary_is_tried_again(world: World, vendor: Vendor) -> None:
    vendor.github.fail("GET", "/tags/", 1, status(503))
    vendor.github.fail("GET", "/tags/", 1, close_after(40))
    assert world.source(world.asset(CONSOLE)).promise().digest == Digest.of(FILES[CONSOLE])
    assert len(world.pauses) == 2


@pytest.mark.parametrize("tag", ["1.131.4", "v1.131.4"])
@pytest.mark.parametrize("made", ["1.131.4", "v1.131.4"])
def test_a_tag_is_found_with_and_without_its_v(
    world: World, vendor: Vendor, tag: str, made: str
) -> None:
    vendor.github.releases = {made: vendor.github.releases[TAG]}
    assert world.source(world.asset(PLUGIN, tag)).promise().evidence is Evidence.CHECKSUMS


def test_a_missing_release_is_named_with_those_near_it(world: World, vendor: Vendor) -> None:
    for number in range(4, 14):
        vendor.github.release(f"v1.131.{number}", FILES)
    error = refused(NotFound, world.source(world.asset(CONSOLE, "v1.131.40")).promise)
    assert f"release v1.131.40 of {KOTS} ({vendor.github.host}): not there" in error.message
    assert "like it are v1.131.6, v1.131.7, v1.131.8, v1.131.9, v1.131.10" in error.message


def test_tags_of_any_form_are_put_in_order(world: World, vendor: Vendor) -> None:
    vendor.github.release(f"v9.9.{'9' * 5000}", {})
    vendor.github.release("v9.9.", {})
    error = refused(NotFound, world.source(world.asset(CONSOLE, "v9.9.9")).promise)
    assert "like it are v9.9." in error.message


def test_a_missing_release_without_any_near(world: World) -> None:
    error = refused(NotFound, world.source(world.asset(CONSOLE, "v9.9.9")).promise)
    assert error.message.endswith("not there; nor is any v9.9.*")


def test_a_missing_repository_is_said(world: World, vendor: Vendor) -> None:
    vendor.github.fail("GET", "matching-refs", 1, status(404))
    error = refused(NotFound, world.source(world.asset(CONSOLE, "v9.9.9")).promise)
    assert "not there, nor is the repository" in error.message
    assert error.hint == "check kots.releases:"


@pytest.mark.parametrize("code", [200, 403, 500])
def test_the_tags_near_are_not_needed(world: World, vendor: Vendor, code: int) -> None:
    vendor.github.fail("GET", "matching-refs", FOREVER, status(code, body=b"no JSON"))
    error = refused(NotFound, world.source(world.asset(CONSOLE, "v9.9.9")).promise)
    assert error.message.endswith("not there")


def test_a_tag_that_is_no_version_is_not_there(world: World) -> None:
    error = refused(NotFound, world.source(world.asset(CONSOLE, "la/test?")).promise)
    assert "release la/test? of" in error.message


def test_a_missing_file_is_named_with_those_there(world: World) -> None:
    error = refused(NotFound, world.source(world.asset("kotsadm-nominio.tar.gz")).promise)
    assert error.message.endswith(
        f"has no kotsadm-nominio.tar.gz; it has {CHECKSUMS}, {CONSOLE}, {PLUGIN}"
    )


def test_a_file_still_being_uploaded_is_refused(world: World, vendor: Vendor) -> None:
    vendor.github.asset(TAG, CONSOLE)["state"] = "starter"
    error = refused(PolicyError, world.source(world.asset(CONSOLE)).promise)
    assert f"{CONSOLE} is still being uploaded" in error.message


def test_a_pre_release_is_noted(world: World, vendor: Vendor) -> None:
    vendor.github.releases[TAG]["prerelease"] = True
    promise = world.source(world.asset(CONSOLE)).promise()
    assert promise.notes == ("the release is marked as a pre-release",)


def test_checksums_that_do_not_agree_are_refused(world: World, vendor: Vendor) -> None:
    vendor.github.asset(TAG, PLUGIN)["digest"] = f"sha256:{'0' * 64}"
    error = refused(IntegrityError, world.source(world.asset(PLUGIN)).promise)
    assert f"sha256:{'0' * 64}" in error.message
    assert f"{CHECKSUMS} says {Digest.of(FILES[PLUGIN])}" in error.message


def test_a_file_of_checksums_that_is_not_what_the_api_says(world: World, vendor: Vendor) -> None:
    path = f"/{KOTS}/releases/download/{TAG}/{CHECKSUMS}"
    vendor.storage.objects[path] = b"0" * 64 + b"  " + PLUGIN.encode()
    error = refused(DigestMismatch, world.source(world.asset(PLUGIN)).promise)
    assert f"{CHECKSUMS}: the release API says sha256:" in error.message


def test_a_file_of_checksums_that_is_too_long(world: World, vendor: Vendor) -> None:
    path = f"/{KOTS}/releases/download/{TAG}/{CHECKSUMS}"
    vendor.storage.objects[path] = bytes((1 << 20) + 1)
    error = refused(SizeMismatch, world.source(world.asset(PLUGIN)).promise)
    assert "more than 1048576 bytes" in error.message


@pytest.mark.parametrize("name", [CONSOLE, PLUGIN])
def test_a_release_older_than_the_apis_digests(world: World, vendor: Vendor, name: str) -> None:
    for asset in vendor.github.releases[TAG]["assets"]:
        del asset["digest"]
    promise = world.source(world.asset(name)).promise()
    assert promise.size == len(FILES[name])
    if name == PLUGIN:
        assert promise.digest == Digest.of(FILES[PLUGIN])
        assert promise.evidence is Evidence.CHECKSUM_FILE
    else:
        assert promise.digest is None
        assert promise.evidence is Evidence.FIRST_USE


@pytest.mark.parametrize("digest", [f"sha512:{'0' * 128}", "md5:00", "sha256:00"])
def test_a_digest_of_another_kind_is_a_note(world: World, vendor: Vendor, digest: str) -> None:
    vendor.github.asset(TAG, CONSOLE)["digest"] = digest
    promise = world.source(world.asset(CONSOLE)).promise()
    assert promise.digest is None
    assert promise.evidence is Evidence.FIRST_USE
    assert promise.notes == (f"digest: {digest}",)


def test_a_plugin_that_the_file_of_checksums_does_not_list(world: World, vendor: Vendor) -> None:
    assets = vendor.github.releases[TAG]["assets"]
    assets.append({**vendor.github.asset(TAG, PLUGIN), "name": "kots_linux_s390x.tar.gz"})
    promise = world.source(world.asset("kots_linux_s390x.tar.gz")).promise()
    assert promise.evidence is Evidence.RELEASE_API
    assert promise.notes == (f"not listed in {CHECKSUMS}",)


def test_a_release_without_a_file_of_checksums(world: World, vendor: Vendor) -> None:
    release = vendor.github.releases[TAG]
    release["assets"] = [asset for asset in release["assets"] if asset["name"] != CHECKSUMS]
    promise = world.source(world.asset(PLUGIN)).promise()
    assert promise.evidence is Evidence.RELEASE_API
    assert promise.notes == ("the release has no file of checksums",)


def test_the_identity_is_another_one_when_the_file_is(world: World, vendor: Vendor) -> None:
    first = world.source(world.asset(CONSOLE)).promise().identity
    assert world.source(world.asset(CONSOLE)).promise().identity == first
    vendor.github.asset(TAG, CONSOLE)["updated_at"] = "2026-11-02T08:00:00Z"
    assert world.source(world.asset(CONSOLE)).promise().identity != first


def test_a_digest_in_the_spec_has_to_be_the_apis(world: World) -> None:
    right = Digest.of(FILES[CONSOLE])
    assert world.source(world.asset(CONSOLE), right).promise().evidence is Evidence.RELEASE_API
    wrong = Digest.of(b"another file")
    error = refused(IntegrityError, world.source(world.asset(CONSOLE), wrong).promise)
    assert f"the spec says {wrong}, the release API {right}" in error.message


def test_answers_that_make_no_sense(world: World, vendor: Vendor) -> None:
    for body, fault in (
        (b"<html>log in", "the answer is a web page or XML"),
        (b"[]", "the answer has a list, expected an object"),
        (b"{}", "the answer has nothing at assets, expected a list"),
        (b'{"assets": [{"name": 1}]}', "has a number at assets[0].name, expected a line of text"),
        (b'{"assets": [{"name": "a", "size": -1}]}', "at assets[0].size, expected a whole number"),
    ):
        vendor.github.fail("GET", "/tags/", 1, status(200, body=body))
        error = refused(InvalidInput, world.source(world.asset(CONSOLE)).promise)
        assert fault in error.message


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://host/x", "http://[::1", "http://host:99999/x", "http:///x"]
)
def test_an_address_of_another_kind_is_not_followed(world: World, vendor: Vendor, url: str) -> None:
    vendor.github.asset(TAG, CONSOLE)["browser_download_url"] = url
    error = refused(InvalidInput, world.source(world.asset(CONSOLE)).locate)
    assert "has no http(s) address" in error.message


def test_nothing_is_asked_before_a_source_is(world: World, vendor: Vendor) -> None:
    before = threading.active_count()
    world.source(world.asset(CONSOLE))
    assert not vendor.github.requests
    assert threading.active_count() == before
