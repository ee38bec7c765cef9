"""Every key that a schema knows, as a table in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator

from transfer.schema.words import Schema


def key_table(schema: Schema) -> str:
    """A line for each key: its place, whether it must be there, and what it means."""
    rows = "\n".join(f"| `{place}` |{need} | {what} |" for place, need, what in _rows(schema, ""))
    return f"| key | | meaning |\n|---|---|---|\n{rows}\n"


def _rows(schema: Schema, place: str) -> Iterator[tuple[str, str, str]]:
    """The keys below a place, each before those below it."""
    for key, below in schema.get("properties", {}).items():
        inner = f"{place}.{key}" if place else key
        yield inner, " required" if key in schema["required"] else "", _meaning(below)
        yield from _rows(below, inner)
    if isinstance(others := schema.get("additionalProperties"), dict):
        yield f"{place}.NAME", "", _meaning(others)
        yield from _rows(others, f"{place}.NAME")
    if "items" in schema:
        yield from _rows(schema["items"], f"{place}[]")
    for one in schema.get("anyOf", ()):
        yield from _rows(one, place)


def _meaning(schema: Schema) -> str:
    parts = [schema["description"].replace("|", r"\|")]
    if "const" in schema:
        parts.append(f"Always `{schema['const']}`.")
    if values := [value for value in schema.get("enum", ()) if value is not None]:
        parts.append(f"One of {_listed(values)}.")
    if "default" in schema:
        parts.append(f"Default: `{_yaml(schema['default'])}`.")
    if examples := schema.get("examples"):
        parts.append(f"For example {_listed(examples)}.")
    return " ".join(parts)


def _listed(values: list[object]) -> str:
    return ", ".join(f"`{_yaml(value)}`" for value in values)


def _yaml(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
