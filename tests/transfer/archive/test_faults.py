"""Everything that can be wrong with an archive, each told in its own words."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scripts.sample_archives import Sample
from tests.transfer.archive.forge import Forge, link, messages
from transfer.archive import AirgapArchive
from transfer.errors import (
    CorruptArchive,
    DigestMismatch,
    InvalidInput,
    MissingContent,
    NotFound,
    SizeMismatch,
    StorageError,
    TransferError,
    UnexpectedFile,
    UnsafePath,
)

MANAGER = "docker.io/harness/harness-manager-signed:79915"
TREE = "images/docker/registry/v2"
ZEROS = "0" * 64


def refused(path: Path, kind: type[TransferError]) -> TransferError:
    with pytest.raises(kind) as caught:
        AirgapArchive.read(path).close()
    assert type(caught.value) is kind
    return caught.value


def only_fault(error: TransferError) -> TransferError:
    [fault] = error.faults
    return fault


# ---- the gzip file


def cut(raw: bytes) -> bytes:
    return raw[:-2]


def cut_in_the_middle(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def cut_after_the_magic(raw: bytes) -> bytes:
    return raw[:2]


def append_garbage(raw: bytes) -> bytes:
    return raw + b"garbage"


def append_zeros(raw: bytes) -> bytes:
    return raw + bytes(1024)


def append_one_byte(raw: bytes) -> bytes:
    return raw + b"\x1f"


def flip_the_checksum(raw: bytes) -> bytes:
    return raw[:-8] + bytes([raw[-8] ^ 1]) + raw[-7:]


def flip_the_length(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def damage_a_block(raw: bytes) -> bytes:
    return raw[:10] + b"\x07" + raw[11:]  # block type 3, which deflate does not have


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "ends in the middle of its compressed data, after {size} bytes: it was cut short"),
        (cut_in_the_middle, "after {size} bytes: it was cut short"),
        (cut_after_the_magic, "after 2 bytes: it was cut short"),
        (append_garbage, "7 bytes follow the end of its compressed data at byte {original}"),
        (append_zeros, "1024 bytes follow the end of its compressed data at byte {original}"),
        (append_one_byte, "1 bytes follow the end of its compressed data at byte {original}"),
        (flip_the_checksum, "its content does not match the checksum at its end"),
        (flip_the_length, "its content does not match the checksum at its end"),
        (damage_a_block, "its compressed data is damaged near byte"),
    ],
)
def test_a_damaged_gzip_file(
    application: Path, tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    original = application.read_bytes()
    damaged = damage(original)
    path = tmp_path / "a.airgap"
    path.write_bytes(damaged)
    fault = only_fault(refused(path, CorruptArchive))
    assert message.format(size=len(damaged), original=len(original)) in str(fault)
    assert str(fault).startswith(f"archive {path}: ")
    assert fault.hint is not None


def test_a_gzip_file_of_several_members_is_read(application: Path, tmp_path: Path) -> None:
    tar = gzip.decompress(application.read_bytes())
    parts = [tar[:100], tar[100:5000], b"", tar[5000:]]
    path = tmp_path / "a.airgap"
    path.write_bytes(b"".join(gzip.compress(part) for part in parts))
    with AirgapArchive.read(path) as archive:
        assert len(archive.record.images) == 5


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.airgap"
    path.touch()
    error = refused(path, CorruptArchive)
    assert str(error) == f"archive {path}: the file is empty"


def test_no_file(tmp_path: Path) -> None:
    assert "does not exist" in str(refused(tmp_path / "a.airgap", NotFound))


def test_a_folder(tmp_path: Path) -> None:
    assert "not a plain file" in str(refused(tmp_path, InvalidInput))


def test_a_file_that_cannot_be_opened() -> None:
    error = refused(Path("/proc/self/mem/a.airgap"), StorageError)
    assert str(error).startswith("archive /proc/self/mem/a.airgap: Not a directory")


def zip_file() -> bytes:
    with io.BytesIO() as stream:
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("a", "b")
        return stream.getvalue()


def plain_tar() -> bytes:
    return Forge({"airgap.yaml": b"kind: Airgap"}).tar()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (zip_file(), "it is a zip archive"),
        (plain_tar(), "it is a tar that is not compressed"),
        (b"\n<!DOCTYPE html><html>404", "it is a web page or XML, perhaps the error page"),
        (b'{"message": "Forbidden"}', "it is JSON, perhaps the error message of a download"),
        (b"\x28\xb5\x2f\xfd....", "it is compressed with zstd"),
        (b"\xfd7zXZ\x00....", "it is compressed with xz"),
        (b"apiVersion: v1\n", "it is a YAML file"),
        (b"\x7fELF....", "it is a program"),
        (b"abcd", "it begins with 61 62 63 64"),
    ],
)
def test_another_kind_of_file(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "a.airgap"
    path.write_bytes(content)
    error = refused(path, InvalidInput)
    assert str(error).startswith(f"archive {path}: not a gzip file; {what}")
    assert error.hint is not None


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["LICENSE", "README.md", "kots"], "it looks like the kubectl-kots plugin"),
        (["oci-layout", "index.json"], "it looks like an OCI image layout"),
        (["config.yaml", "chart.tgz"], "it looks like a release's Kubernetes files"),
        (["b", "a"], "it holds a, b"),
        ([], "it is a tar with nothing in it"),
    ],
)
def test_another_kind_of_tar(tmp_path: Path, names: list[str], what: str) -> None:
    path = Forge(dict.fromkeys(names, b"content")).write(tmp_path / "a.tar.gz")
    fault = only_fault(refused(path, InvalidInput))
    assert "holds neither airgap.yaml nor a docker-save manifest.json" in str(fault)
    assert what in str(fault)


# ---- the tar in it


def absolute(forge: Forge) -> None:
    forge.members["/etc/passwd"] = b""


def escaping(forge: Forge) -> None:
    forge.members["images/../../etc/passwd"] = b""


def not_printable(forge: Forge) -> None:
    forge.members["images/a\x1bb"] = b""


def backslash(forge: Forge) -> None:
    forge.members["images\\a"] = b""


def symlink(forge: Forge) -> None:
    forge.odd.append(link("images/link", "airgap.yaml"))


def symlink_outside(forge: Forge) -> None:
    forge.odd.append(link("link", "../airgap.yaml"))


def symlink_to_the_root(forge: Forge) -> None:
    forge.odd.append(link("link", "/etc/passwd"))


def hard_link(forge: Forge) -> None:
    forge.odd.append(link("link", "airgap.yaml", tarfile.LNKTYPE))


def device(forge: Forge) -> None:
    forge.odd.append(link("null", "", tarfile.CHRTYPE))


def duplicate(forge: Forge) -> None:
    forge.odd.append(link("airgap.yaml", "", tarfile.REGTYPE))


def dotted_duplicate(forge: Forge) -> None:
    forge.members["./airgap.yaml"] = forge.members["airgap.yaml"]


UNSAFE = "the name leaves the archive or is not plain"


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (absolute, UnsafePath, f"'/etc/passwd': {UNSAFE}"),
        (escaping, UnsafePath, f"'images/../../etc/passwd': {UNSAFE}"),
        (not_printable, UnsafePath, rf"'images/a\x1bb': {UNSAFE}"),
        (backslash, UnsafePath, rf"'images\\a': {UNSAFE}"),
        (symlink, UnsafePath, "'images/link': a link, where only plain files are expected"),
        (symlink_outside, UnsafePath, "'link': a link out of the archive, to '../airgap.yaml'"),
        (symlink_to_the_root, UnsafePath, "'link': a link out of the archive, to '/etc/passwd'"),
        (hard_link, UnsafePath, "'link': a hard link to 'airgap.yaml', where only plain files"),
        (device, UnsafePath, "'null': a device or a pipe, where only plain files are expected"),
        (duplicate, UnexpectedFile, "airgap.yaml is in it twice"),
        (dotted_duplicate, UnexpectedFile, "airgap.yaml is in it twice"),
    ],
)
def test_an_unsafe_member(
    application: Path,
    tmp_path: Path,
    change: Callable[[Forge], None],
    kind: type[TransferError],
    message: str,
) -> None:
    forge = Forge.open(application)
    change(forge)
    path = forge.write(tmp_path / "a.airgap")
    fault = only_fault(refused(path, CorruptArchive))
    assert isinstance(fault, kind)
    assert str(fault).startswith(f"archive {path}: {message}")


def header_flipped(tar: bytearray) -> None:
    tar[tar.index(b"app.tar.gz") + 3] ^= 1


def end_missing(tar: bytearray) -> None:
    del tar[len(tar.rstrip(b"\0")) // 512 * 512 + 512 :]


def cut_in_a_blob(tar: bytearray) -> None:
    name = re.findall(rb"images/[^\0]*/data", tar)[-1]
    del tar[tar.index(name) + 512 + 100 :]


def cut_in_a_member(tar: bytearray) -> None:
    del tar[tar.index(b"app.tar.gz") + 512 + 100 :]


def goes_on(tar: bytearray) -> None:
    tar += b"more".ljust(512, b"\0")


def negative_size(tar: bytearray) -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"size": "-1024"}
    tar[:0] = info.tobuf(tarfile.PAX_FORMAT)


def huge_extended_header(tar: bytearray) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 33
    tar[:0] = info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (header_flipped, "(a header that is none)"),
        (end_missing, "(it ends without its end mark: it was cut short)"),
        (cut_in_a_member, "(unexpected end of data)"),
        (cut_in_a_blob, " bytes before it should"),
        (goes_on, "(data after its end mark)"),
        (negative_size, "(a member of -1024 bytes)"),
        (huge_extended_header, "(a header of 8589934592 bytes)"),
    ],
)
def test_a_damaged_tar(
    application: Path, tmp_path: Path, damage: Callable[[bytearray], None], message: str
) -> None:
    tar = bytearray(gzip.decompress(application.read_bytes()))
    damage(tar)
    path = tmp_path / "a.airgap"
    path.write_bytes(gzip.compress(tar))
    assert message in str(only_fault(refused(path, CorruptArchive)))


# ---- airgap.yaml


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


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"no tar"), b"\x1f\x8b\x08"])
def test_a_damaged_app_archive(application: Path, tmp_path: Path, content: bytes) -> None:
    forge = Forge.open(application)
    forge.members["app.tar.gz"] = content
    fault = only_fault(refused(forge.write(tmp_path / "a.airgap"), CorruptArchive))
    assert "app.tar.gz is damaged: " in str(fault)


# ---- the storage tree of a registry


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


# ---- docker-save archives


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


# ---- several at once


def test_everything_that_is_wrong_is_told_at_once(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    escaping(forge)
    symlink(forge)
    duplicate(forge)
    del forge.members[forge.find("/harness-manager-signed/_manifests/tags/79915/current/")]
    name = forge.find("/data")
    forge.members[name] += b"x"
    forge.members["app.tar.gz"] = b"no gzip"
    path = forge.write(tmp_path / "a.airgap")
    error = refused(path, CorruptArchive)
    assert str(error) == f"archive {path}: 6 faults"
    kinds = sorted(type(fault).__name__ for fault in error.faults)
    assert kinds == [
        "CorruptArchive",
        "DigestMismatch",
        "MissingContent",
        "UnexpectedFile",
        "UnsafePath",
        "UnsafePath",
    ]


def test_faults_of_a_file_cut_short_are_those_of_what_is_there(
    application: Path, tmp_path: Path
) -> None:
    forge = Forge.open(application)
    name = forge.find("/data")
    forge.members[name] += b"x"
    unknown_format(forge)
    path = forge.write(tmp_path / "a.airgap")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) - len(raw) // 4])
    error = refused(path, CorruptArchive)
    cut_short, wrong, invalid = messages(error)
    assert "it was cut short" in cut_short
    assert "hash to" in wrong
    assert "spec.format" in invalid


def test_a_refused_archive_leaves_no_file_open(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    unknown_format(forge)
    path = forge.write(tmp_path / "a.airgap")
    before = len(list(Path("/proc/self/fd").iterdir()))
    refused(path, InvalidInput)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
