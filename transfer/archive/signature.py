"""What kind of file somebody gave us, told from how it begins or what is in it."""

from __future__ import annotations

from collections.abc import Collection

_STARTS = (
    (b"PK\x03\x04", "it is a zip archive"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd"),
    (b"\xfd7zXZ\x00", "it is compressed with xz"),
    (b"BZh", "it is compressed with bzip2"),
    (b"\x7fELF", "it is a program"),
    (b"%PDF", "it is a PDF document"),
    (b"-----BEGIN", "it is a key, a certificate or a signature"),
    (b"<", "it is a web page or XML, perhaps the error page of a download"),
    (b"{", "it is JSON, perhaps the error message of a download"),
    (b"apiVersion:", "it is a YAML file"),
)
_TAR_MAGIC = slice(257, 262)


def describe(start: bytes) -> str:
    """What a file is that begins with `start` (512 bytes are enough)."""
    if start[_TAR_MAGIC] == b"ustar":
        return "it is a tar that is not compressed"
    text = start.lstrip()
    for magic, meaning in _STARTS:
        if text.startswith(magic):
            return meaning
    return f"it begins with {start[:4].hex(' ')}"


def describe_members(names: Collection[str]) -> str:
    """What a gzip tar is whose members are `names`, if it is none of the vendors' archives."""
    if "kots" in names:
        return "it looks like the kubectl-kots plugin"
    if "oci-layout" in names:
        return "it looks like an OCI image layout"
    if any(name.endswith((".yaml", ".yml")) for name in names):
        return "it looks like a release's Kubernetes files (app.tar.gz), without their archive"
    if not names:
        return "it is a tar with nothing in it"
    first = ", ".join(sorted(names)[:3])
    return f"it holds {first}"
