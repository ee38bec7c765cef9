"""The JSON form written: stable, and without what there is nothing to say of."""

from __future__ import annotations

from typing import Any

from transfer.contents.keys import RELEASE_KEYS
from transfer.contents.values import (
    ArchiveRecord,
    Contents,
    FileRecord,
    ImageRecord,
    ReleaseRecord,
    RequiredRelease,
)


def contents_to_json(contents: Contents) -> dict[str, Any]:
    """The JSON form that `read_contents` reads."""
    value: dict[str, Any] = {
        "name": contents.name,
        "version": contents.version,
        "archives": [_archive_to_json(archive) for archive in contents.archives],
        "images": [_image_to_json(image) for image in contents.images],
        "plugins": [
            {"platform": plugin.platform, **_file_to_json(plugin.file)}
            for plugin in contents.plugins
        ],
        "files": [_file_to_json(file) for file in contents.files],
    }
    if contents.major_releases:
        value["majorReleases"] = [
            {"slug": majors.slug, "labels": list(majors.labels)}
            for majors in contents.major_releases
        ]
    if contents.allowed:
        value["allowed"] = list(contents.allowed)
    return value


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
        key: text for key, name in RELEASE_KEYS.items() if (text := getattr(release, name))
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
