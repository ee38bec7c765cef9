"""Specs with keys that are only comments: what they are once somebody takes the # away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bundler.schema import spec_schema


def uncommented(text: str) -> str:
    """The text with every key in it."""
    return _COMMENTED.sub(r"\1\2", _NESTED.sub("", text))


def _keys(schema: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Every key that a schema knows."""
    if isinstance(schema, dict):
        yield from schema.get("properties", ())
        for below in schema.values():
            yield from _keys(below)
    elif isinstance(schema, list):
        for below in schema:
            yield from _keys(below)


_KEY = "|".join(sorted(set(_keys(spec_schema()))))
_COMMENTED = re.compile(
    rf"^( *)# ( *(?:- )?(?:(?:{_KEY}):(?: .*)?|(?<=- )\S+|(?<=- ){{.*}}))$", re.MULTILINE
)
"""A key, or an item of a list, that was made a comment; a sentence is neither."""
_NESTED = re.compile(r"^# (?= +# )", re.MULTILINE)
"""A comment on something that was made a comment."""
