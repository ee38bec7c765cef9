"""Receipts as files, and locks where they stand for what was pushed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

from transfer.disk import open_plain, read_text, replace_file, storage_errors
from transfer.errors import InvalidInput, NotFound
from transfer.lock import BUNDLE_LOCK, BundleLock
from transfer.receipt import Receipt


def read_receipt(path: Path) -> Receipt:
    """Read a receipt.

    Raises:
        NotFound: there is none.
        InvalidInput: it is something else, or has mistakes.
        StorageError: it cannot be read.
    """
    return Receipt.parse(read_text(path, f"receipt {path}"), str(path))


def find_list(paths: Sequence[Path]) -> Receipt | BundleLock | None:
    """The receipt or lock that was given instead of sources, None where there are only sources.

    Raises:
        NotFound: one of them is not there.
        InvalidInput: a receipt or lock and something else, or it has mistakes.
        StorageError: it cannot be read.
    """
    for path in paths:
        with storage_errors(str(path)):
            path.stat()
    lists = [path for path in paths if _is_json(path)]
    if lists and len(paths) > 1:
        raise InvalidInput(f"{lists[0]}: give one receipt or lock alone, or only sources")
    return _read_list(lists[0]) if lists else None


def _read_list(path: Path) -> Receipt | BundleLock:
    text = read_text(path, f"receipt or lock {path}")
    try:
        is_lock = json.loads(text).get("kind") == BUNDLE_LOCK
    except (ValueError, AttributeError, RecursionError):
        is_lock = False  # what is wrong with it is told as of a receipt
    return (BundleLock if is_lock else Receipt).parse(text, str(path))


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Write a receipt, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    replace_file(path, receipt.dump().encode(), f"receipt {path}")


def check_place(path: Path) -> None:
    """See before the work starts that a receipt can be written at `path`, and may be.

    Raises:
        NotFound: there is no such folder.
        InvalidInput: a file stands there that is no receipt.
        StorageError: the folder cannot be written.
    """
    if not path.parent.is_dir():
        raise NotFound(f"receipt {path}: there is no folder {path.parent}", hint="create it first")
    if path.exists():
        try:
            read_receipt(path)
        except InvalidInput as error:
            raise InvalidInput(
                f"receipt {path}: a file that is no receipt stands there",
                hint="choose another name; only an older receipt is replaced",
            ) from error
    with storage_errors(f"receipt {path}"), TemporaryFile(dir=path.parent):
        pass


def _is_json(path: Path) -> bool:
    """An archive begins otherwise, and a bundle is a folder."""
    if not path.is_file():
        return False
    with open_plain(path.resolve(), str(path)) as stream:
        return stream.read(1) == b"{"
