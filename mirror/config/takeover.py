"""Answers of one application taken over by another: which are taken, and which must not differ.

Harness guide, "Install NextGen on existing FirstGen cluster": the exact same configuration, the
Scheme and the ingress settings above all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from mirror.config.advice import answers_by_title, differing, is_in_guide
from mirror.secret import HIDDEN
from transfer.errors import InvalidInput
from transfer.kots.config import Config, ConfigItem
from transfer.kots.values import ConfigValues
from transfer.yamlfile import NOT_YAML, load_texts

_GIVEN = ("value", "valuePlaintext", "data", "dataPlaintext")
_MUST_AGREE = ("scheme", "ingress")
_URL = "applicationurl"
SIGN_UP = "/auth/#/signup"
"""Of the applications that the guide is about, behind their Application URL."""


def merge(source: str, own: str | None, keys: Iterable[str] | None, file: str) -> str:
    """The text of a ConfigValues file: what `own` answers, and the rest as `source` does.

    What `source` leaves unanswered is left out: KOTS takes an empty entry for the answer.

    Args:
        source: The text of the answers to take over, as KOTS gives them.
        own: The text of the application's own answers.
        keys: The items to take over, None for all.
        file: How messages name the source.

    Raises:
        InvalidInput: one of them holds no answers; nothing of it is repeated.
    """
    known = None if keys is None else set(keys)
    taken = {
        name: {key: field for key, field in answer.items() if key != "default"}
        for name, answer in _values(source, file).items()
        if _is_given(answer) and (known is None or name in known)
    }
    mine = _values(own, "configValues") if own is not None else {}
    for name, answer in taken.items():
        if name not in mine and any(HIDDEN in field for field in answer.values()):
            raise InvalidInput(
                f"{file}: {name}: one of the site's own passwords, which is never written",
                hint=f"answer {name} in configValues of the application",
            )
    document = {
        "apiVersion": "kots.io/v1beta1",
        "kind": "ConfigValues",
        "spec": {"values": {**taken, **mine}},
    }
    return yaml.safe_dump(document, sort_keys=True, allow_unicode=True)


def clashes(source: ConfigValues, own: ConfigValues, config: Config | None) -> Iterator[str]:
    """Items that both answer, each in its own way, and that the guide wants to be the same."""
    items = {item.name: item for item in config.items} if config else {}
    for name in differing(source, own):
        item = items.get(name)
        words = _words(item) if item else name.casefold()
        same = _counting(source, name, item) == _counting(own, name, item)
        if not same and any(word in words for word in _MUST_AGREE):
            yield name


def sign_up_address(values: ConfigValues, config: Config) -> str:
    """Where the users of an application sign up; "" where the guide says nothing of it.

    Harness guide, "Step 5: Deploy Harness".
    """
    url = answers_by_title(values, config).get(_URL, "") if is_in_guide(config) else ""
    return url.rstrip("/") + SIGN_UP if url.startswith(("http://", "https://")) else ""


def _words(item: ConfigItem) -> str:
    return f"{item.name} {item.title} {item.group}".casefold()


def _counting(values: ConfigValues, name: str, item: ConfigItem | None) -> str:
    """What counts for an item: its answer, or else what the release itself has for it."""
    fields = values.answers[name].fields
    given = fields.get("value") or fields.get("valuePlaintext") or fields.get("data") or ""
    return given or (item.preset or item.default if item else "")


def _is_given(answer: Mapping[str, Any]) -> bool:
    return any(answer.get(key) for key in _GIVEN)


def _values(text: str, file: str) -> dict[str, dict[str, Any]]:
    try:
        document = load_texts(text)
        if document["kind"] != "ConfigValues":
            raise KeyError
        values = document["spec"]["values"] or {}
        return {str(name): dict(answer) for name, answer in values.items()}
    except (*NOT_YAML, TypeError):
        raise InvalidInput(f"{file}: holds no configuration values") from None
