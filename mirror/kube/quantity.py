"""Quantities as Kubernetes writes them: `500m` CPU, `16Gi` of memory.

Source: apimachinery, pkg/api/resource/quantity.go.
"""

from __future__ import annotations

import re
from fractions import Fraction

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def parse_quantity(text: str) -> Fraction:
    """The exact number that a quantity is: CPUs of CPU, bytes of memory.

    Raises:
        ValueError: it is none.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"not a quantity: {text!r}")
    suffix, exponent = match["suffix"] or "", match["exponent"]
    factor = (
        Fraction(2) ** _BINARY[suffix]
        if suffix in _BINARY
        else Fraction(10) ** (int(exponent) if exponent else _DECIMAL.get(suffix, 0))
    )
    return Fraction(match["number"]) * factor
