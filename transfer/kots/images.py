"""The images that the files of a release name, as far as they can be told without KOTS.

Pods name them, and the Application kind lists those that no pod does (`additionalImages`; KOTS:
pkg/kotsutil, GetImagesFromKotsKinds). A name that a template makes is known only at the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from transfer.plain import is_plain

POSSIBLE = re.compile(r"\bimage[\"']?\s*:|\badditionalImages\b")
"""What a document has that names an image."""

MAX_NAMES = 10_000
MAX_NAME = 512

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_ADDITIONAL = "additionalImages"
_GROUP = "kots.io/"
_LINE = re.compile(r"^[ \t]*(?:-[ \t]+)?[\"']?image[\"']?[ \t]*:[ \t]+(\S[^\n]*)$", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")
_TEMPLATES = ("{{", "$(", "${")


class NamedImages:
    """The names that were found, each once."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.templated = 0
        """Names that a template makes."""
        self._names: dict[str, None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """As they are written, in the order in which they were found."""
        return tuple(self._names)

    def take_document(self, document: dict[str, object]) -> None:
        """Look through a parsed YAML document; with aliases it may hold itself."""
        for name in _names_in(document):
            self._take(name)

    def take_template(self, text: str) -> None:
        """Look through a file that is no YAML before somebody has filled it in."""
        for line in _LINE.finditer(text):
            self._take(_unquoted(line[1]))

    def _take(self, name: str) -> None:
        if any(mark in name for mark in _TEMPLATES):
            self.templated += 1
        elif len(name) <= MAX_NAME and len(self._names) < MAX_NAMES and _NAME.fullmatch(name):
            self._names[name] = None


def _names_in(document: dict[str, object]) -> Iterator[str]:
    group = document.get("apiVersion")
    of_kots = isinstance(group, str) and group.startswith(_GROUP)
    waiting: list[object] = [document]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            yield from _of_containers(value)
            if of_kots:
                yield from _texts(value.get(_ADDITIONAL))
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _of_containers(value: dict[str, object]) -> Iterator[str]:
    for key in _CONTAINERS:
        containers = value.get(key)
        for container in containers if isinstance(containers, list) else ():
            if isinstance(container, dict):
                yield from _texts([container.get("image")])


def _texts(values: object) -> Iterator[str]:
    for value in values if isinstance(values, list) else ():
        if isinstance(value, str) and is_plain(value):
            yield value.strip()


def _unquoted(text: str) -> str:
    """A YAML value at the end of a line, without quotes and comment."""
    if text[0] in "\"'":
        return text[1:].partition(text[0])[0]
    return re.split(r"\s#", text, maxsplit=1)[0].strip()
