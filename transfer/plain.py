"""Text from outside: what may be shown as it is, and the rest made fit to be shown.

Names come out of archives and bundles that others made. A line break in one would forge a line of
ours, an escape sequence would steer the terminal, a mark of writing direction would show another
order than there is.
"""

from __future__ import annotations

import json
import re
import unicodedata

_KEPT = "\n\t"
_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")


def is_plain(text: str) -> bool:
    """Whether a text is one line without control characters, or anything else that is not seen."""
    return text.isprintable() or all(map(_is_seen, text))


def escape(text: str) -> str:
    """The text with what is not seen spelled out, as Python does; line breaks and tabs stay."""
    if text.isprintable():
        return text
    return "".join(c if c in _KEPT or _is_seen(c) else _spelling(c) for c in text)


def one_line(text: str) -> str:
    """The same, and line breaks and tabs are spelled out too: a name in the middle of a line."""
    return text if is_plain(text) else "".join(c if _is_seen(c) else _spelling(c) for c in text)


def escape_json(text: str) -> str:
    """JSON with what is not seen in the way of JSON, where it may only stand in texts."""
    return _NOT_ASCII.sub(lambda found: _json_spelling(found[0]), text)


def _is_seen(character: str) -> bool:
    # Python calls blanks other than the common one, such as the no-break space, not printable.
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _spelling(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _json_spelling(character: str) -> str:
    return character if _is_seen(character) else json.dumps(character)[1:-1]
