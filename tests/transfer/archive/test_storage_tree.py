"""What can be wrong with a registry's storage tree in an archive."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.transfer.archive.forge import Forge, messages, only_fault, refused
from transfer.archive import AirgapArchive
from transfer.errors import (
    CorruptArchive,
    DigestMismatch,
    MissingContent,
    SizeMismatch,
)

MANAGER = "docker.io/harness/harness-manager-signed:79915"
TREE = "images/docker/registry/v2"
ZEROS = "0" * 64


def test_a_listed_image_that_is_missing(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    del forge.members[forge.find("/harness-manager-signed/_manifests/tags/79915/current/")]
    del forge.members[forge.find("/mongo/_manifests/revisions/")]
    path = forge.write(tmp_path / "a.airgap")
    error = refused(path, CorruptArchive)
    assert all(isinstance(fault, MissingContent) for fault in error.faults)
    first, second = messages(error)
    assert first == f"archive {path}: image {MANAGER} is listed in airgap.yaml, but is not in it"
    assert "image docker.io/library/mongo@sha256:" in second


def test_a_blob_with_a_wrong_byte(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    name, content = next(
        (name, content) for name, content in forge.members.items() if len(content) > 10_000
    )
    forge.members[name] = content[:5000] + bytes([content[5000] ^ 1]) + content[5001:]
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert isinstance(fault, DigestMismatch)
    encoded = name.split("/")[-2]
    assert f"blob sha256:{encoded}: its {len(content)} bytes hash to sha256:" in str(fault)


def test_a_truncated_blob(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    name = forge.find("/data")
    forge.members[name] = forge.members[name][:-1]
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert isinstance(fault, DigestMismatch)
    assert f"its {len(forge.members[name])} bytes" in str(fault)


def test_a_wrong_blob_that_no_image_needs_is_a_fault_too(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    forge.members[f"{TREE}/blobs/sha256/00/{ZEROS}/data"] = b"x"
    assert "blob sha256:000" in str(
        only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    )


def test_a_layer_that_is_absent_is_told_once_with_all_its_images(
    application: Path, tmp_path: Path
) -> None:
    forge = Forge.open(application)
    manifest = json.loads(forge.members[forge.blob(root_of(forge, MANAGER))])
    base = manifest["layers"][0]["digest"]
    del forge.members[forge.blob(base)]
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert isinstance(fault, MissingContent)
    assert f"{base} is not in it; needed by {MANAGER}, " in str(fault)
    assert str(fault).count(MANAGER) == 1


def test_a_platform_of_an_index_that_is_absent(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    name = "quay.io/harness/harness-ui-signed:79915"
    index = json.loads(forge.members[forge.blob(root_of(forge, name))])
    child = index["manifests"][1]["digest"]
    del forge.members[forge.blob(child)]
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert f"{child} is not in it; needed by {name}" in str(fault)


def root_of(forge: Forge, name: str) -> str:
    base, _, tag = name.rpartition("/")[2].partition(":")
    return forge.members[f"{TREE}/repositories/{base}/_manifests/tags/{tag}/current/link"].decode()


def replace_root(forge: Forge, raw: bytes) -> None:
    """Make the manager's tag name another manifest."""
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    forge.members[f"{TREE}/blobs/sha256/{digest[7:9]}/{digest[7:]}/data"] = raw
    forge.members[forge.find("/harness-manager-signed/_manifests/tags/79915/current/")] = (
        digest.encode()
    )


def test_a_layer_whose_size_is_not_the_manifests(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    manifest = json.loads(forge.members[forge.blob(root_of(forge, MANAGER))])
    manifest["layers"][0]["size"] += 1
    replace_root(forge, json.dumps(manifest).encode())
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert isinstance(fault, SizeMismatch)
    layer = manifest["layers"][0]
    assert f"image {MANAGER}: {layer['digest']} should have {layer['size']} bytes" in str(fault)


@pytest.mark.parametrize(
    ("raw", "message"),
    [(b"{}", "neither an OCI nor a Docker v2 manifest"), (b"\xff\x00", "not JSON")],
)
def test_a_manifest_that_is_none(
    application: Path, tmp_path: Path, raw: bytes, message: str
) -> None:
    forge = Forge.open(application)
    replace_root(forge, raw)
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert message in str(fault)


def test_a_tag_that_names_nothing(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    forge.members[forge.find("/harness-manager-signed/_manifests/tags/79915/current/")] = b"sha1:x"
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert f"image {MANAGER}: its tag: not a digest: 'sha1:x'" in str(fault)


def test_foreign_layers_are_not_expected(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    manifest = json.loads(forge.members[forge.blob(root_of(forge, MANAGER))])
    manifest["layers"].append(
        {
            "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "digest": f"sha256:{ZEROS}",
            "size": 1,
            "urls": ["https://vendor.example/layer"],
        }
    )
    replace_root(forge, json.dumps(manifest).encode())
    with AirgapArchive.read(forge.write(tmp_path / "a.airgap")) as archive:
        assert len(archive.record.images) == 5
