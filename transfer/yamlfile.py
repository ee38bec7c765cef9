"""YAML as people write it, read strictly, and as others write it, read as texts.

The one place that loads the parser: what reads JSON alone starts without it.
"""

from __future__ import annotations

from typing import Any

import yaml

from transfer.errors import InvalidInput
from transfer.fields import Faults, Fields

_CORRECT = "correct that file and run the same command; nothing was done yet"

NOT_YAML = (
    yaml.YAMLError,
    RecursionError,
    # What the loader lets through of its own conversions: 2026-13-45, !!int x, \UFFFFFFFF.
    ValueError,
    OverflowError,
    AttributeError,
    LookupError,
)
"""What parsing something raises that is not YAML."""

_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(text: str, file: str, *allowed: str) -> Fields:
    """Parse a YAML file whose top level is a mapping with the keys `allowed`.

    Raises:
        InvalidInput: not YAML, or a key stands twice in one mapping.
    """
    try:
        value = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except NOT_YAML as error:
        raise InvalidInput(f"{file}: not valid YAML: {_one_line(error)}", hint=_CORRECT) from error
    return Fields(value, "", Faults(file, _CORRECT), allowed)


def load_texts(text: str) -> Any:  # noqa: ANN401 - whatever the text holds
    """A YAML file of others, whose scalars stay texts as written: 1.10 is not the number 1.1.

    No merge (<<) is carried out. Raises one of `NOT_YAML`.
    """
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, except that a key may stand only once in a mapping."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - the base's
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, object]] = set()
        for key, value in node.value:
            if isinstance(value, yaml.SequenceNode) and key.tag == _MERGE:
                # Each mapping might hold the one before it many times: memory would not do.
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"line {line}: << takes one mapping, not a list of them")
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    line = key.start_mark.line + 1
                    raise yaml.YAMLError(f"line {line}: the key {key.value!r} stands here twice")
                seen.add((key.tag, key.value))
        return node


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
