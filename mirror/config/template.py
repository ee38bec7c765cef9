"""A file of answers (ConfigValues) to fill in: every item of a release, and what there is to know.

Keys and values as KOTS reads them: kotskinds apis/kots/v1beta1/configvalues_types.go. An item
that the release answers itself stands in comments: KOTS (pkg/template/config_context.go) takes an
entry that is there, empty as it may be, in place of the release's own value, and older
versions in place of the default too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from textwrap import wrap

from mirror.config.advice import advice_on
from transfer.kots.config import Config, ConfigItem
from transfer.kots.values import ConfigValues
from transfer.plain import one_line

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_NOT_ASKED = ("label", "heading")
_WIDTH = 90
_LONGEST = 200
"""Characters of a default that are shown: one may be a whole certificate."""


def compose(config: Config, slug: str, release: str) -> str:
    """The text of the file; `release` names it."""
    lines = [
        f"# Configuration values of {one_line(release)}, for `configValues` in the site file.",
        "# An item that has a default stands in comments, and keeps it: remove the # to answer.",
        "# There may be passwords in here: keep the file so that nobody else can read it.",
        "apiVersion: kots.io/v1beta1",
        "kind: ConfigValues",
        "metadata:",
        f"  name: {key(slug)}",
        "spec:",
        "  values:",
    ]
    group = None
    for item in config.items:
        if item.group != group:
            group = item.group
            lines += ["", *_comment(f"======== {group}")]
            lines += _comment(f"asked when: {item.group_when}") if item.group_when else []
        lines += ["", *_item(item, advice_on(item, config))]
    return "\n".join(lines) + "\n"


def emptied(values: ConfigValues, config: Config) -> Iterator[str]:
    """Entries without a value that stand in the way of what the release says itself."""
    for item in config.items:
        answer = values.answers.get(item.name)
        given = answer is not None and not answer.fields and not answer.not_text
        if given and (item.default or item.preset):
            yield (
                f"{item.name}: is there without a value, which may take the place of the one that "
                "the release has; leave the item out to keep that"
            )


def key(name: str) -> str:
    """A name as a YAML key, in quotes where it would be read as anything else."""
    if _PLAIN.fullmatch(name) and name.lower() not in _WORDS:
        return name
    return json.dumps(name, ensure_ascii=False)


def _item(item: ConfigItem, advice: str) -> Iterator[str]:
    kind = item.type or "text"
    required = " - REQUIRED" if item.is_required else ""
    yield from _comment(f"{item.title or item.name} ({kind}){required}")
    for text in (item.help, advice and f"Vendor's guide: {advice}"):
        yield from _comment(text)
    if item.when:
        yield from _comment(f"asked when: {item.when}")
    if item.options:
        yield from _comment(f"one of: {', '.join(item.options)}")
    yield from _known(item)
    if item.is_repeatable:
        yield from _comment("may be answered more than once, under any names:")
        yield f"    # {key(f'{item.name}-1')}:"
        yield f"    #   repeatableItem: {key(item.name)}"
        yield f'    #   {_field(item)}: ""'
    elif item.type in _NOT_ASKED:
        yield from _comment("takes no value")
    elif item.type == "select_many" and item.options:
        for option in item.options:
            yield from _commented(_entry(option, "value"))
    elif item.is_hidden or item.is_readonly:
        yield from _comment("hidden" if item.is_hidden else "read-only")
        yield from _commented(_entry(item.name, _field(item)))
    elif item.default or item.preset:
        yield from _commented(_entry(item.name, _field(item)))
    else:
        yield from _entry(item.name, _field(item))


def _known(item: ConfigItem) -> Iterator[str]:
    """What the release says that the value is; nothing of a password."""
    if item.is_secret:
        yield from _comment("a password: in plain text here, KOTS encrypts it")
        if item.default or item.preset:
            yield from _comment("has a default, not shown")
        return
    if item.type == "file":
        yield from _comment("the content of the file, in base64")
    for what, text in (("default", item.default), ("the release's own value", item.preset)):
        if text:
            shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
            yield from _comment(f"{what}: {one_line(shown)}")


def _field(item: ConfigItem) -> str:
    return "valuePlaintext" if item.is_secret else "value"


def _entry(name: str, field: str) -> Iterator[str]:
    yield f"    {key(name)}:"
    yield f'      {field}: ""'


def _commented(lines: Iterator[str]) -> Iterator[str]:
    return (line.replace("    ", "    # ", 1) for line in lines)


def _comment(text: str) -> Iterator[str]:
    """Comment lines; nothing in the text ends one before its time."""
    for line in text.splitlines():
        for part in wrap(one_line(line), _WIDTH, break_long_words=False, break_on_hyphens=False):
            yield f"    # {part}"
