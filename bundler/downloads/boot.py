"""Whether the machine went down meanwhile: then only what its disk had confirmed is there.

What was written and not confirmed is in the memory of the kernel, however a process ends; a machine
that goes down loses it, and may show zeros in its place. The kernel's boot ID tells one start of
the machine from the next.
"""

from __future__ import annotations

from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Changes when the machine starts; "" where nobody tells."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def is_this_boot(noted: object) -> bool:
    """Whether what was noted is the boot ID of now; False where nobody tells."""
    return bool(noted) and noted == boot_id()
