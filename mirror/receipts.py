"""Receipts as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

from transfer.disk import open_plain, read_text, replace_file, storage_errors
from transfer.errors import InvalidInput, NotFound
from transfer.receipt import Receipt


def read_receipt(path: Path) -> Receipt:
    """Read a receipt.

    Raises:
        NotFound: there is none.
        InvalidInput: it is something else, or has mistakes.
        StorageError: it cannot be read.
    """
    return Receipt.parse(read_text(path, f"receipt {path}"), str(path))


def find_receipt(paths: Sequence[Path]) -> Receipt | None:
    """The receipt that was given instead of sources, None where there are only sources.

    Raises:
        NotFound: one of them is not there.
        InvalidInput: a receipt and something else.
        TransferError: as `read_receipt`.
    """
    for path in paths:
        with storage_errors(str(path)):
            path.stat()
    receipts = [path for path in paths if _is_json(path)]
    if receipts and len(paths) > 1:
        raise InvalidInput(f"{receipts[0]}: give one receipt alone, or only sources")
    return read_receipt(receipts[0]) if receipts else None


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
