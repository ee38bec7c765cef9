"""The words that our JSON Schemas are made of, as strict as `transfer.fields` reads.

A key without a value counts as absent there: every key that may be left out may also be null.
Patterns mean the same to ECMA 262, which JSON Schema 2020-12 names, and to Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transfer.fields import API_VERSION, MAX_INTEGER

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_UNSEEN = r"[\u0000-\u001f\u007f-\u009f\u2028\u2029]"
"""What no text of ours may hold, as far as a pattern can say it: see `transfer.plain`."""


def document(kind: str, title: str, body: Schema) -> Schema:
    """The schema of a whole file, whose body is a `mapping`, with its `apiVersion` and `kind`."""
    name = f"urn:harness-airgap:{API_VERSION.replace('/', ':')}:{kind}"
    head = {
        "apiVersion": constant("The version of the file's format.", API_VERSION),
        "kind": constant("What kind of file this is.", kind),
    }
    return {
        "$schema": DIALECT,
        "$id": name,
        "title": title,
        **body,
        "properties": {**head, **body["properties"]},
        "required": [*head, *body["required"]],
    }


def text(
    description: str, *examples: str, pattern: str | None = None, default: str | None = None
) -> Schema:
    """One line of text that is not empty; `pattern` is for the whole of it."""
    schema: Schema = {"type": "string", "description": description, "minLength": 1}
    schema["not"] = {"type": "string", "pattern": _UNSEEN}  # null passes
    if pattern is not None:
        schema["pattern"] = f"^(?:{pattern})$"
    return _with(schema, default, examples)


def constant(description: str, value: str) -> Schema:
    """The one text that may stand here."""
    return {"type": "string", "description": description, "const": value}


def choice(description: str, *values: str) -> Schema:
    """One of some texts."""
    return {"type": "string", "description": description, "enum": list(values)}


def number(description: str, *examples: int) -> Schema:
    """A whole number that is not negative."""
    schema = {"type": "integer", "description": description, "minimum": 0, "maximum": MAX_INTEGER}
    return _with(schema, None, examples)


def flag(description: str, *, default: bool | None = None) -> Schema:
    """True or false."""
    return _with({"type": "boolean", "description": description}, default, ())


def several(
    description: str,
    items: Schema,
    *,
    least: int = 0,
    unique: bool = False,
    default: list[str] | None = None,
) -> Schema:
    """A list."""
    schema: Schema = {"type": "array", "description": description, "items": items}
    if least:
        schema["minItems"] = least
    if unique:
        schema["uniqueItems"] = True
    return _with(schema, default, ())


def mapping(
    description: str,
    *rules: Schema,
    required: Mapping[str, Schema] | None = None,
    optional: Mapping[str, Schema] | None = None,
) -> Schema:
    """A mapping with these keys and no others, for which the rules hold, too."""
    needed, other = required or {}, optional or {}
    schema: Schema = {
        "type": "object",
        "description": description,
        "properties": {**needed, **{key: _nullable(below) for key, below in other.items()}},
        "required": list(needed),
        "additionalProperties": False,
    }
    if rules:
        schema["allOf"] = list(rules)
    return schema


def either(description: str, *schemas: Schema) -> Schema:
    """A value of one kind or another."""
    return {"description": description, "anyOf": list(schemas)}


def given(key: str) -> Schema:
    """Rule: the key is there with a value."""
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def filled(key: str) -> Schema:
    """Rule: the key is there, and its list or mapping is not empty."""
    value = {"not": {"type": "null"}, "minItems": 1, "minProperties": 1}
    return {"required": [key], "properties": {key: value}}


def exactly_one(*keys: str) -> Schema:
    """Rule: one of the keys is given, and no other of them."""
    return {"oneOf": [given(key) for key in keys]}


def at_most_one(*keys: str) -> Schema:
    """Rule: no two of the keys are given."""
    return {"anyOf": [absent(*(other for other in keys if other != key)) for key in keys]}


def absent(*keys: str) -> Schema:
    """Rule: none of the keys is given."""
    return {"properties": {key: {"type": "null"} for key in keys}}


def where(condition: Schema, then: Schema, otherwise: Schema | None = None) -> Schema:
    """Rule: what else holds where a condition does, and where it does not."""
    rule = {"if": condition, "then": then}
    return rule if otherwise is None else {**rule, "else": otherwise}


def _nullable(schema: Schema) -> Schema:
    if "type" not in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    if rules := nullable.pop("allOf", None):
        nullable |= where({"type": "object"}, {"allOf": rules})
    return nullable


def _with(schema: Schema, default: object, examples: tuple[object, ...]) -> Schema:
    if default is not None:
        schema["default"] = default
    if examples:
        schema["examples"] = list(examples)
    return schema
