"""One item taken out of a list at the top of a YAML file; all else stays as it was, byte by byte.

The parser says where the item stands, whole lines or the characters between two commas are cut
out there, and what is left is parsed again: it must be the same without the item.
"""

from __future__ import annotations

from typing import Any

import yaml

from transfer.errors import InvalidInput
from transfer.yamlfile import NOT_YAML, load_texts


def without_item(text: str, key: str, item: str, file: str) -> str:
    """The text without `item` in the list `key`; the same text where it is not in it.

    A list that would be empty goes with its key.

    Args:
        text: A YAML file of one document, its line ends as they are.
        key: A key at the top of it.
        item: As the file writes it, but for quotes and a leading `./`.
        file: How messages name it.

    Raises:
        InvalidInput: not YAML, or of a form in which nothing can be cut out.
    """
    items = items_of(text, key, file)
    while item in items:
        items.remove(item)
        text = _cut_out(text, key, item, items, file)
    return text


def items_of(text: str, key: str, file: str) -> list[str]:
    """The texts of a list at the top of a YAML file; empty where there is none.

    Raises:
        InvalidInput: not YAML of one document.
    """
    try:
        value = load_texts(text)
    except NOT_YAML:
        raise InvalidInput(f"{file}: not valid YAML of one document") from None
    found = value.get(key) if isinstance(value, dict) else None
    return [_plain(one) for one in found or () if isinstance(one, str)]


def _cut_out(text: str, key: str, item: str, left: list[str], file: str) -> str:
    """The text without the first of these items; then the list has what is `left`."""
    try:
        start, end = _span(text, yaml.compose(text, Loader=yaml.BaseLoader), key, item)
        result = text[:start] + text[end:]
        is_right = _without(load_texts(result), key) == _without(load_texts(text), key)
        is_right = is_right and items_of(result, key, file) == left
    except NOT_YAML:
        is_right = False
    if not is_right:
        raise InvalidInput(
            f"{file}: {item} cannot be cut out of {key} in its place",
            hint="write each item of the list on a line of its own, as - NAME",
        )
    return result


def _span(text: str, root: Any, key: str, item: str) -> tuple[int, int]:  # noqa: ANN401 - a node
    """Where an item stands, with its line or comma; with its key where it is the only one."""
    pair = next(pair for pair in root.value if pair[0].value == key)
    name, items = pair
    one = next(
        one for one in items.value if isinstance(one.value, str) and _plain(one.value) == item
    )
    if len(items.value) > 1:
        if items.flow_style:
            return _between_commas(items.value, one)
        return _lines(text, text.rindex("-", 0, one.start_mark.index), one.end_mark.index)
    if root.flow_style:
        return _between_commas(root.value, pair)
    last = items if items.flow_style else one  # a block ends where the next one begins
    return _lines(text, name.start_mark.index, last.end_mark.index)


def _lines(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole lines of a span, with their ends."""
    after = text.find("\n", max(start, end - 1))
    return text.rfind("\n", 0, start) + 1, len(text) if after < 0 else after + 1


def _between_commas(nodes: list[Any], node: Any) -> tuple[int, int]:  # noqa: ANN401 - nodes or pairs
    """What stands between two commas, with one of them."""
    at = nodes.index(node)
    if at + 1 < len(nodes):
        return _start(node), _start(nodes[at + 1])
    return (_end(nodes[at - 1]) if at else _start(node)), _end(node)


def _start(node: Any) -> int:  # noqa: ANN401 - the same
    return int((node[0] if isinstance(node, tuple) else node).start_mark.index)


def _end(node: Any) -> int:  # noqa: ANN401 - the same
    return int((node[1] if isinstance(node, tuple) else node).end_mark.index)


def _plain(name: str) -> str:
    return name.removeprefix("./")


def _without(value: Any, key: str) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """A mapping without one key; a file in which nothing is left is one, too."""
    return {name: below for name, below in (value or {}).items() if name != key}
