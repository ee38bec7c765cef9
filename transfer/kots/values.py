"""The answers that a site gives (ConfigValues), against the questions of its releases (Config).

An answer may be a password: no message, no `repr` and no finding holds one. Field names: kotskinds
apis/kots/v1beta1/configvalues_types.go, whose values are all text.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import yaml

from transfer.errors import InvalidInput
from transfer.kots.config import Config, ConfigItem
from transfer.kots.finding import Finding, Rule
from transfer.plain import one_line
from transfer.yamlfile import NOT_YAML

_GIVEN = ("value", "valuePlaintext", "data", "dataPlaintext")
_ENCODED = ("value", "data")
_CHOICES = ("select_one", "radio", "dropdown", "select")
_NOT_ASKED = ("label", "heading")
_BOOLS = ("0", "1", "true", "false")
_TEMPLATE = ("repl{{", "{{repl")
_TAGS = {
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:timestamp": "a date",
}
"""What YAML takes an answer for that is not in quotes."""
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is given for one item."""

    fields: Mapping[str, str] = field(repr=False)
    """What there is of `value`, `valuePlaintext`, `data`, `dataPlaintext`; nothing empty."""
    repeats: str = ""
    """The repeatable item that it is one answer of."""
    not_text: str = ""
    """What one of the fields is instead of text: `a number`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigValues:
    """A file of answers."""

    file: str
    answers: Mapping[str, Answer] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, file: str) -> Self:
        """Read a file of answers; `file` names it in messages.

        Raises:
            InvalidInput: not a ConfigValues file.
        """
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except NOT_YAML:
            # The parser quotes what it read, which may be a password.
            raise InvalidInput(f"{file}: not valid YAML") from None
        document = _mapping(node)
        if _scalar(document.get("kind")) != "ConfigValues":
            raise InvalidInput(
                f"{file}: no configuration values (kind: ConfigValues is missing)",
                hint="kubectl kots get config shows how such a file looks",
            )
        values = _mapping(_mapping(document.get("spec")).get("values"))
        return cls(
            file=file, answers={one_line(name): _read(_mapping(v)) for name, v in values.items()}
        )


def check_values(values: ConfigValues, releases: Sequence[tuple[str, Config]]) -> Iterator[Finding]:
    """What is wrong with answers for releases that are deployed one after the other.

    `releases` are their names with what they ask. An answer is unknown if none of them asks.
    """
    known = {item.name for _, config in releases for item in config.items}
    known |= {option for _, config in releases for item in config.items for option in item.options}
    repeated = {i.name for _, config in releases for i in config.items if i.is_repeatable}
    for name, answer in values.answers.items():
        if name not in known and answer.repeats not in repeated:
            yield _unknown(values.file, name, releases)
    told: set[str] = set()
    for release, config in releases:
        for item in config.items:
            answer = values.answers.get(item.name, _NOTHING)
            if item.is_needed and not answer.fields and not answer.not_text:
                key, finding = f"{item.name} ", _missing(values.file, item, release)
            elif why := _misfit(item, answer):
                key, finding = f"{item.name} {why}", _wrong(values.file, item, why)
            else:
                continue
            if key not in told:
                told.add(key)
                yield finding


def _read(fields: Mapping[str, yaml.Node]) -> Answer:
    given = {key: fields[key] for key in _GIVEN if key in fields}
    kinds = [_kind(node) for node in given.values()]
    return Answer(
        fields={key: text for key, node in given.items() if (text := _scalar(node))},
        repeats=one_line(_scalar(fields.get("repeatableItem"))),
        not_text=next(filter(None, kinds), ""),
    )


_NOTHING = Answer(fields={})


def _misfit(item: ConfigItem, answer: Answer) -> str:
    """Why an answer is none for its item; "" where it may be one."""
    if answer.not_text:
        return f"expected text, found {answer.not_text}; put it in quotes"
    if item.type == "file":
        encoded = (text for key in _ENCODED if (text := answer.fields.get(key)))
        return "" if all(map(_is_base64, encoded)) else "expected a file's content in base64"
    text = answer.fields.get("value") or answer.fields.get("valuePlaintext", "")
    templated = any(mark in text for mark in _TEMPLATE)
    return _expected(item, text) if text and not templated else ""


def _expected(item: ConfigItem, text: str) -> str:
    if item.type in _NOT_ASKED:
        return f"it is a {item.type}, which takes no value"
    if item.type == "bool" and text not in _BOOLS:
        return 'expected "0" or "1"'
    if item.type in _CHOICES and item.options and text not in item.options:
        return f"expected one of {', '.join(item.options)}"
    return ""


def _unknown(file: str, name: str, releases: Sequence[tuple[str, Config]]) -> Finding:
    asked = " and ".join(release for release, _ in releases)
    return Finding(
        rule=Rule.CONFIG_UNKNOWN,
        subject=name,
        message=f"{file}: {name}: {asked} asks for no such item",
        hint="correct the name, or remove the item: KOTS passes over it without a word",
    )


def _missing(file: str, item: ConfigItem, release: str) -> Finding:
    return Finding(
        rule=Rule.CONFIG_MISSING,
        subject=item.name,
        message=f"{file}: {item.name}: {release} requires it, it has no default, and no value here",
        hint="add it: without it, KOTS deploys nothing and waits for somebody at its Config page",
    )


def _wrong(file: str, item: ConfigItem, why: str) -> Finding:
    kind = item.type or "text"
    return Finding(
        rule=Rule.CONFIG_TYPE,
        subject=item.name,
        message=f"{file}: {item.name} ({kind}): {why}",
        hint="correct the value; it is not shown here, as it may be a secret",
    )


def _mapping(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _scalar(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) and node.tag != _NULL else ""


def _kind(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        return "a list or mapping"
    return _TAGS.get(node.tag, "")


def _is_base64(text: str) -> bool:
    try:
        b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
