"""Bundles made to exhaust whoever opens them, or to write lines in our name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfer.bundles import make_bundle
from transfer.bundle import Bundle, checksums, tree
from transfer.console import describe
from transfer.disk import MAX_FILE
from transfer.errors import IntegrityError
from transfer.layout import OciLayout


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "bundle").path


def grow(path: str) -> Callable[[Path], None]:
    """A hole that takes no room on the disk."""
    return lambda bundle: os.truncate(bundle / path, 1 << 40)


def rewrite(path: str, content: bytes) -> Callable[[Path], None]:
    """Other content, and SHA256SUMS with it."""

    def tamper(bundle: Path) -> None:
        file, sums = bundle / path, bundle / "SHA256SUMS"
        before = hashlib.sha256(file.read_bytes()).hexdigest()
        file.write_bytes(content)
        after = hashlib.sha256(content).hexdigest()
        sums.write_text(sums.read_text().replace(before, after))

    return tamper


def lines(bundle: Path) -> None:
    (bundle / "SHA256SUMS").write_bytes(b"\n" * 1_000_000)


def forging_name(bundle: Path) -> None:
    (bundle / "a\x1b[31m\nerror: b").touch()


def forging_link(bundle: Path) -> None:
    (bundle / "a\rb").symlink_to("/etc/passwd")


def name_that_is_no_text(bundle: Path) -> None:
    (bundle / os.fsdecode(b"a\xff")).touch()


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (grow("SHA256SUMS"), f"SHA256SUMS: has more than {MAX_FILE} bytes"),
        (grow("bundle.json"), "bundle.json: has 1099511627776 bytes, more than any such file"),
        (grow("index.json"), "index.json: has 1099511627776 bytes, more than any such file"),
        (grow("oci-layout"), "oci-layout: has 1099511627776 bytes, more than any such file"),
        (grow("README.txt"), "README.txt: has 1099511627776 bytes, more than any such file"),
        (lines, "SHA256SUMS: more such lines follow"),
        (rewrite("bundle.json", b"[" * 200_000), "not valid JSON: maximum recursion depth"),
        (rewrite("bundle.json", b"9" * 5000), "bundle.json: not valid JSON: Exceeds the limit"),
        (rewrite("index.json", b"[" * 200_000), "index.json: not JSON"),
        (rewrite("oci-layout", b"[" * 200_000), "oci-layout: no imageLayoutVersion in it"),
        (forging_name, r"a\x1b[31m\nerror: b: not listed in SHA256SUMS"),
        (forging_link, r"a\rb: a link, not a plain file"),
        (name_that_is_no_text, r"a\udcff: not listed in SHA256SUMS"),
    ],
)
def test_a_bundle_made_to_harm(bundle: Path, tamper: Callable[[Path], None], said: str) -> None:
    tamper(bundle)
    with pytest.raises(IntegrityError) as caught:
        Bundle.read(bundle)
    text = describe(caught.value)
    assert said in text
    assert len(text.splitlines()) < checksums.MAX_FAULTS + 30


def test_files_without_end(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_ENTRIES", 20)
    for i in range(30):
        (bundle / "files" / str(i)).mkdir()
    with pytest.raises(IntegrityError, match="more than 20 files and folders"):
        Bundle.read(bundle)


@pytest.mark.parametrize("name", ["oci-layout", "index.json"])
def test_a_layout_is_bounded_as_well(bundle: Path, name: str) -> None:
    os.truncate(bundle / name, 1 << 40)
    with pytest.raises(IntegrityError, match=f"{name}: has more than {MAX_FILE} bytes"):
        OciLayout.read(bundle).images()
