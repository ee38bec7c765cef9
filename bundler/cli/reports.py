"""Results as a person reads them, and as a program does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bundler.build import Built
from transfer.bundle import Bundle, VerifiedBundle
from transfer.console import human_bytes
from transfer.contents import ArchiveRecord, Contents
from transfer.lock import BundleLock


def locked_text(lock: BundleLock, path: Path) -> str:
    """The entries with their digests, and where the lock is."""
    lines = [f"{source.digest}  {source.source}" for source in lock.sources]
    return "\n".join([*lines, "", f"{path}: {_counts(lock.contents)}"])


def locked_json(lock: BundleLock) -> dict[str, Any]:
    """The same for a program."""
    return {
        "sources": [
            {"entry": source.entry, "source": source.source, "digest": str(source.digest)}
            for source in lock.sources
        ],
        **lock.contents.to_json(),
    }


def built_text(built: Built) -> str:
    """Where the bundle is, and what it took."""
    bundle = built.bundle
    head = f"{bundle.path}: {_counts(bundle.contents)}, {human_bytes(bundle.size)}"
    if not built.written:
        return f"{head}\ncomplete already; nothing was written\n{bundle.fingerprint}"
    return (
        f"{head}\nblobs: {built.blobs_written} written, {built.blobs_present} there already\n"
        f"{bundle.fingerprint}"
    )


def built_json(built: Built) -> dict[str, Any]:
    """The same for a program."""
    return {
        "path": str(built.bundle.path),
        "fingerprint": str(built.bundle.fingerprint),
        "bytes": built.bundle.size,
        "images": len(built.bundle.images),
        "written": built.written,
        "blobsWritten": built.blobs_written,
        "blobsPresent": built.blobs_present,
    }


def verified_text(verified: VerifiedBundle) -> str:
    """What was proven."""
    bundle = verified.bundle
    return (
        f"{bundle.path}: {verified.files} files, {human_bytes(verified.size)} read and proven "
        f"({bundle.fingerprint})"
    )


def verified_json(verified: VerifiedBundle) -> dict[str, Any]:
    """The same for a program."""
    return {
        "path": str(verified.bundle.path),
        "fingerprint": str(verified.bundle.fingerprint),
        "files": verified.files,
        "bytes": verified.size,
    }


def bundle_text(bundle: Bundle) -> str:
    """What a bundle holds."""
    contents = bundle.contents
    lines = [f"{contents.name} {contents.version}: {_counts(contents)}, {human_bytes(bundle.size)}"]
    for archive in contents.archives:
        lines += ["", archive_text(archive)]
    if contents.images:
        lines += ["", "images", *(f"  {image.name}" for image in contents.images)]
    if contents.all_files():
        lines += ["", "files"]
        lines += [f"  {file.path}  {human_bytes(file.size)}" for file in contents.all_files()]
    return "\n".join(lines)


def archive_text(record: ArchiveRecord) -> str:
    """What an archive is, and its images."""
    about = ", ".join(_about(record))
    head = f"{record.file_name}  {human_bytes(record.size)}  {about}"
    required = (f"  requires {one.version_label} first" for one in record.release.required_releases)
    return "\n".join([head, *required, *(f"  {image.name}" for image in record.images)])


def archive_json(record: ArchiveRecord) -> dict[str, Any]:
    """The same for a program, in the form that a bundle has it."""
    (value,) = Contents(name="", version="", archives=(record,)).to_json()["archives"]
    return dict(value)


def _about(record: ArchiveRecord) -> Iterator[str]:
    release = record.release
    yield record.kind.value
    yield from filter(None, (release.app_slug, release.version_label))
    if release.channel_name:
        yield f"channel {release.channel_name}"
    if release.update_cursor:
        yield f"cursor {release.update_cursor}"
    if release.min_kots_version:
        yield f"KOTS {release.min_kots_version} or newer"


def _counts(contents: Contents) -> str:
    counts = {
        "archive": len(contents.archives),
        "image": len(contents.all_images()),
        "file": len(contents.all_files()),
    }
    return ", ".join(
        f"{count} {noun}" if count == 1 else f"{count} {noun}s" for noun, count in counts.items()
    )
