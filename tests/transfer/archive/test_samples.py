"""The sample archives are always the same, and share what they should."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.sample_archives import Release, Sample, write_all, write_application, write_console


def test_the_same_arguments_give_the_same_archives(
    samples: Mapping[str, Sample], tmp_path: Path
) -> None:
    for again in write_all(tmp_path, size=200_000):
        first = samples[again.path.name]
        assert again.path.read_bytes() == first.path.read_bytes()
        assert (again.images, again.blobs) == (first.images, first.blobs)
    assert {path.name for path in tmp_path.iterdir()} == set(samples)


def test_layers_are_shared_between_archives_and_releases(tmp_path: Path) -> None:
    first = write_application(tmp_path / "1", release=Release("1", 1), size=200_000)
    second = write_application(tmp_path / "2", release=Release("2", 2), size=200_000)
    console = write_console(tmp_path / "3", size=200_000)
    in_both = sum(first.blobs[digest] for digest in first.blobs.keys() & second.blobs.keys())
    assert sum(first.blobs.values()) * 0.3 < in_both < sum(first.blobs.values())
    assert max(first.blobs[digest] for digest in first.blobs.keys() & console.blobs.keys()) > 10_000


def test_the_size_is_about_what_was_asked_for(tmp_path: Path) -> None:
    sample = write_application(tmp_path / "a", size=3_000_000)
    assert 2_000_000 < sample.path.stat().st_size < 4_000_000


def test_it_runs_as_a_script_from_anywhere(tmp_path: Path) -> None:
    script = Path(__file__).parents[3] / "scripts/sample_archives.py"
    found = subprocess.run(
        [sys.executable, script, "out", "--size", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(found.stdout.splitlines()) == 7
    assert (tmp_path / "out/kotsadm.tar.gz").stat().st_size > 500_000
