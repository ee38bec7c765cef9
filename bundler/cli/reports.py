"""Results as a person reads them, and as a program does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bundler.build import Built
from transfer.lock import BundleLock
from transfer.report import counts
from transfer.text import human_bytes


def locked_text(lock: BundleLock, path: Path) -> str:
    """The entries with their digests, and where the lock is."""
    lines = [f"{source.digest}  {source.source}" for source in lock.sources]
    return "\n".join([*lines, "", f"{path}: {counts(lock.contents)}"])


def built_text(built: Built) -> str:
    """Where the bundle is, and what it took."""
    bundle = built.bundle
    head = f"{bundle.path}: {counts(bundle.contents)}, {human_bytes(bundle.size)}"
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
