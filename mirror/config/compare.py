"""What is different in two files of answers, or in what two releases ask; no answer is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transfer.kots.config import Config, ConfigItem
from transfer.kots.values import ConfigValues
from transfer.plain import one_line

_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One item."""

    name: str
    what: str
    """`added`, `removed` or `changed`."""
    details: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The same for a program."""
        return {"name": self.name, "what": self.what, "details": list(self.details)}


Compared = Mapping[str, Sequence[Difference]]
"""The differences, by what was compared with what."""


def as_lines(found: Compared) -> Iterator[str]:
    """For a person."""
    for title, items in found.items():
        yield title if items else f"{title}: no difference"
        for one in items:
            details = f": {'; '.join(one.details)}" if one.details else ""
            yield f"  {one.what:7}  {one.name}{details}"


def as_data(found: Compared) -> dict[str, Any]:
    """The same for a program."""
    return {
        "comparisons": [
            {"compared": title, "items": [one.to_json() for one in items]}
            for title, items in found.items()
        ]
    }


def compare_values(old: ConfigValues, new: ConfigValues) -> Iterator[Difference]:
    """Items of two files of answers, in the order of the new one; removed ones at the end.

    Which are passwords, only a release can tell: of no item there is more than that it changed.
    """
    for name, answer in new.answers.items():
        if name not in old.answers:
            yield Difference(name=name, what="added")
        elif answer != old.answers[name]:
            yield Difference(name=name, what="changed")
    for name in old.answers:
        if name not in new.answers:
            yield Difference(name=name, what="removed")


def compare_configs(old: Config, new: Config) -> Iterator[Difference]:
    """Items of two releases, in the order of the new one; removed ones at the end."""
    before = {item.name: item for item in old.items}
    after = {item.name: item for item in new.items}
    for name, item in after.items():
        if name not in before:
            yield Difference(name=name, what="added", details=tuple(_added(item)))
        elif details := tuple(_changes(before[name], item)):
            yield Difference(name=name, what="changed", details=details)
    for name in before:
        if name not in after:
            yield Difference(name=name, what="removed")


def _added(item: ConfigItem) -> Iterator[str]:
    yield item.type or "text"
    if item.is_needed:
        yield "required, without a default"
    elif item.is_required:
        yield "required"


def _changes(old: ConfigItem, new: ConfigItem) -> Iterator[str]:
    if (old.type or "text") != (new.type or "text"):
        yield f"type {old.type or 'text'} -> {new.type or 'text'}"
    for what, before, after in (
        ("default", old.default, new.default),
        ("own value", old.preset, new.preset),
    ):
        if before != after:
            secret = old.is_secret or new.is_secret
            yield f"{what} changed" if secret else f"{what} {_shown(before)} -> {_shown(after)}"
    if old.is_required != new.is_required:
        yield "now required" if new.is_required else "no longer required"
    if new.is_needed and not old.is_needed:
        yield "needs an answer now"
    for what, one, other in (("new", new, old), ("no longer", old, new)):
        if gone := [option for option in one.options if option not in other.options]:
            yield f"{what} a choice: {', '.join(gone)}"


def _shown(text: str) -> str:
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f'"{one_line(cut)}"' if text else "none"
