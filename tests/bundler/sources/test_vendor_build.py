"""A bundle of nothing but what the vendor has on the network, from a few words of spec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bundler.cli import main
from scripts.sample_archives import write_application, write_console, write_module, write_plugin
from tests.fakes.faulty import FOREVER, status
from tests.fakes.vendor import LICENSE_ID, PASSWORD, Vendor, sha256

SIZE = 50_000
TAG = "v1.131.4"
CONSOLE, PLUGIN = "kotsadm.tar.gz", "kots_linux_amd64.tar.gz"
HEAD = "apiVersion: airgap/v1\nkind: BundleSpec\nname: harness\nversion: '2026.11'\n"


@pytest.fixture
def spec(tmp_path: Path, vendor: Vendor) -> Path:
    """A spec, and everything that it names where it should be."""
    made = tmp_path / "vendor"
    made.mkdir()
    write_console(made / CONSOLE, size=SIZE)
    write_plugin(made / PLUGIN)
    write_application(made / "harness.airgap", size=SIZE)
    write_module(made / "platform.tgz", size=SIZE)
    vendor.github.release(TAG, {name: made / name for name in (CONSOLE, PLUGIN)})
    vendor.portal.release(412, "79915", made / "harness.airgap")
    (tmp_path / "manifest.yaml").write_text(vendor.manifest({"platform": made / "platform.tgz"}))
    path = tmp_path / "harness.yaml"
    path.write_text(
        f"{HEAD}"
        f"portal: {{api: '{vendor.portal.api}'}}\n"
        f"kots: {{version: {TAG}, releases: '{vendor.github.repository}'}}\n"
        "applications:\n"
        "  - {slug: harness, installed: '79400', releases: [archive: {portal: {sequence: 412}}]}\n"
        "imageArchives: [{manifest: manifest.yaml, modules: [platform]}]\n"
        f"files: [{{name: guide.pdf, url: '{vendor.storage.put('/guide.pdf', b'%PDF')}'}}]\n"
    )
    return path


def bundler(vendor: Vendor, folder: Path, *words: str, code: int = 0) -> Result:
    """Run a command that says no secret and ends as it should."""
    environ = {**vendor.portal.environment, "XDG_CACHE_HOME": str(folder / "cache")}
    ran = CliRunner().invoke(main, words, env=environ)
    for secret in (LICENSE_ID, PASSWORD, "secret-signature"):
        assert secret not in ran.output
    assert ran.exit_code == code, ran.output
    return ran


def test_a_version_and_a_sequence_are_enough(tmp_path: Path, vendor: Vendor, spec: Path) -> None:
    bundler(vendor, tmp_path, "lock", str(spec))
    lock = spec.with_name("harness.lock.json").read_text()
    for secret in (LICENSE_ID, PASSWORD, "secret-signature"):
        assert secret not in lock
    sources: dict[str, dict[str, Any]] = {s["entry"]: s for s in json.loads(lock)["sources"]}
    assert {entry: source["evidence"] for entry, source in sources.items()} == {
        "kots.archive": "release API",
        "kots.plugins[linux/amd64]": "release API and checksum file",
        "applications[0].releases[0].archive": "vendor",
        "imageArchives[0].modules[platform]": "first use",
        "files[0]": "first use",
    }
    console = tmp_path / "vendor" / CONSOLE
    assert sources["kots.archive"]["digest"] == f"sha256:{sha256(console)}"

    bundler(vendor, tmp_path, "build", str(spec), "-o", str(tmp_path / "bundle"), "--keep-archives")
    carried = {path.name for path in (tmp_path / "bundle/files").rglob("*") if path.is_file()}
    assert {CONSOLE, PLUGIN, "harness-412.airgap", "platform_images.tgz", "guide.pdf"} <= carried


@pytest.mark.parametrize(
    "name", ["platform", "manifest.yaml#platform", "portal:harness/sequence/412"]
)
def test_an_entry_is_updated_by_what_the_lock_calls_it(
    tmp_path: Path, vendor: Vendor, spec: Path, name: str
) -> None:
    bundler(vendor, tmp_path, "lock", str(spec))
    before = len(vendor.github.requests)
    bundler(vendor, tmp_path, "lock", str(spec), "--update", name)
    assert len(vendor.github.requests) == before


def test_a_build_with_a_lock_and_a_full_cache_asks_nothing(
    tmp_path: Path, vendor: Vendor, spec: Path
) -> None:
    bundler(vendor, tmp_path, "lock", str(spec))
    servers = (vendor.github, vendor.portal, vendor.storage)
    before = [len(server.requests) for server in servers]
    vendor.storage.expire()
    bundler(vendor, tmp_path, "build", str(spec), "-o", str(tmp_path / "bundle"))
    assert [len(server.requests) for server in servers] == before


def test_a_lock_is_built_elsewhere_with_new_addresses(
    tmp_path: Path, vendor: Vendor, spec: Path
) -> None:
    """Locked here, built elsewhere: the addresses of the lock's day are good no more."""
    bundler(vendor, tmp_path, "lock", str(spec))
    vendor.storage.expire()
    made = {"platform": tmp_path / "vendor/platform.tgz"}
    (tmp_path / "manifest.yaml").write_text(vendor.manifest(made))
    text = spec.read_text().replace("secret-signature-1", vendor.storage.signature)
    spec.write_text(text)
    elsewhere = tmp_path / "elsewhere"
    bundler(vendor, elsewhere, "build", str(spec), "-o", str(tmp_path / "bundle"))
    assert vendor.portal.count("GET", "/airgap/releases") == 1
    assert vendor.portal.count("GET", "/airgap/images/url") == 3


def test_one_reason_for_all_files_is_what_a_command_ends_with(
    tmp_path: Path, vendor: Vendor, spec: Path
) -> None:
    """A full disk, a closed gate: the code says so, and nobody is told of files that are here."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    cache = ("--cache-dir", str(in_the_way / "cache"))
    ran = bundler(vendor, tmp_path, "lock", str(spec), *cache, code=9)
    assert "none of 5 files could be fetched" in ran.stderr
    assert "in the cache" not in ran.stderr

    vendor.github.fail("GET", "", FOREVER, status(404))
    vendor.storage.fail("GET", "", FOREVER, status(404))
    ran = bundler(vendor, tmp_path, "lock", str(spec), code=5)
    assert "none of the 5 files could be had" in ran.stderr


def test_who_signs_an_address_is_who_to_ask_for_another(
    tmp_path: Path, vendor: Vendor, spec: Path
) -> None:
    """With a lock nobody is asked beforehand: the download itself meets the old signature."""
    bundler(vendor, tmp_path, "lock", str(spec))
    vendor.storage.expire()
    elsewhere = tmp_path / "elsewhere"
    ran = bundler(vendor, elsewhere, "build", str(spec), "-o", str(tmp_path / "b"), code=11)
    assert "2 of 5 files could not be had" in ran.stderr
    assert "ask Harness support for a new manifest for the same account" in ran.stderr
    assert "put the full address, as it is now, into the spec" in ran.stderr


def test_some_that_fail_do_not_keep_the_others_away(
    tmp_path: Path, vendor: Vendor, spec: Path
) -> None:
    vendor.storage.fail("GET", "guide.pdf", FOREVER, status(404))
    vendor.portal.fail("GET", "", FOREVER, status(401))
    ran = bundler(vendor, tmp_path, "lock", str(spec), code=11)
    assert "2 of 5 files could not be had" in ran.stderr
    assert "files[0]: " in ran.stderr
    assert "applications[0].releases[0].archive: " in ran.stderr
    assert "the others are in the cache" in ran.stderr
    assert len(list((tmp_path / "cache/harness-airgap/sha256").iterdir())) == 3
