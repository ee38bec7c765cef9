"""The JSON form read strictly: every fault with its path."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from transfer.contents.keys import RELEASE_KEYS
from transfer.contents.paths import check_bundle_path, is_file_name
from transfer.contents.values import (
    ArchiveFormat,
    ArchiveKind,
    ArchiveRecord,
    Contents,
    FileRecord,
    ImageRecord,
    MajorReleases,
    PluginRecord,
    ReleaseRecord,
    RequiredRelease,
)
from transfer.descriptor import ACCEPTED_TYPES, Descriptor
from transfer.digest import Digest
from transfer.fields import Fields

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
    fields = parent.child("release", *RELEASE_KEYS, "isRequired", "requiredReleases")
    if fields is None:
        return ReleaseRecord()
    required = tuple(
        RequiredRelease(
            version_label=f.text("versionLabel", ""), update_cursor=f.text("updateCursor", "")
        )
        for f in fields.children("requiredReleases", "versionLabel", "updateCursor")
    )
    texts = {name: fields.text(key, "") for key, name in RELEASE_KEYS.items()}
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
