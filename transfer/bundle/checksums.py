"""`SHA256SUMS`: every other file of a bundle, in the form that `sha256sum -c` reads.

One line a file: 64 hexadecimal digits, two blanks, the path; sorted by the path's bytes. The
escapes of coreutils (a leading backslash) never occur, because such paths are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from transfer.contents import is_bundle_path
from transfer.digest import Digest
from transfer.errors import IntegrityError, TransferError

CHECKSUMS_FILE = "SHA256SUMS"
SIGNATURE_FILE = "SHA256SUMS.sig"
"""Optional, and the one file that cannot be listed."""

MAX_FAULTS = 100
"""Lines that are wrong, after which it is another file."""

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def dump_checksums(sums: Mapping[str, Digest]) -> bytes:
    """The bytes of `SHA256SUMS`."""
    lines = (f"{sums[path].encoded}  {path}\n" for path in sorted(sums, key=str.encode))
    return "".join(lines).encode()


def parse_checksums(raw: bytes, what: str) -> tuple[dict[str, Digest], list[TransferError]]:
    """Read `SHA256SUMS`; `what` names the file in messages.

    Returns:
        The digest of each path, and what is wrong with the file.
    """
    sums: dict[str, Digest] = {}
    faults: list[TransferError] = []
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return {}, [IntegrityError(f"{what}: not UTF-8: {error}")]
    *lines, rest = text.split("\n")
    if rest:
        faults.append(IntegrityError(f"{what}: does not end with a newline: it was cut short"))
    for number, line in enumerate(lines, start=1):
        if len(faults) > MAX_FAULTS:
            faults.append(IntegrityError(f"{what}: more such lines follow"))
            break
        matched = _LINE.fullmatch(line)
        if matched is None:
            faults.append(IntegrityError(f"{what}: line {number}: not a digest and a path"))
        elif not is_bundle_path(matched[2]):
            faults.append(
                IntegrityError(f"{what}: line {number}: not a path inside: {matched[2]!r}")
            )
        else:
            sums[matched[2]] = Digest("sha256", matched[1])
    if not faults and dump_checksums(sums) != raw:
        faults.append(IntegrityError(f"{what}: not sorted by path, or a path stands twice"))
    return sums, faults
