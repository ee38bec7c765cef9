"""A program that reads some files from a slow medium: strace holds each of its reads up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.tools import need
from transfer.http.transport import BLOCK

_BEGUN = re.compile(r"^(?P<thread>\d+) +read\(\d+<(?P<path>[^>]+)>")
_ENDED = re.compile(r"^(?P<thread>\d+) +.*\) += (?P<count>\d+)")


def slowly(
    report: Path, files: Sequence[Path], speed: float, block: int = BLOCK
) -> list[str | Path]:
    """Goes before a command: these files come with `speed` bytes a second, read by the `block`.

    The report is for `reads`.
    """
    pause = round(1e6 * block / speed)
    paths = [word for file in files for word in ("-P", file)]
    trace = ["-e", "trace=read", "-e", f"inject=read:delay_exit={pause}"]
    return [need("strace"), "-f", "-y", "-qq", "-o", report, *trace, *paths]


def reads(report: Path) -> list[Path]:
    """The file of each read that gave something, in the order in which they began."""
    begun: list[tuple[Path, bool]] = []
    of_thread: dict[str, int] = {}
    for line in report.read_text(errors="replace").splitlines():
        if found := _BEGUN.search(line):
            of_thread[found["thread"]] = len(begun)
            begun.append((Path(found["path"]), False))
        if ended := _ENDED.search(line):
            at = of_thread[ended["thread"]]
            begun[at] = begun[at][0], int(ended["count"]) > 0
    return [path for path, gave in begun if gave]
