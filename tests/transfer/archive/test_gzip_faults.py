"""What can be wrong with the file itself, each told in its own words."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfer.archive.forge import Forge, only_fault, refused
from transfer.archive import AirgapArchive
from transfer.errors import (
    CorruptArchive,
    InvalidInput,
    NotFound,
    StorageError,
)


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
