"""Everything that is wrong with an archive is told at once."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.transfer.archive.forge import Forge, link, messages, refused
from transfer.errors import (
    CorruptArchive,
    InvalidInput,
)


def test_everything_that_is_wrong_is_told_at_once(application: Path, tmp_path: Path) -> None:
    forge = Forge.open(application)
    forge.members["images/../../etc/passwd"] = b""
    forge.odd.append(link("images/link", "airgap.yaml"))
    forge.odd.append(tarfile.TarInfo("airgap.yaml"))
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
    forge.edit("airgap.yaml", 'format: "docker"', 'format: "oci"')
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
    forge.edit("airgap.yaml", 'format: "docker"', 'format: "oci"')
    path = forge.write(tmp_path / "a.airgap")
    before = len(list(Path("/proc/self/fd").iterdir()))
    refused(path, InvalidInput)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
