"""What a bundle holds, as values: the common part of a lock and of `bundle.json`.

Everything here was computed from bytes that were read and proven. No source address is in it:
a download address may carry a signature, and a bundle is handed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from transfer.descriptor import ACCEPTED_TYPES, Descriptor
from transfer.digest import Digest
from transfer.fields import Fields

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

    def to_json(self) -> dict[str, Any]:
        """The JSON form that `read_contents` reads."""
        value: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "archives": [_archive_to_json(archive) for archive in self.archives],
            "images": [_image_to_json(image) for image in self.images],
            "plugins": [
                {"platform": plugin.platform, **_file_to_json(plugin.file)}
                for plugin in self.plugins
            ],
            "files": [_file_to_json(file) for file in self.files],
        }
        if self.major_releases:
            value["majorReleases"] = [
                {"slug": majors.slug, "labels": list(majors.labels)}
                for majors in self.major_releases
            ]
        if self.allowed:
            value["allowed"] = list(self.allowed)
        return value


CONTENTS_KEYS = (
    *("name", "version", "archives", "images", "plugins", "files"),
    *("majorReleases", "allowed"),
)

_FILE_KEYS = ("path", "size", "digest")
_IMAGE_KEYS = ("name", "mediaType", "digest", "size")
_ARCHIVE_KEYS = (
    "kind",
    "fileName",
    "size",
    "digest",
    "format",
    "release",
    "slim",
    "compressor",
    "images",
)
_RELEASE_KEYS = {
    "appSlug": "app_slug",
    "versionLabel": "version_label",
    "channelID": "channel_id",
    "channelName": "channel_name",
    "updateCursor": "update_cursor",
    "minKotsVersion": "min_kots_version",
    "targetKotsVersion": "target_kots_version",
}
_E = TypeVar("_E", bound=StrEnum)

NO_DIGEST = Digest("sha256", "0" * 64)
"""Stands in for a digest whose absence was noted as a fault."""


def read_contents(fields: Fields) -> Contents:
    """Read the JSON form; faults are noted, and the caller raises them."""
    return Contents(
        name=fields.text("name"),
        version=fields.text("version"),
        archives=tuple(_read_archive(f) for f in fields.children("archives", *_ARCHIVE_KEYS)),
        images=tuple(_read_image(f) for f in fields.children("images", *_IMAGE_KEYS)),
        plugins=tuple(
            PluginRecord(platform=f.text("platform"), file=_read_file(f))
            for f in fields.children("plugins", "platform", *_FILE_KEYS)
        ),
        files=tuple(_read_file(f) for f in fields.children("files", *_FILE_KEYS)),
        major_releases=tuple(
            MajorReleases(slug=f.text("slug"), labels=f.texts("labels"))
            for f in fields.children("majorReleases", "slug", "labels")
        ),
        allowed=fields.texts("allowed"),
    )


def _read_archive(fields: Fields) -> ArchiveRecord:
    kind = read_member(fields, "kind", ArchiveKind, ArchiveKind.IMAGES)
    archive_format = read_member(fields, "format", ArchiveFormat, ArchiveFormat.DOCKER)
    slim, name = fields.optional_text("slim"), fields.text("fileName")
    if slim:
        check_bundle_path(fields, "slim", slim)
    if name and not is_file_name(name):
        fields.fault("fileName", f"not the name of a file: {name!r}")
    return ArchiveRecord(
        kind=kind,
        file_name=name,
        size=fields.integer("size"),
        digest=fields.digest("digest") or NO_DIGEST,
        format=archive_format,
        release=_read_release(fields),
        slim=slim,
        compressor=fields.optional_text("compressor"),
        images=tuple(_read_image(f) for f in fields.children("images", *_IMAGE_KEYS)),
    )


def read_member(fields: Fields, key: str, kind: type[_E], placeholder: _E) -> _E:
    """One of an enumeration's values; the placeholder where the text is none of them."""
    text = fields.text(key)
    try:
        return kind(text)
    except ValueError:
        if text:
            known = ", ".join(member.value for member in kind)
            fields.fault(key, f"expected one of {known}, found {text!r}")
        return placeholder


def _read_release(parent: Fields) -> ReleaseRecord:
    fields = parent.child("release", *_RELEASE_KEYS, "isRequired", "requiredReleases")
    if fields is None:
        return ReleaseRecord()
    required = tuple(
        RequiredRelease(
            version_label=f.text("versionLabel", ""), update_cursor=f.text("updateCursor", "")
        )
        for f in fields.children("requiredReleases", "versionLabel", "updateCursor")
    )
    texts = {name: fields.text(key, "") for key, name in _RELEASE_KEYS.items()}
    return ReleaseRecord(
        **texts,
        is_required=fields.boolean("isRequired"),
        required_releases=required,
    )


def _read_image(fields: Fields) -> ImageRecord:
    return ImageRecord(name=fields.text("name"), root=read_root(fields))


def read_root(fields: Fields) -> Descriptor:
    """The manifest or index at the root of an image."""
    media_type = fields.text("mediaType")
    if media_type and media_type not in ACCEPTED_TYPES:
        fields.fault("mediaType", f"not the type of a manifest: {media_type!r}")
    return Descriptor(
        media_type=media_type,
        digest=fields.digest("digest") or NO_DIGEST,
        size=fields.integer("size"),
    )


def _read_file(fields: Fields) -> FileRecord:
    path = fields.text("path")
    if path:
        check_bundle_path(fields, "path", path)
    return FileRecord(
        path=path, size=fields.integer("size"), digest=fields.digest("digest") or NO_DIGEST
    )


def check_bundle_path(fields: Fields, key: str, path: str) -> None:
    """Note a fault unless `is_bundle_path`."""
    if not is_bundle_path(path):
        fields.fault(key, f"not a path inside the bundle: {path!r}")


def is_bundle_path(path: str) -> bool:
    """Whether a path is relative, with plain components, below its folder."""
    parts = path.split("/")
    plain = all(part not in ("", ".", "..") for part in parts)
    return plain and "\\" not in path and path.isprintable()


def is_file_name(name: str) -> bool:
    """Whether a text is one plain component of a path."""
    return is_bundle_path(name) and "/" not in name


def _archive_to_json(archive: ArchiveRecord) -> dict[str, Any]:
    value: dict[str, Any] = {
        "kind": archive.kind.value,
        "fileName": archive.file_name,
        "size": archive.size,
        "digest": str(archive.digest),
        "format": archive.format.value,
        "release": _release_to_json(archive.release),
        "images": [_image_to_json(image) for image in archive.images],
    }
    if archive.slim is not None:
        value["slim"] = archive.slim
    if archive.compressor is not None:
        value["compressor"] = archive.compressor
    return value


def _release_to_json(release: ReleaseRecord) -> dict[str, Any]:
    value: dict[str, Any] = {
        key: text for key, name in _RELEASE_KEYS.items() if (text := getattr(release, name))
    }
    if release.is_required:
        value["isRequired"] = True
    if release.required_releases:
        value["requiredReleases"] = [
            _required_to_json(required) for required in release.required_releases
        ]
    return value


def _required_to_json(required: RequiredRelease) -> dict[str, str]:
    value = {"versionLabel": required.version_label, "updateCursor": required.update_cursor}
    return {key: text for key, text in value.items() if text}


def _image_to_json(image: ImageRecord) -> dict[str, Any]:
    return {
        "name": image.name,
        "mediaType": image.root.media_type,
        "digest": str(image.root.digest),
        "size": image.root.size,
    }


def _file_to_json(file: FileRecord) -> dict[str, Any]:
    return {"path": file.path, "size": file.size, "digest": str(file.digest)}
