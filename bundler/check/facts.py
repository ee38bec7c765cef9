"""What the rules need to know, gathered while the things that say it are open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bundler.resolve.walk import Taker
from bundler.spec import BundleSpec
from transfer.archive import AirgapArchive
from transfer.archive.appfiles import AppFiles, read_app_files
from transfer.archive.plugin import plugin_version
from transfer.contents import PLUGINS, ArchiveRecord, FileRecord, ImageRecord, ReleaseRecord
from transfer.disk import read_text
from transfer.errors import InvalidInput, TransferError, raise_together
from transfer.kots.licence import Licence
from transfer.kots.values import ConfigValues
from transfer.store import Source

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """One archive of KOTS, and what is in it beside its images."""

    record: ArchiveRecord
    files: AppFiles = field(default_factory=AppFiles)
    airgap_yaml_size: int = 0
    """Bytes of its `airgap.yaml`; 0 where it has none."""

    @property
    def release(self) -> ReleaseRecord:
        """What the archive says of itself."""
        return self.record.release


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFiles:
    """The files of the site that a spec names to be checked; they are not carried."""

    licences: Mapping[str, Licence] = field(default_factory=dict)
    """By the slug of the application, as the next."""
    values: Mapping[str, ConfigValues] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that was gathered."""

    releases: tuple[ReleaseFacts, ...] = ()
    """Of the admin console and the applications, in the order of the spec."""
    plugins: Mapping[str, str | None] = field(default_factory=dict)
    """The version that each kubectl-kots says of itself, by its path in the bundle."""
    site: SiteFiles = field(default_factory=SiteFiles)


class Gatherer:
    """Takes what `resolve` hands over, keeps the facts, and hands it on."""

    def __init__(self, following: Taker | None = None) -> None:
        """`following` gets everything too, such as whoever writes the bundle."""
        self._following = following
        self._releases: list[ReleaseFacts] = []
        self._plugins: dict[str, str | None] = {}

    def take_archive(self, archive: AirgapArchive, record: ArchiveRecord) -> None:
        """An archive; open during the call.

        Raises:
            CorruptArchive: its `app.tar.gz` is damaged.
        """
        self._releases.append(facts_of(archive, record))
        if self._following:
            self._following.take_archive(archive, record)

    def take_file(self, content: Path | bytes, record: FileRecord) -> None:
        """A plain file: where it is, or what is in it."""
        if record.path.startswith(f"{PLUGINS}/") and isinstance(content, Path):
            self._plugins[record.path] = plugin_version(content)
        if self._following:
            self._following.take_file(content, record)

    def take_images(self, images: Sequence[tuple[Source, ImageRecord]]) -> None:
        """Images of registries; they say nothing more than their records."""
        if self._following:
            self._following.take_images(images)

    def facts(self, site: SiteFiles) -> Facts:
        """All of it."""
        return Facts(releases=tuple(self._releases), plugins=self._plugins, site=site)


def facts_of(archive: AirgapArchive, record: ArchiveRecord) -> ReleaseFacts:
    """What an open archive says beside its record.

    Raises:
        CorruptArchive: its `app.tar.gz` is damaged.
    """
    return ReleaseFacts(
        record=record,
        files=read_app_files(archive),
        airgap_yaml_size=len(archive.airgap_yaml or b""),
    )


def read_site_files(spec: BundleSpec, folder: Path) -> SiteFiles:
    """Read the licences and configuration values that a spec names; paths start at `folder`.

    Raises:
        InvalidInput: with every fault of every file; nothing confidential is repeated.
        TransferError: the only one that cannot be read.
    """
    faults: list[TransferError] = []

    def read(entry: str, name: str | None, parse: Callable[[str, str], _T]) -> _T | None:
        if name is None:
            return None
        try:
            return parse(read_text(folder / name, f"{entry}: {name}"), name)
        except TransferError as error:
            faults.append(error)
            return None

    licences = {
        app.slug: read(f"{app.entry}.license", app.license_file, Licence.parse)
        for app in spec.applications
    }
    values = {
        app.slug: read(f"{app.entry}.configValues", app.config_values, ConfigValues.parse)
        for app in spec.applications
    }
    if len(faults) == 1:
        raise faults[0]
    raise_together(InvalidInput, "files that the spec names cannot be read", faults)
    return SiteFiles(
        licences={slug: licence for slug, licence in licences.items() if licence},
        values={slug: given for slug, given in values.items() if given},
    )
