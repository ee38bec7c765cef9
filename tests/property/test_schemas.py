"""However many mistakes a file has, its schema refuses it where the parser does."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.schemas import KINDS, OTHERS, Kind, Path, at, places, replaced, without

_STRUCTURE = re.compile(r"unknown key|is missing|is empty|expected (a |text|true)")


@st.composite
def mistaken(draw: st.DrawFn, kind: Kind) -> Any:  # noqa: ANN401 - JSON
    """A file with some mistakes: a value of another kind, a key too many, a key too few."""
    value = kind.full
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(list(places(value))))
        value = mistake(value, path, draw)
    return value


def mistake(value: Any, path: Path, draw: st.DrawFn) -> Any:  # noqa: ANN401 - JSON
    """The same with one mistake more at a place."""
    ways = ["replace", *(["remove"] if path else [])]
    if isinstance(at(value, path), dict):
        ways.append("add")
    way = draw(st.sampled_from(ways))
    if way == "remove":
        return without(value, path)
    if way == "add":
        key = draw(st.sampled_from(["unheard-of", "path", "url", "sha256", "size", "name"]))
        return replaced(value, (*path, key), draw(st.sampled_from(OTHERS)))
    return replaced(value, path, draw(st.sampled_from(OTHERS)))


@given(
    mistakes=st.sampled_from([*KINDS.values()]).flatmap(
        lambda kind: st.tuples(st.just(kind), mistaken(kind))
    )
)
@example(mistakes=(KINDS["spec"], {}))
def test_a_schema_refuses_what_the_parser_refuses(mistakes: tuple[Kind, Any]) -> None:
    kind, value = mistakes
    schema, parser = kind.by_schema(value), kind.by_parser(value)
    assert not schema or parser
    if any(_STRUCTURE.search(fault) for fault in parser):
        assert schema
