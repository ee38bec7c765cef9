"""What the files of a release say, read out of its `app.tar.gz`: what it asks, and its images.

Nothing of this is needed to carry a release, so reading an archive does without; it is for
whoever wants to know beforehand what the site will find. Whoever made the archive also chose how
much there is of everything: beyond the limits, it is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from transfer.archive.airgap import AirgapArchive
from transfer.archive.application import SEPARATOR, YAML, start_of
from transfer.archive.inflated import DAMAGED, Inflated
from transfer.archive.release import KINDS_GROUP
from transfer.archive.tarscan import Member, Section, scan_tar
from transfer.errors import CorruptArchive, TransferError
from transfer.kots.config import Config
from transfer.kots.images import POSSIBLE, NamedImages
from transfer.yamlfile import NOT_YAML, load_texts

MAX_CONTENT = 1 << 30
"""Bytes of an `app.tar.gz` once inflated, and of all charts in it."""

MAX_DOCUMENT = 512 * 1024
MAX_PARSED = 3 << 20
"""Bytes of YAML that are parsed, which takes seconds for a megabyte; other ways are found for the
rest."""

_CONFIG = re.compile(r"^kind:\s*[\"']?Config\b", re.MULTILINE)
_CHARTS = (".tgz", ".tar.gz")
_TEMPLATES = re.compile(r"(?:^|/)templates/(?!tests/)(?:.*/)?[^/]+\.(?:yaml|yml|tpl)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFiles:
    """What was found."""

    config: Config | None = None
    """What the release asks whoever installs it; None where it asks nothing."""
    images: tuple[str, ...] = ()
    """The images that its files name, as they are written."""
    templated: int = 0
    """Names that only KOTS or Helm can tell, once it has filled in a template."""


def read_app_files(archive: AirgapArchive) -> AppFiles:
    """Look through the files of a release.

    Raises:
        CorruptArchive: its `app.tar.gz` is damaged, or inflates without end.
    """
    app = archive.app_archive()
    if app is None:
        return AppFiles()
    looking = _Looking()
    try:
        with app as content:
            looking.take_all(content)
    except DAMAGED as error:
        raise CorruptArchive(f"{archive.description}: app.tar.gz is damaged: {error}") from error
    return AppFiles(
        config=looking.config, images=looking.images.names, templated=looking.images.templated
    )


@dataclass(slots=True)
class _Looking:
    """What was found so far, and how much may still be read."""

    images: NamedImages = field(default_factory=NamedImages)
    config: Config | None = None
    charts: int = MAX_CONTENT
    parsed: int = MAX_PARSED

    def take_all(self, content: Section) -> None:
        for member in _members(Inflated(content, MAX_CONTENT)):
            if member.name.endswith(YAML):
                for document in SEPARATOR.split(start_of(member.content)):
                    self.take_document(document.decode(errors="replace"))
            elif member.name.endswith(_CHARTS):
                self.take_chart(member.content)

    def take_document(self, text: str) -> None:
        asks = KINDS_GROUP in text and _CONFIG.search(text) is not None
        if not asks and not POSSIBLE.search(text):
            return
        value = self._parse(text)
        if value is None:
            self.images.take_template(text)
            return
        self.images.take_document(value)
        if asks and value.get("kind") == "Config" and _of_kots(value):
            self.config = Config.read(value)  # KOTS takes the last one too

    def take_chart(self, content: Section) -> None:
        """A Helm chart; one that is damaged is for Helm to complain about."""
        inflated = Inflated(content, self.charts)
        try:
            for member in _members(inflated):
                if _TEMPLATES.search(member.name):
                    self.images.take_template(start_of(member.content).decode(errors="replace"))
        except DAMAGED:
            pass
        finally:
            self.charts -= min(inflated.position, self.charts)

    def _parse(self, text: str) -> dict[str, object] | None:
        """The document; None where it is a template, or too much to parse."""
        if len(text) > min(MAX_DOCUMENT, self.parsed):
            return None
        self.parsed -= len(text)
        try:
            value = load_texts(text)
        except NOT_YAML:
            return None
        return value if isinstance(value, dict) else None


def _of_kots(document: dict[str, object]) -> bool:
    group = document.get("apiVersion")
    return isinstance(group, str) and group.startswith(KINDS_GROUP)


def _members(content: Inflated) -> Iterator[Member]:
    faults: list[TransferError] = []  # of the members: KOTS takes them or not, nothing is unpacked
    for member in scan_tar(content, "app.tar.gz", faults, links=True):
        if member.link is None:
            yield member
