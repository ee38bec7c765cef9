"""Our own wheel, made from the very code that runs: the same code gives the same bytes.

It makes no difference whether that code lies in a checkout or was installed from a wheel, this
one included. Nothing is compressed: another zlib would give other bytes. So that a site cannot
get a mixture that nobody tested, it requires exactly the versions that are carried with it.

Source: PEP 427 (wheels), PEP 376 (RECORD).
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable

from bundler.toolkit.requirements import INSTALLER, Requirement
from transfer import __version__
from transfer.disk import storage_errors

NAME = "harness-airgap"
COMMANDS = {"airgap-bundler": "bundler.cli:main", "airgap-mirror": "mirror.cli:main"}
"""The programs that the wheel installs, and the function that each one calls."""

WHEEL = f"{NAME.replace('-', '_')}-{__version__}-py3-none-any.whl"
"""The wheel's file name."""

_PACKAGES = ("bundler", "mirror", "transfer")
_INFO = f"{NAME.replace('-', '_')}-{__version__}.dist-info"
_OLDEST = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644
_WHEEL_FILE = f"""\
Wheel-Version: 1.0
Generator: airgap-bundler {__version__}
Root-Is-Purelib: true
Tag: py3-none-any
"""


def own_wheel(requirements: Sequence[Requirement]) -> bytes:
    """The wheel of the running toolkit, for a site that gets `requirements` with it.

    Raises:
        StorageError: its own files cannot be read.
    """
    files = dict(sorted(_code()))
    files[f"{_INFO}/METADATA"] = _metadata(requirements).encode()
    files[f"{_INFO}/WHEEL"] = _WHEEL_FILE.encode()
    files[f"{_INFO}/entry_points.txt"] = _entry_points().encode()
    files[f"{_INFO}/RECORD"] = _record(files).encode()
    return _zip(files)


def _code() -> Iterator[tuple[str, bytes]]:
    with storage_errors("the toolkit's own files"):
        for package in _PACKAGES:
            yield from _walk(importlib.resources.files(package), package)


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        name = f"{path}/{entry.name}"
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _walk(entry, name)
        else:
            yield name, entry.read_bytes()


def _metadata(requirements: Sequence[Requirement]) -> str:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {NAME}",
        f"Version: {__version__}",
        "License: Apache-2.0",
        "Requires-Python: >=3.11",
    ]
    for needed in requirements:
        marker = f" ; {needed.marker}" if needed.marker else ""
        if needed.name != INSTALLER:
            lines.append(f"Requires-Dist: {needed.name}=={needed.version}{marker}")
    return "\n".join(lines) + "\n"


def _entry_points() -> str:
    return "[console_scripts]\n" + "".join(f"{name} = {at}\n" for name, at in COMMANDS.items())


def _record(files: Mapping[str, bytes]) -> str:
    lines = [f"{path},sha256={_hash(content)},{len(content)}" for path, content in files.items()]
    return "\n".join([*lines, f"{_INFO}/RECORD,,"]) + "\n"


def _hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as wheel:
        for path, content in files.items():
            info = zipfile.ZipInfo(path, _OLDEST)
            info.create_system = 3  # Unix, whose modes the next line speaks of
            info.external_attr = _PLAIN_FILE << 16
            wheel.writestr(info, content)
    return buffer.getvalue()
