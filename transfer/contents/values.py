"""The values: archives with their releases and images, single images, plugins, plain files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from transfer.descriptor import Descriptor
from transfer.digest import Digest

FILES = "files"
PLUGINS = f"{FILES}/kubectl-kots"
KEPT_ARCHIVES = f"{FILES}/archives"
TOOLKIT = f"{FILES}/toolkit"
"""Folders of a bundle: plain files, and among them the plugins, the vendor's archives and this
toolkit itself."""


class ArchiveKind(StrEnum):
    """What a vendor's archive is for."""

    ADMIN_CONSOLE = "admin-console"
    """`kotsadm.tar.gz`: the images of the KOTS admin console."""
    APPLICATION = "application"
    """`<app>.airgap`: one release of an application."""
    IMAGES = "images"
    """A docker-save archive of images, such as a Harness module `*_images.tgz`."""


class ArchiveFormat(StrEnum):
    """How an archive stores its images (kots/formats.md (a))."""

    DOCKER = "docker"
    """The storage tree of a distribution registry; manifests as they were."""
    DOCKER_ARCHIVE = "docker-archive"
    """docker-save tars; manifests are written by us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image: the reference it is known by, and the manifest or index at its root."""

    name: str
    root: Descriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """One plain file: its path below the bundle's folder, bytes and digest."""

    path: str
    size: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRecord:
    """A kubectl-kots archive for one platform, for example `linux/amd64`."""

    platform: str
    file: FileRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredRelease:
    """A release that has to be deployed before this one (airgap.yaml `requiredReleases`)."""

    version_label: str
    update_cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRecord:
    """What `airgap.yaml` and `app.tar.gz` say of a release; "" where they say nothing.

    Field names and meanings: kots/formats.md (b).
    """

    app_slug: str = ""
    version_label: str = ""
    """For the admin console: the tag of its `kotsadm` image."""
    channel_id: str = ""
    channel_name: str = ""
    update_cursor: str = ""
    is_required: bool = False
    required_releases: tuple[RequiredRelease, ...] = ()
    min_kots_version: str = ""
    target_kots_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRecord:
    """One vendor's archive: the file as it was downloaded, and what was found in it."""

    kind: ArchiveKind
    file_name: str
    size: int
    digest: Digest
    format: ArchiveFormat
    release: ReleaseRecord
    slim: str | None
    """Path in the bundle of the archive without its images; None where KOTS needs none."""
    compressor: str | None
    """What compressed the layers of a docker-archive; the digests hold for it alone."""
    images: tuple[ImageRecord, ...]

    @property
    def kept(self) -> str:
        """Path of the vendor's own file in a bundle that carries it too."""
        return f"{KEPT_ARCHIVES}/{self.file_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorReleases:
    """Which releases of an application its vendor calls major ones; no archive says so."""

    slug: str
    labels: tuple[str, ...]
    """Their version labels, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything in a bundle."""

    name: str
    version: str
    archives: tuple[ArchiveRecord, ...] = ()
    images: tuple[ImageRecord, ...] = ()
    plugins: tuple[PluginRecord, ...] = ()
    files: tuple[FileRecord, ...] = ()
    major_releases: tuple[MajorReleases, ...] = ()
    allowed: tuple[str, ...] = ()
    """What was found wrong and allowed by whoever built it, each as `rule: message`."""

    def all_images(self) -> tuple[ImageRecord, ...]:
        """The images of every archive and the single ones, in the order of the spec."""
        return (*(image for archive in self.archives for image in archive.images), *self.images)

    def all_files(self) -> tuple[FileRecord, ...]:
        """The plugins and the plain files: everything below `files/`."""
        return (*(plugin.file for plugin in self.plugins), *self.files)

    def majors_of(self, slug: str) -> tuple[str, ...]:
        """The labels of an application's major releases, oldest first, as far as somebody said."""
        return next((majors.labels for majors in self.major_releases if majors.slug == slug), ())
