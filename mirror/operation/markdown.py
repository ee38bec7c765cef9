"""Markdown in which nothing from outside can end a block of code, or be markup of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

_MARKUP = re.compile(r"([\\`*_\[\]<>&|~#])")
_START = re.compile(r"^([-+=]|\d+(?=[.)]))")
_BACKTICKS = re.compile(r"`+")


def prose(text: str) -> str:
    """Text of one line, none of it markup."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    escaped = _MARKUP.sub(r"\\\1", line)
    return _START.sub(lambda found: _escaped(found[0]), escaped)


def _escaped(start: str) -> str:
    """What would begin a list, made text; a number is no markup without what follows."""
    return f"&#{ord(start[0])};{start[1:]}"


def code(text: str) -> str:
    """Code within a line."""
    line = "".join(c if c.isprintable() else " " for c in text)
    fence = _fence(line, 1)
    space = " " if line.startswith("`") or line.endswith("`") or not line.strip() else ""
    return f"{fence}{space}{line}{space}{fence}"


def block(text: str, language: str = "") -> str:
    """A block of code."""
    fence = _fence(text, 3)
    return f"{fence}{language}\n{text}\n{fence}"


def points(texts: Iterable[str], mark: str = "-") -> str:
    """A list; `mark` begins each point. A point may have commands in it, which come after it."""
    return "\n".join(f"{mark} {_point(text)}" for text in texts)


def _point(text: str) -> str:
    return "\n\n".join(paragraphs(text)).replace("\n", "\n  ")


def paragraphs(text: str) -> Iterator[str]:
    """Paragraphs as a plan writes them: lines that begin with blanks are commands."""
    for part in text.split("\n\n"):
        for is_command, lines in groupby(part.split("\n"), lambda line: line.startswith(" ")):
            if is_command:
                yield block("\n".join(line.strip() for line in lines), "sh")
            else:
                yield prose(" ".join(lines))


def _fence(text: str, least: int) -> str:
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)
