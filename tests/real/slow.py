"""A program that reads some files from a slow medium: strace holds each of its reads up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.tools import need
from transfer.http.transport import BLOCK

_READ = re.compile(r"read\(\d+<(?P<path>[^>]+)>")


def slowly(report: Path, files: Sequence[Path], speed: float) -> list[str | Path]:
    """Goes before a command: these files come with `speed` bytes a second, in blocks as we read.

    The report has a line for each read, in the order in which they began.
    """
    pause = round(1e6 * BLOCK / speed)
    paths = [word for file in files for word in ("-P", file)]
    trace = ["-e", "trace=read", "-e", f"inject=read:delay_exit={pause}"]
    return [need("strace"), "-f", "-y", "-qq", "-o", report, *trace, *paths]


def reads(report: Path) -> list[Path]:
    """The file of each read, in that order."""
    lines = report.read_text(errors="replace").splitlines()
    return [Path(found["path"]) for line in lines if (found := _READ.search(line))]
