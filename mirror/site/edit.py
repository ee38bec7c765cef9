"""One mapping of a YAML file written anew; every other byte, comments too, stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from transfer.errors import InvalidInput
from transfer.yamlfile import NOT_YAML


def with_mapping(text: str, path: tuple[str, str], lines: Sequence[str], file: str) -> str:
    """A file whose mapping at `path`, two keys deep, has these lines and no others.

    Args:
        text: The file; the first key is there.
        path: The keys that lead to the mapping, which may be missing.
        lines: `key: value` each, in block style.
        file: How messages name it.

    Raises:
        InvalidInput: nobody can tell where to write.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except NOT_YAML:
        root = None
    parent = _below(root, path[0])
    if not isinstance(parent, yaml.MappingNode) or not parent.value:
        raise InvalidInput(f"{file}: {path[0]} is not a mapping that could be added to")
    found = next((pair for pair in parent.value if pair[0].value == path[1]), None)
    indent = parent.value[0][0].start_mark.column
    if parent.flow_style:
        new = f"{path[1]}: {{{', '.join(lines)}}}"
        if found:
            return _put(text, found[0].start_mark.index, _end(found[1]), new)
        end = _end(parent.value[-1][1])
        return _put(text, end, end, f", {new}")
    block = f"{path[1]}:" + "".join(f"\n{' ' * (indent + 2)}{line}" for line in lines)
    if found:
        return _put(text, found[0].start_mark.index, _end(found[1]), block)
    last = _end(parent.value[-1][1])
    end = text.find("\n", last)
    end = len(text) if end < 0 else end
    return _put(text, end, end, f"\n{' ' * indent}{block}")


def _below(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _end(node: yaml.Node) -> int:
    """Where a node ends: of a block, PyYAML says where the next thing begins."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _end(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _put(text: str, start: int, end: int, new: str) -> str:
    return f"{text[:start]}{new}{text[end:]}"
