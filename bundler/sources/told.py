"""What a server told in JSON: unknown keys are fine, a wrong shape of a known one is not.

Nothing of an answer is quoted where its shape is wrong: it may hold a signed address.
"""

from __future__ import annotations

import json
from typing import Any

from transfer.errors import InvalidInput
from transfer.fields import MAX_INTEGER
from transfer.plain import is_plain, one_line

_LONGEST = 8192
"""Characters of one text; no address that a server takes is longer."""
_SHOWN = 500
"""Characters of a text that is only shown."""

_ANOTHER = "something else answers in its place (a proxy, a log-in page), or the address is wrong"
_CHANGED = "the server's answers are not those that this version of the toolkit knows"


class Told:
    """One JSON object; `what` starts the message of a fault."""

    def __init__(self, value: object, what: str, where: str = "") -> None:
        self._what = what
        self._where = where
        if not isinstance(value, dict):
            raise self._fault("", "an object", value)
        self._value: dict[str, Any] = value

    @classmethod
    def parse(cls, body: bytes, what: str) -> Told:
        """Read an answer that has to be one object.

        Raises:
            InvalidInput: it is none.
        """
        return cls(_load(body, what), what)

    @classmethod
    def parse_list(cls, body: bytes, what: str) -> list[Told]:
        """Read an answer that has to be a list of objects.

        Raises:
            InvalidInput: it is none.
        """
        return cls({"": _load(body, what)}, what).objects("")

    def text(self, key: str) -> str:
        """A text that is not empty, on one line.

        Raises:
            InvalidInput: anything else, or nothing.
        """
        value = self._value.get(key)
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not is_plain(value):
            raise self._fault(key, "a line of text", value)
        return value

    def integer(self, key: str) -> int:
        """A whole number that is not negative.

        Raises:
            InvalidInput: anything else, or nothing.
        """
        value = self._value.get(key)
        if type(value) is not int or not 0 <= value <= MAX_INTEGER:
            raise self._fault(key, "a whole number", value)
        return value

    def number(self, key: str) -> int:
        """The same, and 0 for anything else."""
        value = self._value.get(key)
        return value if type(value) is int and 0 <= value <= MAX_INTEGER else 0

    def objects(self, key: str) -> list[Told]:
        """A list of objects.

        Raises:
            InvalidInput: anything else, or nothing.
        """
        value = self._value.get(key)
        if not isinstance(value, list):
            raise self._fault(key, "a list", value)
        return [Told(each, self._what, f"{self._at(key)}[{i}]") for i, each in enumerate(value)]

    def flag(self, key: str) -> bool:
        """Whether it says true; anything else is no."""
        return self._value.get(key) is True

    def said(self, key: str) -> str:
        """What it says there, for people: a text or number as one line, "" for anything else."""
        value = self._value.get(key)
        if isinstance(value, str):
            return one_line(value[:_SHOWN])
        return str(value) if type(value) is int and abs(value) <= MAX_INTEGER else ""

    def _at(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where and key else self._where or key

    def _fault(self, key: str, expected: str, value: object) -> InvalidInput:
        found = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
        numbers = {int: "a number", float: "a number", type(None): "nothing"}
        at = f" at {self._at(key)}" if self._at(key) else ""
        shown = (found | numbers).get(type(value), "something else")
        if isinstance(value, str) and expected == "a line of text":
            shown = "an empty one" if not value else "one that cannot be used"
        return InvalidInput(
            f"{self._what}: the answer has {shown}{at}, expected {expected}", hint=_CHANGED
        )


def _load(body: bytes, what: str) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        kind = "a web page or XML" if body.lstrip()[:1] == b"<" else "not JSON"
        raise InvalidInput(f"{what}: the answer is {kind}", hint=_ANOTHER) from None
