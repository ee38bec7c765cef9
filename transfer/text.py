"""Numbers and tables as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str, nouns: str = "") -> str:
    """`1 image`, `2 images`; `nouns` where the plural is another."""
    return f"{count} {noun}" if count == 1 else f"{count} {nouns or noun + 's'}"


def human_bytes(count: int) -> str:
    """A size for people, in decimal units as disks and networks are sold: `1.15 GB`."""
    if count < 1000:  # noqa: PLR2004 - below the first unit
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5:  # noqa: PLR2004 - from here on it would be shown as 1000
            return f"{value:.3g} {unit}"
    return f"{value:.0f} {unit}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line a row; columns as wide as they must be, two blanks between them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
