"""One text as YAML, in quotes where it would be read as anything else."""

from __future__ import annotations

import json
import re

_PLAIN = re.compile(r"(?:\.{1,2}/)*[A-Za-z](?:[A-Za-z0-9._/@+~=&?%:-]*[A-Za-z0-9])?")
"""What begins with no digit, ends with no colon, and has nothing in it that YAML knows."""
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def scalar(text: str) -> str:
    """The text as it stands after `key: ` or `- `."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
