"""Specs with keys that are only comments: what they are once somebody takes the # away."""

from __future__ import annotations

import re

_NESTED = re.compile(r"^# (?= +# )", re.MULTILINE)
"""A comment on something that was made a comment."""
_COMMENTED = re.compile(r"^( *)# ( *(?:- )?(?:[A-Za-z]\w*:(?: .*)?|(?<=- )\S+))$", re.MULTILINE)
"""A key, or an item of a list, that was made a comment; a sentence is neither."""


def uncommented(text: str) -> str:
    """The text with every key in it."""
    return _COMMENTED.sub(r"\1\2", _NESTED.sub("", text))
