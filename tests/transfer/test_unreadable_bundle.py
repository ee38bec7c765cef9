"""A bundle that this user may not read is not called damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.transfer.bundles import make_bundle
from transfer.bundle import Bundle
from transfer.errors import CorruptBundle, IntegrityError, StorageError, TransferError
from transfer.layout import OciLayout
from transfer.verify import verify

SMALL = ("SHA256SUMS", "bundle.json", "index.json", "oci-layout", "README.txt")


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Below the folder that one is in: those above it are only for whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    make_bundle(tmp_path / "bundle")
    return Path("bundle")


@contextmanager
def nobody() -> Iterator[None]:
    """Root may read everything."""
    before = os.geteuid()
    if not before:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def blob_of(bundle: Path) -> Path:
    (image, *_) = Bundle.read(bundle).images
    return bundle / "blobs/sha256" / image.root.digest.encoded


@pytest.mark.parametrize("name", SMALL)
def test_a_small_file(bundle: Path, name: str) -> None:
    (bundle / name).chmod(0)
    with nobody(), pytest.raises(StorageError) as caught:
        Bundle.read(bundle)
    faults = caught.value.faults or (caught.value,)
    assert [f"{name}: Permission denied" in fault.message for fault in faults] == [True]
    assert faults[0].hint == "check who owns it and what its mode allows"


def test_a_folder(bundle: Path) -> None:
    (bundle / "blobs").chmod(0)
    with nobody(), pytest.raises(StorageError, match="Permission denied"):
        Bundle.read(bundle)


def test_a_manifest(bundle: Path) -> None:
    blob_of(bundle).chmod(0)
    with nobody(), pytest.raises(StorageError, match="1 file cannot be read; nothing of it was"):
        Bundle.read(bundle)


@pytest.mark.parametrize("files", [1, 3])
def test_whatever_is_read_to_verify_it(bundle: Path, files: int) -> None:
    for path in sorted((bundle / "blobs/sha256").iterdir())[:files]:
        path.chmod(0)
    opened = Bundle.read(bundle)
    noun = "1 file" if files == 1 else f"{files} files"
    with nobody(), pytest.raises(StorageError, match=f"{noun} cannot be read") as caught:
        opened.verify()
    assert len(caught.value.faults) == files
    one = min(path.relative_to(bundle).as_posix() for path in bundle.rglob("sha256/*"))
    with nobody(), pytest.raises(StorageError, match="1 file cannot be read"):
        opened.check_files([one])


def test_a_bundle_that_is_damaged_too_is_damaged(bundle: Path) -> None:
    first, second, *_ = sorted((bundle / "blobs/sha256").iterdir())
    first.chmod(0)
    opened = Bundle.read(bundle)
    second.write_bytes(second.read_bytes()[:-1] + b"?")
    with nobody(), pytest.raises(CorruptBundle, match="2 faults") as caught:
        opened.verify()
    assert {type(fault) for fault in caught.value.faults} >= {StorageError}


@pytest.mark.parametrize(
    ("damage", "kind", "told"),
    [(False, StorageError, "1 of 2 sources cannot be"), (True, IntegrityError, "2 of 2 sources")],
)
def test_sources_are_proven_one_by_one(
    bundle: Path, *, damage: bool, kind: type[TransferError], told: str
) -> None:
    other = Path("other")
    make_bundle(other)
    (bundle / "bundle.json").chmod(0)
    if damage:
        (other / "README.txt").write_text("?")
    with nobody(), pytest.raises(kind, match=told) as caught:
        verify([bundle, other], jobs=1)
    assert type(caught.value) is kind


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_a_site_store(bundle: Path, name: str) -> None:
    (bundle / name).chmod(0)
    with nobody(), pytest.raises(StorageError, match="Permission denied"):
        OciLayout.read(bundle).images()
