"""Disks that are small or read-only: a tmpfs, mounted for one test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import run
from tests.tools import need


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of `size` (as `4m`) mounted at `folder`; needs the right to mount."""
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs"]
    done = subprocess.run(
        [need("mount"), *options, folder], check=False, capture_output=True, text=True
    )
    if done.returncode:
        message = f"a tmpfs cannot be mounted: {done.stderr.strip()}"
        if os.environ.get("AIRGAP_REQUIRE_REAL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    try:
        yield folder
    finally:
        run([need("umount"), folder])


def make_read_only(disk: Path) -> None:
    """From now on nothing can be written to a disk that `small_disk` mounted."""
    run([need("mount"), "-o", "remount,ro", disk])


def make_larger(disk: Path, size: str) -> None:
    """Give a disk that `small_disk` mounted more room."""
    run([need("mount"), "-o", f"remount,size={size}", disk])
