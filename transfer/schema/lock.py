"""The JSON Schema of a lock: see `transfer.lock`."""

from __future__ import annotations

from transfer.contents import ArchiveFormat, ArchiveKind
from transfer.descriptor import ACCEPTED_TYPES
from transfer.schema.patterns import BUNDLE_PATH, DIGEST, FILE_NAME
from transfer.schema.words import (
    Schema,
    choice,
    document,
    flag,
    mapping,
    number,
    several,
    text,
)

_ENTRY = "applications[0].releases[1].archive"


def lock_schema() -> Schema:
    """Of a `BundleLock`; a program writes it, and people review it."""
    return document(
        "BundleLock",
        "Lock of a transfer bundle",
        mapping(
            "A bundle spec resolved to digests and sizes: what a build takes, and nothing else.",
            required={
                "name": text("The bundle's name, of the spec."),
                "version": text("The bundle's version, of the spec."),
            },
            optional={
                "sources": several("Where each entry of the spec came from.", _source()),
                "size": number("Bytes of all blobs and files of the bundle, each once."),
                "archives": several("The vendor's archives.", _archive()),
                "images": several("The images that no archive holds.", _image()),
                "plugins": several(
                    "The kubectl-kots plugins.",
                    _file(platform=text("The platform it runs on.", "linux/amd64")),
                ),
                "files": several("The plain files.", _file()),
                "majorReleases": several("Which releases are major ones.", _majors()),
                "allowed": several(
                    "What was found wrong, and allowed by name.", text("rule: message")
                ),
            },
        ),
    )


def _source() -> Schema:
    return mapping(
        "Where one entry of the spec came from, and which bytes that were.",
        required={
            "entry": text("The entry's path in the spec.", _ENTRY),
            "source": text("The file or address, without query string and user name."),
            "size": number("Bytes."),
            "digest": _digest("Of all the bytes."),
        },
        optional={
            "evidence": text("Who said that this is the digest.", "release API", "first use"),
            "notes": several("What else the source said of it.", text("One fact.")),
        },
    )


def _archive() -> Schema:
    return mapping(
        "One of the vendor's archives, and what is in it.",
        required={
            "kind": choice("What it is for.", *ArchiveKind),
            "fileName": text("As it was downloaded.", "harness-79915.airgap", pattern=FILE_NAME),
            "size": number("Bytes of the file."),
            "digest": _digest("Of the file."),
            "format": choice("How it stores its images.", *ArchiveFormat),
        },
        optional={
            "release": _release(),
            "slim": text("Path in the bundle of its part without images.", pattern=BUNDLE_PATH),
            "compressor": text("What compressed the layers of a docker-archive."),
            "images": several("Its images.", _image()),
        },
    )


def _release() -> Schema:
    required = mapping(
        "A release that has to be deployed before this one.",
        optional={
            "versionLabel": text("Its version label."),
            "updateCursor": text("Its place in the channel."),
        },
    )
    return mapping(
        "What the archive says of its release.",
        optional={
            "appSlug": text("The application's slug.", "harness"),
            "versionLabel": text("The release's version label.", "79915"),
            "channelID": text("The channel's ID."),
            "channelName": text("The channel's name."),
            "updateCursor": text("The release's place in the channel.", "412"),
            "minKotsVersion": text("The oldest admin console that it needs.", "1.124.0"),
            "targetKotsVersion": text("The newest admin console that installs it."),
            "isRequired": flag("Whether an upgrade must not leave it out.", default=False),
            "requiredReleases": several("Releases to deploy before it.", required),
        },
    )


def _majors() -> Schema:
    return mapping(
        "The major releases of one application, as far as the spec names them.",
        required={"slug": text("The application's slug.", "harness")},
        optional={"labels": several("Version labels, oldest first.", text("One label."))},
    )


def _image() -> Schema:
    return mapping(
        "An image, and the manifest or index at its root.",
        required={
            "name": text("The reference it is known by.", "docker.io/harness/manager:79915"),
            "mediaType": choice("Of the manifest or index.", *ACCEPTED_TYPES),
            "digest": _digest("Of the manifest or index."),
            "size": number("Bytes of the manifest or index."),
        },
    )


def _file(**more: Schema) -> Schema:
    return mapping(
        "A plain file of the bundle.",
        required={
            **more,
            "path": text("Below the bundle's folder.", pattern=BUNDLE_PATH),
            "size": number("Bytes."),
            "digest": _digest("Of the file."),
        },
    )


def _digest(description: str) -> Schema:
    return text(description, pattern=DIGEST)
