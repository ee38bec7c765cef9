"""What can be wrong with the tar in an archive, each told in its own words."""

from __future__ import annotations

import gzip
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfer.archive.forge import Forge, link, only_fault, refused
from transfer.errors import (
    CorruptArchive,
    TransferError,
    UnexpectedFile,
    UnsafePath,
)


def absolute(forge: Forge) -> None:
    forge.members["/etc/passwd"] = b""


def escaping(forge: Forge) -> None:
    forge.members["images/../../etc/passwd"] = b""


def not_printable(forge: Forge) -> None:
    forge.members["images/a\x1bb"] = b""


def backslash(forge: Forge) -> None:
    forge.members["images\\a"] = b""


def symlink(forge: Forge) -> None:
    forge.odd.append(link("images/link", "airgap.yaml"))


def symlink_outside(forge: Forge) -> None:
    forge.odd.append(link("link", "../airgap.yaml"))


def symlink_to_the_root(forge: Forge) -> None:
    forge.odd.append(link("link", "/etc/passwd"))


def hard_link(forge: Forge) -> None:
    forge.odd.append(link("link", "airgap.yaml", tarfile.LNKTYPE))


def device(forge: Forge) -> None:
    forge.odd.append(link("null", "", tarfile.CHRTYPE))


def duplicate(forge: Forge) -> None:
    forge.odd.append(link("airgap.yaml", "", tarfile.REGTYPE))


def dotted_duplicate(forge: Forge) -> None:
    forge.members["./airgap.yaml"] = forge.members["airgap.yaml"]


UNSAFE = "the name leaves the archive or is not plain"


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (absolute, UnsafePath, f"'/etc/passwd': {UNSAFE}"),
        (escaping, UnsafePath, f"'images/../../etc/passwd': {UNSAFE}"),
        (not_printable, UnsafePath, rf"'images/a\x1bb': {UNSAFE}"),
        (backslash, UnsafePath, rf"'images\\a': {UNSAFE}"),
        (symlink, UnsafePath, "'images/link': a link, where only plain files are expected"),
        (symlink_outside, UnsafePath, "'link': a link out of the archive, to '../airgap.yaml'"),
        (symlink_to_the_root, UnsafePath, "'link': a link out of the archive, to '/etc/passwd'"),
        (hard_link, UnsafePath, "'link': a hard link to 'airgap.yaml', where only plain files"),
        (device, UnsafePath, "'null': a device or a pipe, where only plain files are expected"),
        (duplicate, UnexpectedFile, "airgap.yaml is in it twice"),
        (dotted_duplicate, UnexpectedFile, "airgap.yaml is in it twice"),
    ],
)
def test_an_unsafe_member(
    application: Path,
    tmp_path: Path,
    change: Callable[[Forge], None],
    kind: type[TransferError],
    message: str,
) -> None:
    forge = Forge.open(application)
    change(forge)
    path = forge.write(tmp_path / "a.airgap")
    fault = only_fault(refused(path, CorruptArchive))
    assert isinstance(fault, kind)
    assert str(fault).startswith(f"archive {path}: {message}")


def header_flipped(tar: bytearray) -> None:
    tar[tar.index(b"app.tar.gz") + 3] ^= 1


def end_missing(tar: bytearray) -> None:
    del tar[len(tar.rstrip(b"\0")) // 512 * 512 + 512 :]


def cut_in_a_blob(tar: bytearray) -> None:
    name = re.findall(rb"images/[^\0]*/data", tar)[-1]
    del tar[tar.index(name) + 2 * 512 + 100 :]


def cut_in_a_member(tar: bytearray) -> None:
    del tar[tar.index(b"app.tar.gz") + 512 + 100 :]


def goes_on(tar: bytearray) -> None:
    tar += b"more".ljust(512, b"\0")


def negative_size(tar: bytearray) -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"size": "-1024"}
    tar[:0] = info.tobuf(tarfile.PAX_FORMAT)


def huge_extended_header(tar: bytearray) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 33
    tar[:0] = info.tobuf(tarfile.GNU_FORMAT)


def chained_headers(tar: bytearray) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2
    tar[:0] = (info.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")) * 2000


def global_header(tar: bytearray) -> None:
    records = {f"key{i}": "value" for i in range(200)}
    tar[:0] = tarfile.TarInfo.create_pax_global_header(records)


def number_without_end(tar: bytearray) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 50_000
    tar[:0] = info.tobuf(tarfile.GNU_FORMAT) + (b"1" * 50_000).ljust(50_176, b"\0")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (header_flipped, "(a header that is none)"),
        (end_missing, "(it ends without its end mark: it was cut short)"),
        (cut_in_a_member, "(unexpected end of data)"),
        (cut_in_a_blob, " bytes before it should"),
        (goes_on, "(data after its end mark)"),
        (negative_size, "(a member of -1024 bytes)"),
        (huge_extended_header, "(a member with more than 65536 bytes of headers)"),
        (chained_headers, "(a member with more than 65536 bytes of headers)"),
        (global_header, "(more than 100 global records)"),
        (number_without_end, "(a header of digits)"),
    ],
)
def test_a_damaged_tar(
    application: Path, tmp_path: Path, damage: Callable[[bytearray], None], message: str
) -> None:
    tar = bytearray(gzip.decompress(application.read_bytes()))
    damage(tar)
    path = tmp_path / "a.airgap"
    path.write_bytes(gzip.compress(tar))
    assert message in str(only_fault(refused(path, CorruptArchive)))
