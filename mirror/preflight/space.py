"""Whether archives fit where they are put together, and where KOTS unpacks them."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.preflight.finding import Found, failed, passed
from mirror.preflight.model import Seen
from transfer.text import human_bytes


def check_space(seen: Seen) -> Iterator[Found]:
    """Archives that are put together for KOTS stay, and KOTS unpacks the largest beside them."""
    folder = seen.case.unpacked_in
    if folder is None:
        yield passed("this machine", "nothing needed: KOTS gets archives without images")
        return
    needed = sum(answer.get().room for answer in seen.console.ways.values())
    free = seen.machine.free.get()
    told = f"{human_bytes(free)} free"
    if free >= needed:
        yield passed(folder, told, human_bytes(needed))
    else:
        hint = "make room there, or choose another folder: --work-dir"
        yield failed(folder, told, human_bytes(needed), hint=hint)
