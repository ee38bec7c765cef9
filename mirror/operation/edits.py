"""Changes to files, each made whole or not at all, and the same when made twice."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from mirror.config.takeover import merge
from mirror.operation.listitem import without_item
from mirror.operation.model import (
    CopyFile,
    Edit,
    InstallPlugin,
    MergeValues,
    RemoveFile,
    RemoveFolder,
    RemoveItem,
)
from mirror.operation.writing import Rewrite, WriteFile
from transfer.bundle.tree import digest_file
from transfer.disk import ingest, read_text, replace_file, storage_errors
from transfer.errors import Conflict, DigestMismatch, InvalidInput

_OWNER_ONLY = 0o600
_EXECUTABLE = 0o755


def edit(wanted: Edit) -> None:
    """Make one change.

    Raises:
        NotFound: the file to change is not there.
        InvalidInput: it is not of the form that it has to be.
        DigestMismatch, CorruptArchive: an archive is not what it was.
        Conflict: a file is not as it was when the plan was made.
        StorageError: the file cannot be read or written.
    """
    path = Path(wanted.path)
    match wanted.change:
        case RemoveItem() as change:
            _remove_item(path, change)
        case InstallPlugin() as change:
            _install_plugin(path, change)
        case MergeValues() as change:
            _merge_values(path, change)
        case WriteFile() as change:
            _write(path, change)
        case Rewrite() as change:
            _rewrite(path, change)
        case RemoveFile():
            with storage_errors(str(path)):
                path.unlink(missing_ok=True)
        case CopyFile(source=source):
            _copy(Path(source), path)
        case RemoveFolder():
            with storage_errors(str(path)):
                if path.exists() or path.is_symlink():
                    shutil.rmtree(path)


def _copy(source: Path, path: Path) -> None:
    with storage_errors(str(source)):
        content = source.read_bytes()
    with storage_errors(str(path)):
        final = path.resolve()  # a link stays one
        mode = stat.S_IMODE(final.stat().st_mode) if final.exists() else _OWNER_ONLY
    replace_file(final, content, str(path), mode)


def _write(path: Path, change: WriteFile) -> None:
    if path.exists() and not change.replaces:
        if str(digest_file(path, str(path))) == change.digest:
            return
        raise Conflict(f"{path}: is there already", hint="move it out of the way")
    replace_file(path, change.content.encode(), f"file {path}", _OWNER_ONLY)


def _rewrite(path: Path, change: Rewrite) -> None:
    if change.before:
        found = str(digest_file(path, str(path)))
        if found == change.digest:
            return
        if found != change.before:
            raise Conflict(
                f"{path}: has changed since it was read; nothing was written",
                hint="run the same command again: it reads the file anew",
            )
    replace_file(path, change.text.encode(), f"file {path}", change.mode)


def _remove_item(path: Path, change: RemoveItem) -> None:
    with storage_errors(str(path)):
        content = path.read_bytes()  # line ends as they are
        mode = stat.S_IMODE(path.stat().st_mode)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not text in UTF-8 (byte {error.start})") from None
    left = without_item(text, change.key, change.item, str(path))
    if left != text:
        replace_file(path, left.encode(), str(path), mode)


def _install_plugin(path: Path, change: InstallPlugin) -> None:
    from transfer.archive.plugin import copy_program

    archive = Path(change.archive)
    found = digest_file(archive, change.archive)
    if str(found) != change.digest:
        raise DigestMismatch(
            f"{archive}: expected {change.digest}, found {found}; nothing of it was used",
            hint="copy it again from where it crossed",
        )
    with storage_errors(str(path.parent)):
        path.parent.mkdir(parents=True, exist_ok=True)
    with ingest(path, path.parent, str(path), mode=_EXECUTABLE) as out:
        copy_program(archive, change.member, out)


def _merge_values(path: Path, change: MergeValues) -> None:
    own = read_text(Path(change.own), change.own) if change.own else None
    text = merge(read_text(Path(change.source), change.source), own, change.keys, change.source)
    replace_file(path, text.encode(), str(path), _OWNER_ONLY)


def save(path: str, lines: Sequence[str]) -> None:
    """Write lines to a file, whole or not at all, for its owner only; its folder is made.

    Raises:
        StorageError: it cannot be written.
    """
    final = Path(path)
    with storage_errors(str(final.parent)):
        final.parent.mkdir(parents=True, exist_ok=True)
    with ingest(final, final.parent, path, mode=_OWNER_ONLY) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
