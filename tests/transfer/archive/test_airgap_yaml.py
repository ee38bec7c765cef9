"""What can be wrong with `airgap.yaml` and `app.tar.gz`."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfer.archive.forge import Forge, only_fault, refused
from transfer.errors import (
    CorruptArchive,
    InvalidInput,
    MissingContent,
)

MANAGER = "docker.io/harness/harness-manager-signed:79915"
TREE = "images/docker/registry/v2"
ZEROS = "0" * 64


def unknown_format(forge: Forge) -> None:
    forge.edit("airgap.yaml", 'format: "docker"', 'format: "oci"')


def wrong_format(forge: Forge) -> None:
    forge.edit("airgap.yaml", 'format: "docker"', 'format: "docker-archive"')


def other_kind(forge: Forge) -> None:
    forge.edit("airgap.yaml", "kind: Airgap", "kind: Installer")


def other_group(forge: Forge) -> None:
    forge.edit("airgap.yaml", "kots.io/v1beta1", "troubleshoot.sh/v1beta2")


def not_yaml(forge: Forge) -> None:
    forge.edit("airgap.yaml", "spec:", "spec: {")


def not_a_mapping(forge: Forge) -> None:
    forge.members["airgap.yaml"] = b"- a\n"


def not_utf8(forge: Forge) -> None:
    forge.members["airgap.yaml"] = b"\xff\xfe"


def images_no_list(forge: Forge) -> None:
    forge.edit("airgap.yaml", "savedImages: [", "channels: [")
    forge.edit("airgap.yaml", "spec:", "spec:\n  savedImages: redis")


def bad_reference(forge: Forge) -> None:
    forge.edit("airgap.yaml", MANAGER, "docker.io/Harness/Manager:1")


def nobodys(forge: Forge) -> None:
    forge.edit("airgap.yaml", 'appSlug: "harness"', "other: 1")
    del forge.members["app.tar.gz"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (unknown_format, "spec.format: 'oci' is none of docker and docker-archive"),
        (wrong_format, "spec.format: 'docker-archive', but the images are stored otherwise"),
        (other_kind, "expected kots.io/v1beta1, Airgap; found kots.io/v1beta1, Installer"),
        (other_group, "found troubleshoot.sh/v1beta2, Airgap"),
        (not_yaml, "not valid YAML: "),
        (not_a_mapping, "expected a mapping"),
        (not_utf8, "not valid YAML: 'utf-8' codec can't decode byte 0xff"),
        (images_no_list, "airgap.yaml: spec.savedImages: expected a list"),
        (nobodys, "neither of an application (no appSlug, no app.tar.gz) nor of the admin"),
    ],
)
def test_an_airgap_yaml_that_is_wrong_is_invalid_input(
    application: Path, tmp_path: Path, change: Callable[[Forge], None], message: str
) -> None:
    forge = Forge.open(application)
    change(forge)
    path = forge.write(tmp_path / "a.airgap")
    fault = only_fault(refused(path, InvalidInput))
    assert str(fault).startswith(f"archive {path}: airgap.yaml: ")
    assert message in str(fault)


def test_a_name_that_is_no_reference(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    bad_reference(forge)
    error = refused(forge.write(tmp_path / "a.airgap"), InvalidInput)
    assert "image reference 'docker.io/Harness/Manager:1'" in str(only_fault(error))


def test_an_application_without_its_app_archive(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    del forge.members["app.tar.gz"]
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert isinstance(fault, MissingContent)
    assert "app.tar.gz is not in it, and KOTS installs nothing else" in str(fault)


@pytest.mark.parametrize(
    "content", [b"", b"no gzip", gzip.compress(b"no tar", mtime=0), b"\x1f\x8b\x08"]
)
def test_a_damaged_app_archive(application: Path, tmp_path: Path, content: bytes) -> None:
    forge = Forge.open(application)
    forge.members["app.tar.gz"] = content
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert "app.tar.gz is damaged: " in str(fault)


def test_an_airgap_yaml_too_large_to_be_one(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    forge.members["airgap.yaml"] = b"#" * (5 << 20)
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert "airgap.yaml: 5242880 bytes are too many to be one" in str(fault)
