"""Comparing version labels: KOTS's own, and those that applications give their releases."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"v?([0-9]{1,18}(?:\.[0-9]{1,18})*)(?:[-+].*)?")
_SEQUENCE = re.compile(r"[0-9]{1,18}")


def numbers(label: str) -> tuple[int, ...] | None:
    """The numbers of a label such as `v1.131.4`, `79915` or `0.34.1-rc2`; None without any.

    What follows the numbers is left out: no decision here hangs on a pre-release.
    """
    match = _NUMBERS.fullmatch(label)
    return tuple(int(number) for number in match[1].split(".")) if match else None


def sequence(cursor: str) -> int | None:
    """The number that an update cursor is; None where it is none."""
    return int(cursor) if _SEQUENCE.fullmatch(cursor) else None


def is_older(label: str, other: str) -> bool:
    """Whether the first of two labels is older; False where they cannot be compared."""
    first, second = numbers(label), numbers(other)
    if first is None or second is None:
        return False
    length = max(len(first), len(second))
    return _padded(first, length) < _padded(second, length)


def _padded(version: tuple[int, ...], length: int) -> tuple[int, ...]:
    return version + (0,) * (length - len(version))
