"""The version of a kubectl-kots, read out of its archive; nothing of it is run.

KOTS's release sets it when it links the program, and the flags of that are kept in it by Go (KOTS:
deploy/.goreleaser.yaml; `go version -m` shows them too).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from transfer.archive.gzipstream import GzipFile
from transfer.archive.tarscan import Section, scan_tar
from transfer.errors import CorruptArchive, InvalidInput, NotFound, TransferError

MAX_PROGRAM = 1 << 30
"""Bytes of it that are looked at; it has some 200 MB."""

_BLOCK = 256 * 1024
_OVERLAP = 256
_VERSION = re.compile(
    rb"replicatedhq/kots/pkg/buildversion\.version=v?([0-9][0-9A-Za-z.+_-]{0,63})[^0-9A-Za-z.+_-]"
)


def plugin_version(path: Path) -> str | None:
    """The version that a kubectl-kots archive says of itself, without `v`; None without any.

    Raises:
        NotFound, StorageError: it cannot be read.
    """
    faults: list[TransferError] = []
    try:
        with GzipFile(path) as file:
            for member in scan_tar(file.open(0), file.what, faults, links=True):
                if member.name.rpartition("/")[2] in ("kots", "kubectl-kots") and member.size:
                    return _find(member.content)
    except (CorruptArchive, InvalidInput):
        pass  # whether it is what was promised is asked elsewhere
    return None


def copy_program(path: Path, member: str, out: BinaryIO) -> None:
    """Write the program `member` of a kubectl-kots archive to `out`.

    Raises:
        NotFound: it is not in there, or there is no such archive.
        CorruptArchive: it is damaged.
        StorageError: it cannot be read.
    """
    faults: list[TransferError] = []
    with GzipFile(path) as file:
        for found in scan_tar(file.open(0), file.what, faults, links=True):
            if found.name.rpartition("/")[2] == member and found.size:
                while block := found.content.read(_BLOCK):
                    out.write(block)
                return
        raise faults[0] if faults else NotFound(f"{path}: has no program {member} in it")


def _find(program: Section) -> str | None:
    for text in _windows(program):
        if found := _VERSION.search(text):
            return found[1].decode()
    return None


def _windows(program: Section) -> Iterator[bytes]:
    """The program, block by block, each with the end of the one before it."""
    left, end = MAX_PROGRAM, b""
    while left > 0 and (block := program.read(_BLOCK)):
        left -= len(block)
        window = end + block
        yield window
        end = window[-_OVERLAP:]
