"""Content that comes as a stream, and from no address: in the same cache as all the rest.

    CACHE/partial/<name>            while it comes, locked; what broke off is begun anew

<name> is the digest of its identity. Once it is complete it is a file like any other, and what
its identity stands for is remembered.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from bundler.downloads.cache import Cache, name_of
from bundler.downloads.remembered import Memory, recall, remember
from bundler.downloads.values import Fetched
from transfer.digest import Digest
from transfer.disk import FILE_MODE, lock_file, set_mode, share_lock, storage_errors


def find_stream(cache: Cache, identity: str) -> Fetched | None:
    """What an identity stands for, if it is in the cache.

    Raises:
        StorageError: the cache cannot be read.
    """
    memory = recall(cache, identity)
    return cache.find(memory.digest, memory.size) if memory else None


def keep_stream(
    cache: Cache, identity: str, file_name: str, blocks: Generator[bytes, None, None]
) -> Fetched:
    """Write a stream into the cache, unless another process does so at the same time.

    Args:
        cache: Where it is kept.
        identity: A name for this very content.
        file_name: What people know it by.
        blocks: The content; not begun where it is in the cache by now.

    Raises:
        StorageError: the cache cannot be written; nothing of it stays.
        TransferError: as `blocks` raises it; the same.
    """
    path = cache.partial / name_of(identity)
    with storage_errors(cache.what):
        cache.partial.mkdir(parents=True, exist_ok=True)
    file = lock_file(path, cache.what)
    try:
        found = find_stream(cache, identity)
        if found is None:
            with storage_errors(cache.what):
                digest = _write(file, blocks)
                size = os.fstat(file.fileno()).st_size
                # Before the name: whoever waited for the lock finds the one by way of the other.
                remember(
                    cache, Memory(identity=identity, file_name=file_name, digest=digest, size=size)
                )
                _publish(cache, path, file, digest)
                found = Fetched(path=cache.path(digest), digest=digest, size=size)
        else:
            path.unlink()
            file.close()
    except BaseException:
        path.unlink(missing_ok=True)
        file.close()
        raise
    return found


def _write(file: BinaryIO, blocks: Generator[bytes, None, None]) -> Digest:
    found = hashlib.sha256()
    file.truncate(0)  # of what a killed process left
    with closing(blocks):
        for block in blocks:
            found.update(block)
            file.write(block)
    file.flush()
    os.fsync(file.fileno())
    return Digest("sha256", found.hexdigest())


def _publish(cache: Cache, path: Path, file: BinaryIO, digest: Digest) -> None:
    final = cache.path(digest)
    final.parent.mkdir(parents=True, exist_ok=True)
    set_mode(path, FILE_MODE)
    path.replace(final)
    share_lock(file)
    cache.hold(digest, file)
