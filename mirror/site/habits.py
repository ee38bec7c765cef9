"""The habits of a registry, as a probe finds them and the site file keeps them.

A push makes use of some; the others are for the people who read the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from transfer.fields import Fields
from transfer.habits import UNKNOWN, Habits

WORDS: Mapping[str, tuple[str, ...]] = {
    "login": ("none", "basic", "bearer", "unknown"),
    "location": ("absolute", "relative", "other-host"),
    "chunks": ("accepted", "refused"),
    "resume": ("by-offset", "from-start"),
    "digests": ("checked", "unchecked"),
    "cancel": ("possible", "refused"),
    "whole": ("accepted", "refused"),
    "singlePost": ("accepted", "ignored", "refused"),
    "mount": ("works", "refused", "unknown"),
    "mountMissing": ("upload", "refused"),
    "head": ("digest", "no-digest", "unknown"),
    "delete": ("possible", "refused"),
    "referrers": ("listed", "unlisted"),
}
"""What each key of `registry.habits` may say; the keys are the names of findings."""

NUMBERS = ("chunkMinimum", "bodyLimit")
"""Keys that are bytes."""

KEYS = ("probed", *WORDS, *NUMBERS, "refusedTypes")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TYPE = "type "


def read_habits(parent: Fields) -> Habits:
    """What `habits` says below `parent`, as far as a push makes use of it."""
    fields = parent.child("habits", *KEYS)
    if fields is None:
        return UNKNOWN
    said = {key: _word(fields, key) for key in WORDS}
    least, largest = (fields.integer(key, None) for key in NUMBERS)
    if largest == 0:
        fields.fault("bodyLimit", "expected at least 1")
    day = fields.optional_text("probed")
    if day and not _DATE.fullmatch(day):
        fields.fault("probed", f'expected a date such as "2026-11-22", found {day!r}')
    fields.texts("refusedTypes")
    return Habits(
        mounts=said["mount"] != "refused",
        whole=said["whole"] != "refused",
        pieces=said["chunks"] != "refused",
        least_piece=least or 0,
        largest_body=largest,
        heads=said["head"] != "no-digest",
    )


def _word(fields: Fields, key: str) -> str | None:
    text, known = fields.optional_text(key), WORDS[key]
    if text and text not in known:
        fields.fault(key, f"expected {', '.join(known[:-1])} or {known[-1]}, found {text!r}")
    return text


def to_lines(found: Mapping[str, str], day: str) -> list[str]:
    """The lines of `habits` for some findings, by their names.

    Args:
        found: Values by the names of findings; what is no habit is left out.
        day: When they were found, `2026-11-22`.
    """
    named = {_camel(name): value for name, value in found.items()}
    lines = [f'probed: "{day}"']
    lines += [f"{key}: {named[key]}" for key in WORDS if key in named]
    lines += [f"{key}: {named[key]}" for key in NUMBERS if named.get(key, "").isdigit()]
    refused = [
        name.removeprefix(_TYPE)
        for name, value in found.items()
        if name.startswith(_TYPE) and value == "refused"
    ]
    if refused:
        lines.append(f"refusedTypes: [{', '.join(refused)}]")
    return lines


def _camel(name: str) -> str:
    first, *others = name.split("-")
    return first + "".join(word.capitalize() for word in others)
