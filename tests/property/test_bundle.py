"""Whatever single thing is changed in a bundle, it is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transfer.bundles import make_bundle
from transfer.bundle import Bundle
from transfer.errors import CorruptBundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_bundle(tmp_path_factory.mktemp("property") / "bundle").path
    Bundle.read(path).verify()
    return path


def files(bundle: Path) -> list[Path]:
    return sorted(path for path in bundle.rglob("*") if path.is_file())


def refused(bundle: Path) -> bool:
    try:
        Bundle.read(bundle).verify()
    except CorruptBundle:
        return True
    return False


@given(data=st.data())
def test_any_single_changed_byte_is_found(bundle: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files(bundle)))
    raw = path.read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = bytes([raw[at] ^ data.draw(st.integers(1, 255))])
    try:
        path.write_bytes(raw[:at] + changed + raw[at + 1 :])
        assert refused(bundle)
    finally:
        path.write_bytes(raw)


@given(data=st.data())
def test_any_shorter_or_longer_file_is_found(bundle: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files(bundle)))
    raw = path.read_bytes()
    try:
        if data.draw(st.booleans()):
            path.write_bytes(raw + data.draw(st.binary(min_size=1, max_size=80)))
        else:
            os.truncate(path, data.draw(st.integers(0, len(raw) - 1)))
        assert refused(bundle)
    finally:
        path.write_bytes(raw)


@given(data=st.data())
def test_any_missing_or_renamed_file_is_found(bundle: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files(bundle)))
    folder = data.draw(st.sampled_from(sorted({path.parent for path in files(bundle)})))
    raw, moved = path.read_bytes(), folder / "moved"
    path.unlink()
    try:
        assert refused(bundle)
        moved.write_bytes(raw)
        assert refused(bundle)
    finally:
        moved.unlink(missing_ok=True)
        path.write_bytes(raw)
