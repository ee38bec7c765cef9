"""Environment markers of a requirements file, decided for a machine that is elsewhere.

pip decides them for the Python that runs it, whatever `--python-version` says, and would leave
out what only the other one needs. The grammar (PEP 508) is that of Python's own comparisons.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from transfer.errors import InvalidInput

_VERSIONS = frozenset({"python_version", "python_full_version", "implementation_version"})
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,  # type: ignore[dict-item]
    ast.LtE: operator.le,  # type: ignore[dict-item]
    ast.Gt: operator.gt,  # type: ignore[dict-item]
    ast.GtE: operator.ge,  # type: ignore[dict-item]
}


def applies(marker: str, environment: Mapping[str, str]) -> bool:
    """Whether a marker such as `python_full_version < '3.13'` is true in an environment.

    Raises:
        InvalidInput: it is not a marker of this kind, or speaks of what is not known.
    """
    try:
        return _truth(ast.parse(marker, mode="eval").body, environment)
    except (SyntaxError, LookupError, ValueError) as error:
        raise InvalidInput(f"environment marker {marker!r}: not understood: {error}") from error


def _truth(node: ast.expr, environment: Mapping[str, str]) -> bool:
    match node:
        case ast.BoolOp(op=ast.And()):
            return all(_truth(value, environment) for value in node.values)
        case ast.BoolOp(op=ast.Or()):
            return any(_truth(value, environment) for value in node.values)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            compare = _COMPARISONS[type(op)]
            read = _version if _VERSIONS & _names(left, right) else str
            return compare(*(read(_text(side, environment)) for side in (left, right)))
    raise ValueError(ast.unparse(node))


def _names(*nodes: ast.expr) -> set[str]:
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _text(node: ast.expr, environment: Mapping[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return environment[name]
        case ast.Constant(value=str(text)):
            return text
    raise ValueError(ast.unparse(node))


def _version(text: str) -> tuple[int, ...]:
    """Numbers to compare; 3.13 and 3.13.0 are the same."""
    numbers = [int(part) for part in text.split(".")]
    return (*numbers, 0, 0)[:3]
