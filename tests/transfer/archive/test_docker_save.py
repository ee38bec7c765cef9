"""What can be wrong with docker-save archives, alone and inside another."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scripts.sample_archives import Sample
from tests.transfer.archive.forge import Forge, link, messages, only_fault, refused
from transfer.errors import (
    CorruptArchive,
    InvalidInput,
)


def layer_flipped(forge: Forge) -> None:
    name = forge.find("layer.tar") if any("layer.tar" in n for n in forge.members) else ""
    name = name or forge.find(".tar")
    content = bytearray(forge.members[name])
    content[len(content) // 2] ^= 1
    forge.members[name] = bytes(content)


def layer_missing(forge: Forge) -> None:
    del forge.members[forge.find(".tar")]


def config_missing(forge: Forge) -> None:
    del forge.members[config_of(forge)]


def config_flipped(forge: Forge) -> None:
    forge.edit(config_of(forge), "amd64", "arm64")


def config_without_layers(forge: Forge) -> None:
    forge.edit("manifest.json", config_of(forge), "c.json")
    forge.members["c.json"] = b"{}"


def config_with_fewer_layers(forge: Forge) -> None:
    config = json.loads(forge.members[config_of(forge)])
    config["rootfs"]["diff_ids"].pop()
    forge.edit("manifest.json", config_of(forge), "c.json")
    forge.members["c.json"] = json.dumps(config).encode()


def no_manifest(forge: Forge) -> None:
    forge.members["manifest.json"] = b'{"a": 1}'


def broken_manifest(forge: Forge) -> None:
    forge.members["manifest.json"] = b"[{"


def undescribed(forge: Forge) -> None:
    forge.members["manifest.json"] = b'[{"Layers": [1]}]'


def config_of(forge: Forge) -> str:
    return str(json.loads(forge.members["manifest.json"])[0]["Config"])


SAVED = [
    (layer_flipped, ": expected sha256:"),
    (layer_missing, ".tar is not in it"),
    (config_missing, ".json is not in it"),
    (config_flipped, " bytes hash to sha256:"),
    (config_without_layers, "c.json does not name the image's layers"),
    (config_with_fewer_layers, "3 layers, and 2 in its configuration"),
    (no_manifest, "manifest.json is not a list of images"),
    (broken_manifest, "manifest.json: not JSON: "),
    (undescribed, "manifest.json: an image is not described"),
]


@pytest.mark.parametrize(("change", "message"), SAVED)
def test_a_module_that_is_wrong(
    module: Path, tmp_path: Path, change: Callable[[Forge], None], message: str
) -> None:
    forge = Forge.open(module)
    change(forge)
    path = forge.write(tmp_path / "m.tgz")
    found = messages(refused(path, CorruptArchive))
    assert any(message in text for text in found), found
    assert all(text.startswith(f"archive {path}: ") for text in found)


@pytest.mark.parametrize(("change", "message"), SAVED)
def test_a_docker_archive_that_is_wrong(
    docker_archive: Path, tmp_path: Path, change: Callable[[Forge], None], message: str
) -> None:
    forge = Forge.open(docker_archive)
    name = forge.find("harness-manager-signed")
    forge.edit_inside(name, change)
    path = forge.write(tmp_path / "a.airgap")
    found = messages(refused(path, CorruptArchive))
    assert any(message in text for text in found), found
    assert all(text.startswith(f"archive {path}: {name}: ") for text in found)


def test_a_docker_archive_that_is_no_tar(docker_archive: Path, tmp_path: Path) -> None:
    forge = Forge.open(docker_archive)
    name = forge.find("harness-manager-signed")
    forge.members[name] = b"no tar".ljust(2048)
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert f"{name}: the tar is damaged near byte 512" in str(fault)


def test_a_docker_archive_with_two_images(
    docker_archive: Path, module: Path, tmp_path: Path
) -> None:
    forge = Forge.open(docker_archive)
    forge.members[forge.find("harness-manager-signed")] = gzip.decompress(module.read_bytes())
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert "holds 2 images, expected one" in str(fault)


def test_a_module_whose_image_has_no_name(module: Path, tmp_path: Path) -> None:
    forge = Forge.open(module)
    forge.edit("manifest.json", '["harness/gateway:1.20.0"]', "null")
    fault = only_fault(refused(forge.write(tmp_path / "m.tgz"), CorruptArchive))
    assert "has no name (RepoTags)" in str(fault)


def test_a_module_with_one_name_for_two_images(module: Path, tmp_path: Path) -> None:
    forge = Forge.open(module)
    forge.edit("manifest.json", "platform-service:latest", "gateway:1.20.0")
    error = refused(forge.write(tmp_path / "m.tgz"), InvalidInput)
    assert "two images have the name harness/gateway:1.20.0" in str(only_fault(error))


def test_a_damaged_compressed_layer(module: Path, tmp_path: Path) -> None:
    forge = Forge.open(module)
    name = forge.find(".tar")
    forge.members[name] = gzip.compress(forge.members[name])[:-4]
    found = messages(refused(forge.write(tmp_path / "m.tgz"), CorruptArchive))
    assert any(f"{name}: a damaged gzip file" in text for text in found), found


def test_an_old_console_without_the_consoles_image(
    samples: Mapping[str, Sample], tmp_path: Path
) -> None:
    forge = Forge.open(samples["kotsadm-1.106.tar.gz"].path)
    del forge.members[forge.find("/kotsadm/")]
    fault = only_fault(refused(forge.write(tmp_path / "k.tar.gz"), CorruptArchive))
    assert "docker-archive/ holds no image kotsadm/kotsadm" in str(fault)


def test_an_old_console_with_a_link(samples: Mapping[str, Sample], tmp_path: Path) -> None:
    forge = Forge.open(samples["kotsadm-1.106.tar.gz"].path)
    forge.odd.append(link("docker-archive/link", "kotsadm"))
    fault = only_fault(refused(forge.write(tmp_path / "k.tar.gz"), CorruptArchive))
    assert "'docker-archive/link': a link, where only plain files are expected" in str(fault)
