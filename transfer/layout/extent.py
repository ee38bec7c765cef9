"""Where on its medium a file begins, as far as the file system tells.

Source: Linux, Documentation/filesystems/fiemap.rst; FIBMAP of ioctl_fat and others is for root.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

_FIEMAP = 0xC020660B
_FIBMAP = 1
_REQUEST = struct.Struct("=QQLLLL")
"""Start and length of the part asked for, flags, extents found, extents that fit, reserved."""
_EXTENT = struct.Struct("=QQQ32x")
"""Where in the file, where on the medium, bytes."""
_WHOLE = (1 << 64) - 1


def place_on_medium(path: Path) -> int | None:
    """A number that grows with the distance of a file's first byte from the start of its medium.

    None where nobody knows: on a network, in memory, or no such file.
    """
    with suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _by_extent(fd)
        except OSError:
            return _by_block(fd)
        finally:
            os.close(fd)
    return None


def _by_extent(fd: int) -> int | None:
    buffer = bytearray(_REQUEST.size + _EXTENT.size)
    _REQUEST.pack_into(buffer, 0, 0, _WHOLE, 0, 0, 1, 0)
    fcntl.ioctl(fd, _FIEMAP, buffer)
    found = _REQUEST.unpack_from(buffer)[3]
    _, physical, _ = _EXTENT.unpack_from(buffer, _REQUEST.size)
    return physical if found and physical else None  # 0: not written there yet


def _by_block(fd: int) -> int | None:
    """For FAT and others without extents; the number of the block, 0 for none."""
    buffer = bytearray(struct.pack("=i", 0))
    fcntl.ioctl(fd, _FIBMAP, buffer)
    (block,) = struct.unpack("=I", buffer)
    return block or None
