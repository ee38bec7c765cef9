"""The questions that a release asks (its Config kind), as far as answers can be checked.

Field names: kotskinds apis/kots/v1beta1/config_types.go. What hangs on a template is known only
to KOTS, at the site; it is taken to be well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from transfer.plain import is_plain

_FALSE = ("", "false", "null", "~")
_SHOWN = ("", "true", "null", "~")
"""What `when` says of an item that is certainly asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigItem:
    """One question."""

    name: str
    type: str
    """`text`, `bool`, `select_one` …; "" means text."""
    options: tuple[str, ...] = ()
    """The names of its choices."""
    is_needed: bool = False
    """Whether KOTS waits for an answer: it is required, always asked, and has no default."""
    is_repeatable: bool = False
    group: str = ""
    """The title of the group that it stands in."""
    title: str = ""
    help: str = ""
    default: str = ""
    """What KOTS takes without an answer; a template is shown as it is written."""
    preset: str = ""
    """The answer that the release itself gives (`value`)."""
    when: str = ""
    """When it is asked for; "" means always."""
    group_when: str = ""
    """The same of its group."""
    is_required: bool = False
    """Whether it needs an answer when it is asked for."""
    is_hidden: bool = False
    is_readonly: bool = False

    @property
    def is_secret(self) -> bool:
        """Whether its value is shown to nobody."""
        return self.type == "password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The questions of a release, in their order."""

    items: tuple[ConfigItem, ...]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Read the parsed YAML of a Config; what is no question is passed over."""
        groups = _mappings(_mapping(document.get("spec")).get("groups"))
        return cls(
            items=tuple(
                _read_item(item, group)
                for group in groups
                for item in _mappings(group.get("items"))
                if _text(item, "name")
            )
        )


def _read_item(item: Mapping[str, Any], group: Mapping[str, Any]) -> ConfigItem:
    asked = group.get("when", "") in _SHOWN
    repeatable = _text(item, "repeatable") not in _FALSE
    needed = (
        asked
        and item.get("required") == "true"
        and _text(item, "hidden") in _FALSE
        and item.get("when", "") in _SHOWN
        and not (repeatable or item.get("default") or item.get("value"))
    )
    return ConfigItem(
        name=_text(item, "name"),
        type=_text(item, "type"),
        options=tuple(filter(None, (_text(one, "name") for one in _mappings(item.get("items"))))),
        is_needed=needed,
        is_repeatable=repeatable,
        group=_text(group, "title") or _text(group, "name"),
        title=_prose(item, "title"),
        help=_prose(item, "help_text"),
        default=_prose(item, "default"),
        preset=_prose(item, "value"),
        when=_prose(item, "when"),
        group_when=_prose(group, "when"),
        is_required=item.get("required") == "true",
        is_hidden=_text(item, "hidden") not in _FALSE,
        is_readonly=_text(item, "readonly") not in _FALSE,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> Iterable[Mapping[str, Any]]:
    return map(_mapping, value) if isinstance(value, list) else ()


def _prose(value: Mapping[str, Any], key: str) -> str:
    """A text of any number of lines, to be made fit to be shown by whoever shows it."""
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) and is_plain(found) else ""
