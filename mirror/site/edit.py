"""One mapping of a YAML file written anew; every other byte, comments too, stays as it is.

Where a person has written something that would be lost, such as a comment, or where the text
does not show what it means, as with anchors, nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import yaml

from transfer.errors import InvalidInput
from transfer.yamlfile import NOT_YAML

_FOLDED = ("|", ">")
_NAMED = (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken)


class Unclear(Exception):
    """Nobody can tell where to write; says why, in words that follow the name of the key."""


def by_hand(path: tuple[str, str], lines: Sequence[str]) -> str:
    """What a person would write instead, on one line."""
    return f"write it by hand, below {path[0]}:  {_in_flow(path[1], lines)}"


def with_mapping(text: str, path: tuple[str, str], lines: Sequence[str], file: str) -> str:
    """A file whose mapping at `path`, two keys deep, has these lines and no others.

    Args:
        text: The file; the first key is there.
        path: The keys that lead to the mapping, which may be missing.
        lines: `key: value` each, in block style.
        file: How messages name it.

    Raises:
        InvalidInput: nobody can tell where to write, or something would be lost; the hint has
            what is to be written.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except NOT_YAML:
        root = None
    parent = _below(root, path[0])
    if not isinstance(parent, yaml.MappingNode) or not parent.value:
        raise InvalidInput(
            f"{file}: {path[0]} is not a mapping that could be added to", hint=by_hand(path, lines)
        )
    try:
        return _changed(text, parent, path[1], lines)
    except Unclear as why:
        raise InvalidInput(
            f"{file}: {'.'.join(path)} {why}: nothing was changed", hint=by_hand(path, lines)
        ) from None


def _changed(text: str, parent: yaml.MappingNode, key: str, lines: Sequence[str]) -> str:
    found = next((pair for pair in parent.value if pair[0].value == key), None)
    if found:
        start = found[0].start_mark.index
        end = _end(text, found[1], found[0].end_mark.index)
        if parent.flow_style:
            _refuse_to_lose(text, start, end)
            return _put(text, start, end, _in_flow(key, lines))
        _refuse_to_lose(text, start, _end_of_line(text, end))
        return _put(text, start, end, _in_block(text, parent, key, lines))
    end = _end(text, parent.value[-1][1], parent.value[-1][0].end_mark.index)
    if parent.flow_style:
        return _put(text, end, end, f", {_in_flow(key, lines)}")
    end = _end_of_line(text, end)
    indent = " " * _column(parent)
    return _put(text, end, end, f"{_line_end(text)}{indent}{_in_block(text, parent, key, lines)}")


def _in_flow(key: str, lines: Sequence[str]) -> str:
    return f"{key}: {{{', '.join(lines)}}}"


def _in_block(text: str, parent: yaml.MappingNode, key: str, lines: Sequence[str]) -> str:
    start = _line_end(text) + " " * (_column(parent) + 2)
    return f"{key}:" + "".join(f"{start}{line}" for line in lines)


def _column(parent: yaml.MappingNode) -> int:
    return int(parent.value[0][0].start_mark.column)


def _line_end(text: str) -> str:
    """How this file ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    return end - 1 if end > start and text[end - 1] == "\r" else end


def _below(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _end(text: str, node: yaml.Node, after: int) -> int:
    """Where a node ends: of a block, PyYAML says where the next thing begins.

    Args:
        text: The file.
        node: The node.
        after: Where it begins at the earliest: what an alias stands for is somewhere before.

    Raises:
        Unclear: it stands somewhere else.
    """
    if node.start_mark.index < after:
        raise Unclear("depends on an alias")
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        key, value = node.value[-1]
        return _end(text, value, key.end_mark.index)
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _end(text, node.value[-1], node.start_mark.index)
    end = int(node.end_mark.index)
    if isinstance(node, yaml.ScalarNode) and node.style in _FOLDED:
        return len(text[:end].rstrip())
    return end


def _refuse_to_lose(text: str, start: int, end: int) -> None:
    """See that there is nothing in a part of the text but keys and values.

    Raises:
        Unclear: there is.
    """
    tokens = list(_tokens(text))
    inside = [token for token in tokens if start <= token.start_mark.index < end]
    if any(isinstance(token, _NAMED) for token in inside):
        raise Unclear("has an anchor, an alias or a tag in it")
    for one, next_one in pairwise(tokens):
        gap = text[max(one.end_mark.index, start) : min(next_one.start_mark.index, end)]
        if "#" in gap:
            raise Unclear("has comments in it, which would be lost")


def _tokens(text: str) -> Iterator[yaml.Token]:
    return iter(yaml.scan(text, Loader=yaml.SafeLoader))


def _put(text: str, start: int, end: int, new: str) -> str:
    return f"{text[:start]}{new}{text[end:]}"
