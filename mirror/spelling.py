"""Slugs that are spelled otherwise: the printed guide has `harnesss-ng`, its archives may not.

A slug counts as another spelling of one where only letters are doubled, or not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TypeVar

_T = TypeVar("_T")

_DOUBLED = re.compile(r"(.)\1+")


def alike(slug: str, known: Collection[str]) -> str | None:
    """The one known slug that is another spelling of this one; None where there is not just one."""
    if slug in known:
        return None
    found = [one for one in known if _plain(one) == _plain(slug)]
    return found[0] if len(found) == 1 else None


def known_as(slug: str, known: Collection[str]) -> str:
    """How a slug is spelled where it is known, itself where it is not."""
    return alike(slug, known) or slug


def find(slug: str, table: Mapping[str, _T]) -> _T | None:
    """What a table has for a slug, however it is spelled there."""
    return table.get(known_as(slug, table))


def _plain(slug: str) -> str:
    return _DOUBLED.sub(r"\1", slug)
