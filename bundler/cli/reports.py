"""Results as a person reads them, and as a program does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bundler.build import Built
from transfer.contents import Contents
from transfer.lock import BundleLock
from transfer.relocate import in_stages, listed_images, release_clashes
from transfer.report import counts
from transfer.text import human_bytes


def locked_text(lock: BundleLock, path: Path) -> str:
    """The entries with their digests, and where the lock is."""
    lines = [f"{source.digest}  {source.source}" for source in lock.sources]
    return "\n".join([*lines, "", f"{path}: {counts(lock.contents)}", *_clash_lines(lock.contents)])


def locked_json(lock: BundleLock) -> dict[str, Any]:
    """The lock as it is written, and which of its releases clash."""
    return {**lock.to_json(), "clashes": clashes(lock.contents)}


def built_text(built: Built) -> str:
    """Where the bundle is, and what it took."""
    bundle = built.bundle
    work = f"blobs: {built.blobs_written} written, {built.blobs_present} there already"
    lines = [
        f"{bundle.path}: {counts(bundle.contents)}, {human_bytes(bundle.size)}",
        work if built.written else "complete already; nothing was written",
        str(bundle.fingerprint),
    ]
    return "\n".join([*lines, *_clash_lines(bundle.contents)])


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
        "clashes": clashes(built.bundle.contents),
    }


def clashes(contents: Contents) -> list[str]:
    """What two releases of one application want to be at a site, a line each."""
    return [str(clash) for clash in release_clashes(contents)]


def _clash_lines(contents: Contents) -> list[str]:
    found = release_clashes(contents)
    if not found:
        return []
    return [
        "",
        "warning: releases have different images under one name; a site takes them in stages:",
        f"  {in_stages(listed_images(contents))}",
        *(f"  - {clash}" for clash in found),
    ]
