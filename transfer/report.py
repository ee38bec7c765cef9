"""What sources hold and what was proven of them: as a person reads it, and as a program does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transfer.contents import ArchiveRecord, Contents, ImageRecord, contents_to_json
from transfer.sources import OpenSource
from transfer.text import counted, human_bytes, table
from transfer.verify import Verified


def verified_text(verified: Sequence[Verified]) -> str:
    """One line a source."""
    return "\n".join(
        f"{one.source.description}: {counted(one.images, 'image')}, "
        f"{human_bytes(one.size)} read and proven ({one.source.applied.fingerprint})"
        for one in verified
    )


def verified_json(verified: Sequence[Verified]) -> list[dict[str, Any]]:
    """The same for a program."""
    return [
        {
            "kind": one.source.applied.kind.value,
            "name": one.source.applied.name,
            "fingerprint": str(one.source.applied.fingerprint),
            "images": one.images,
            "bytes": one.size,
        }
        for one in verified
    ]


def shown_text(sources: Sequence[OpenSource]) -> str:
    """What is in each source: its archives, images and files."""
    return "\n\n".join(
        f"{source.description}: {_contents_text(source.contents)}" for source in sources
    )


def shown_json(sources: Sequence[OpenSource]) -> list[dict[str, Any]]:
    """The same for a program, in the form that `bundle.json` has."""
    return [contents_to_json(source.contents) for source in sources]


def counts(contents: Contents) -> str:
    """`3 archives, 14 images, 1 file`."""
    return ", ".join(
        (
            counted(len(contents.archives), "archive"),
            counted(len(contents.all_images()), "image"),
            counted(len(contents.all_files()), "file"),
        )
    )


def _contents_text(contents: Contents) -> str:
    blocks = [[f"{contents.name} {contents.version}".rstrip() + f": {counts(contents)}"]]
    blocks += [_archive_lines(archive) for archive in contents.archives]
    if contents.images:
        blocks.append(["single images", *_image_lines(contents.images)])
    files = [("", file.path, human_bytes(file.size)) for file in contents.all_files()]
    if files:
        blocks.append(["files", *table(files)])
    if contents.allowed:
        blocks.append(["allowed when it was built", *(f"  {one}" for one in contents.allowed)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _archive_lines(archive: ArchiveRecord) -> list[str]:
    release = archive.release
    about = [
        archive.kind.value,
        release.app_slug,
        release.version_label,
        f"cursor {release.update_cursor}" if release.update_cursor else "",
        f"channel {release.channel_name}" if release.channel_name else "",
        f"KOTS {release.min_kots_version} or newer" if release.min_kots_version else "",
    ]
    head = f"{archive.file_name} ({human_bytes(archive.size)}): {', '.join(filter(None, about))}"
    required = [f"  requires {one.version_label} first" for one in release.required_releases]
    return [head, *required, *_image_lines(archive.images)]


def _image_lines(images: Sequence[ImageRecord]) -> list[str]:
    return table([("", image.name, str(image.root.digest)) for image in images])
