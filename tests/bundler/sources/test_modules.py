"""Modules of a manifest from Harness support."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bundler.sources.protocol import Evidence
from bundler.spec.origin import ManifestModule
from tests.bundler.sources.world import NOW, World, refused, wanted
from tests.fakes.faulty import status
from tests.fakes.vendor import Vendor
from transfer.errors import AccessDenied, InvalidInput, NotFound

FILE = "smp-bundle-manifest-Y-UFoc_mS-0.41.2.yaml"
ARCHIVES = {"platform": b"the platform's images", "ci/plugins": b"the plugins' images"}


def module(name: str, file: str = FILE) -> ManifestModule:
    return ManifestModule(manifest=file, module=name)


@pytest.fixture(autouse=True)
def manifest(world: World, vendor: Vendor) -> Path:
    """The manifest of two modules in the spec's folder."""
    path = world.folder / FILE
    path.write_text(vendor.manifest(ARCHIVES))
    return path


def test_a_module_by_its_name(world: World) -> None:
    source = world.source(module("platform"))
    promise = source.promise()
    assert promise.size == len(ARCHIVES["platform"])
    assert promise.file_name == "platform_images.tgz"
    assert promise.digest is None
    assert promise.evidence is Evidence.FIRST_USE
    assert promise.notes == ()
    assert world.download(source) == ARCHIVES["platform"]


@pytest.mark.parametrize("name", ["ci/plugins", "ci-plugins"])
def test_a_module_that_belongs_to_another(world: World, name: str) -> None:
    source = world.source(module(name))
    assert source.promise().file_name == "ci-plugins_images.tgz"
    assert world.download(source) == ARCHIVES["ci/plugins"]


def test_a_new_manifest_continues_the_same_download(
    world: World, vendor: Vendor, manifest: Path
) -> None:
    source = world.source(module("platform"))
    first = source.promise()
    vendor.storage.expire()
    assert "answered 403" in refused(AccessDenied, source.promise).message
    manifest.write_text(vendor.manifest(ARCHIVES))
    assert source.promise().identity == first.identity
    assert world.download(source) == ARCHIVES["platform"]


def test_the_identity_has_account_chart_and_path(world: World) -> None:
    identity = world.source(module("platform")).promise().identity
    assert identity.startswith("Y-UFoc_mS 0.41.2 platform 127.0.0.1:")
    assert "/bundles/harness-0.41.2/platform/platform_images.tgz" in identity


def test_another_archive_in_its_place_has_another_identity(world: World, vendor: Vendor) -> None:
    first = world.source(module("platform")).promise().identity
    vendor.storage.objects["/bundles/harness-0.41.2/platform/platform_images.tgz"] = b"a fix"
    assert world.source(module("platform")).promise().identity != first


def test_a_manifest_under_another_name(world: World, manifest: Path) -> None:
    manifest.rename(world.folder / "manifest.yaml")
    promise = world.source(module("platform", "manifest.yaml")).promise()
    assert promise.identity.startswith("platform 127.0.0.1:")


def test_what_a_module_requires_is_noted(world: World, manifest: Path) -> None:
    told = yaml.safe_load(manifest.read_text())
    told["modules"]["platform"]["requires"] = ["gateway", "mongo"]
    manifest.write_text(yaml.safe_dump(told))
    assert world.source(module("platform")).promise().notes == ("requires gateway, mongo",)


def test_an_address_that_expired_says_what_to_ask_for(
    world: World, vendor: Vendor, manifest: Path
) -> None:
    manifest.write_text(vendor.manifest(ARCHIVES, expires_at_epoch_seconds=int(NOW) - 60))
    for ask in ("promise", "locate"):
        error = refused(AccessDenied, getattr(world.source(module("platform")), ask))
        assert "its signed address expired at 2026-11-18 11:05 UTC" in error.message
        assert error.hint
        assert "ask Harness support for a new manifest" in error.hint
        assert "(Y-UFoc_mS 0.41.2)" in error.hint
    assert not vendor.storage.requests


def test_an_address_that_tells_itself_that_it_expired(world: World, manifest: Path) -> None:
    told = yaml.safe_load(manifest.read_text())
    told["modules"]["platform"]["downloadUrl"] += (
        "&X-Goog-Date=20261118T100000Z&X-Goog-Expires=3600"
    )
    told["expires_at_epoch_seconds"] = int(NOW) + 86400
    manifest.write_text(yaml.safe_dump(told))
    error = refused(AccessDenied, world.source(module("platform")).locate)
    assert "expired at 2026-11-18 11:00 UTC" in error.message


def test_addresses_that_end_soon_are_told_of_once(
    world: World, vendor: Vendor, manifest: Path
) -> None:
    manifest.write_text(vendor.manifest(ARCHIVES, expires_at_epoch_seconds=int(NOW) + 3600))
    sources = world.sources()
    for name in ARCHIVES:
        source = sources.source_for(wanted(module(name)))
        source.promise()
        source.locate()
    (line,) = world.heard.lines
    assert line.startswith(f"manifest {FILE}: its signed addresses expire at 2026-11-18 12:06 UTC")


def test_addresses_that_hold_long_are_not_told_of(
    world: World, vendor: Vendor, manifest: Path
) -> None:
    manifest.write_text(vendor.manifest(ARCHIVES, expires_at_epoch_seconds=int(NOW) + 86400))
    world.source(module("platform")).promise()
    assert not world.heard.lines


def test_a_missing_module_is_named_with_those_there(world: World) -> None:
    error = refused(NotFound, world.source(module("sto")).promise)
    assert error.message == f"manifest {FILE}: has no module sto; it has platform, ci-plugins"


def test_a_missing_manifest(world: World) -> None:
    error = refused(NotFound, world.source(module("platform", "gone.yaml")).promise)
    assert error.message.startswith("manifest gone.yaml: does not exist")


def test_a_module_without_an_address(world: World, manifest: Path) -> None:
    manifest.write_text("modules: {platform: {bucket_path: platform}}")
    error = refused(InvalidInput, world.source(module("platform")).promise)
    assert error.message == f"manifest {FILE}: has no address for platform"


def test_an_archive_that_is_not_there(world: World, vendor: Vendor) -> None:
    vendor.storage.fail("GET", "platform", 1, status(404))
    error = refused(NotFound, world.source(module("platform")).promise)
    assert f"module platform of {FILE}: answered 404 Not Found" in error.message


def test_archives_of_single_images(world: World, vendor: Vendor, manifest: Path) -> None:
    """With addresses each entry is one archive; the vendor's script reads `download_url`."""
    urls = [vendor.storage.put(f"/agents/{i}.tgz", bytes([i])) for i in range(3)]
    images = [
        {"name": "delegate", "variants": [".minimal-fips"], "download_url": urls[1]},
        {"name": "delegate", "download_url": urls[0]},
        {"name": "upgrader", "downloadUrl": urls[2]},
        "a name alone",
    ]
    agents = {"bucket_path": "platform/agents", "bundle_type": "single", "images": images}
    manifest.write_text(yaml.safe_dump({"modules": {"platform-agents": agents}}))
    for name, content in (
        ("delegate", b"\0"),
        ("platform/agents/delegate", b"\0"),
        ("delegate.minimal-fips", b"\1"),
        ("upgrader", b"\2"),
    ):
        assert world.download(world.source(module(name))) == content
    error = refused(NotFound, world.source(module("platform-agents")).promise)
    assert error.message.endswith("it has delegate.minimal-fips, delegate, upgrader")


def test_variants_without_addresses(world: World, manifest: Path) -> None:
    images = [
        {"name": "delegate", "variants": ["-fips", ".minimal"]},
        {"name": "upgrader", "variants": ["-fips"], "variants_only": True},
    ]
    agents = {"bundle_type": "single", "images": images}
    manifest.write_text(yaml.safe_dump({"modules": {"agents": agents}}))
    error = refused(NotFound, world.source(module("x")).promise)
    assert error.message.endswith("it has delegate, delegate-fips, delegate.minimal, upgrader-fips")


MANIFESTS = (
    ("modules: [secret-signature", "not valid YAML"),
    ("secret-signature", "no manifest of modules"),
    ("modules: [secret-signature]", "no manifest of modules"),
    ("version: '1.0'", "no manifest of modules"),
    ("modules: {p: {downloadUrl: 'ftp://secret-signature'}}", "cannot be used: p"),
    ("modules: {p: {downloadUrl: 'https://user:secret-signature@host'}}", "cannot be used: p"),
    ("modules: {p: {downloadUrl: 'https://[secret-signature'}}", "cannot be used: p"),
    ("modules: {p: {downloadUrl: 'https://host:99999/secret-signature'}}", "cannot be used: p"),
    ('modules: {p: {downloadUrl: "https://host/x", bucket_path: "\\n"}}', "cannot be used: p"),
    ('modules: {p: {downloadUrl: "https://host/x", requires: ["\\e"]}}', "cannot be used: p"),
    ('modules: {"p\\e": {downloadUrl: "https://host/x"}}', r"cannot be used: p\x1b"),
)


@pytest.mark.parametrize(("text", "fault"), MANIFESTS, ids=range(len(MANIFESTS)))
def test_manifests_that_make_no_sense(world: World, manifest: Path, text: str, fault: str) -> None:
    manifest.write_text(text)
    error = refused(InvalidInput, world.source(module("p")).promise)
    assert fault in error.message
    assert error.message.startswith(f"manifest {FILE}: ")
