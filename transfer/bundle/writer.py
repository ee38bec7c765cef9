"""`BundleWriter`: a bundle grows beside its final name, and gets it when it is complete.

Everything is written into `<name>.partial`, which outlives an interruption: the same build
continues there with what it finds. `finish` writes `SHA256SUMS` last and then renames the
folder, so that nothing unfinished ever has the final name. The same contents give the same
bytes, modes and times.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Self

from transfer.bundle.checksums import CHECKSUMS_FILE, dump_checksums
from transfer.bundle.names import index_names
from transfer.bundle.reader import Bundle
from transfer.bundle.readme import README_FILE, readme
from transfer.bundle.seal import remove_others, seal
from transfer.bundle.structure import BUNDLE_FILE
from transfer.bundle.tree import digest_file, list_files
from transfer.contents import Contents, FileRecord, contents_to_json, is_bundle_path
from transfer.digest import Digest, VerifyingReader
from transfer.disk import BLOCK, ingest, plain_size, replace_file, storage_errors, try_lock_file
from transfer.errors import Conflict, MissingContent, UnsafePath, raise_together
from transfer.fields import API_VERSION, dump_json
from transfer.graph import successors
from transfer.layout import OciLayout
from transfer.store import OpenContent

EPOCH = 315532800
"""1980-01-01 UTC: the earliest time that every file system and archive format can hold."""

_OWN_FILES = ("oci-layout", "index.json", README_FILE, BUNDLE_FILE)


def partial_of(path: Path) -> Path:
    """The folder in which the bundle at `path` grows until it is complete."""
    return path.with_name(f"{path.name}.partial")


class BundleWriter:
    """One build's hold on a bundle that is not complete yet; a context manager."""

    def __init__(self, path: Path, layout: OciLayout, lock: BinaryIO) -> None:
        self.path = path
        """The final name."""
        self.layout = layout
        """Where the images go, each under its name in `index_names`."""
        self._partial = layout.path
        self._lock = lock

    @classmethod
    def create(cls, path: Path) -> Self:
        """Start a bundle at `path`, or continue one that was interrupted.

        Raises:
            Conflict: `path` exists, or another build writes there right now.
            StorageError: the folder beside it cannot be written.
        """
        path = path.absolute()
        refuse_existing(path)  # so has the root of all folders, beside which nothing can be
        what, partial = f"bundle {path}", partial_of(path)
        with storage_errors(what):
            partial.mkdir(parents=True, exist_ok=True)
        lock = try_lock_file(_lock_path(partial), what)
        if lock is None:
            raise Conflict(
                f"{what}: another build writes there", hint="wait until it has ended, or stop it"
            )
        try:
            refuse_existing(path)  # the other build may just have finished
            with storage_errors(what):
                (partial / CHECKSUMS_FILE).unlink(missing_ok=True)
            return cls(path, OciLayout.create(partial, what), lock)
        except BaseException:
            lock.close()
            raise

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Let go; what was written stays, for the next try."""
        self.layout.close()
        self._lock.close()

    def add_file(self, file: FileRecord, content: OpenContent) -> None:
        """Write a plain file, unless it is there already.

        Raises:
            IntegrityError: the content is not what the record promised; nothing was kept.
            UnsafePath: it would not be in the bundle.
            StorageError: it cannot be written; nothing was kept.
        """
        final, what = self._make_way(file.path), self._what(file.path)
        if plain_size(final, what) == file.size and digest_file(final, what) == file.digest:
            return
        with ingest(final, self.layout.scratch, what) as out, content() as stream:
            shutil.copyfileobj(VerifyingReader(stream, file.digest, file.size, what), out, BLOCK)

    def write_file(self, path: str, write: Callable[[BinaryIO], object]) -> None:
        """Write a file whose digest nobody knows beforehand, such as a slim archive.

        Raises:
            UnsafePath: it would not be in the bundle.
            StorageError: it cannot be written; nothing was kept.
        """
        with ingest(self._make_way(path), self.layout.scratch, self._what(path)) as out:
            write(out)

    def finish(self, contents: Contents, epoch: int = EPOCH) -> Bundle:
        """Complete the bundle and give it its final name; `epoch` becomes the time of each file.

        What an earlier build left there and these contents do not name is removed.

        Raises:
            MissingContent: something of the contents was not written.
            StorageError: it cannot be written or renamed.
        """
        self.layout.retain(index_names(contents))
        self.layout.close()
        value = {"apiVersion": API_VERSION, "kind": "Bundle", **contents_to_json(contents)}
        for name, content in (
            (README_FILE, readme(contents)),
            (BUNDLE_FILE, dump_json(value).encode()),
        ):
            replace_file(self._partial / name, content, self._what(name))
        known = self._known_digests(contents)
        remove_others(self._partial, known.keys())
        self._refuse_missing(known)
        sums = {
            path: digest or digest_file(self._partial / path, self._what(path))
            for path, digest in known.items()
        }
        sums_file = self._partial / CHECKSUMS_FILE
        replace_file(sums_file, dump_checksums(sums), self._what(CHECKSUMS_FILE))
        seal(self._partial, epoch, f"bundle {self.path}")
        refuse_existing(self.path)
        with storage_errors(f"bundle {self.path}"):
            self._partial.rename(self.path)
            _lock_path(self._partial).unlink()
        return Bundle.read(self.path)

    def _known_digests(self, contents: Contents) -> dict[str, Digest | None]:
        """Every path of the bundle, and its digest where it was proven when it was written."""
        known: dict[str, Digest | None] = dict.fromkeys(_OWN_FILES)
        known |= dict.fromkeys(_plain_paths(contents))
        known |= {file.path: file.digest for file in contents.all_files()}
        for image in contents.all_images():
            below = (
                descriptor
                for manifest in successors(self.layout, image.root)
                for descriptor in (*manifest.manifests, *manifest.blobs)
            )
            for digest in (image.root.digest, *(descriptor.digest for descriptor in below)):
                path = f"blobs/{digest.algorithm}/{digest.encoded}"
                known[path] = digest if digest.algorithm == "sha256" else None
        return known

    def _make_way(self, name: str) -> Path:
        """The place of a file; what an older lock left where it or a folder has to be goes."""
        if not is_bundle_path(name):
            raise UnsafePath(f"{self._what(name)}: not a path inside the bundle")
        final = self._partial / name
        with storage_errors(f"bundle {self.path}"):
            for path in (final, *final.parents):
                if path == self._partial:
                    break
                if path.is_symlink() or (path != final and path.is_file()):
                    path.unlink()
                elif path == final and path.is_dir():
                    shutil.rmtree(path)
        return final

    def _refuse_missing(self, known: dict[str, Digest | None]) -> None:
        sizes, _ = list_files(self._partial, self._what(""))
        raise_together(
            MissingContent,
            f"bundle {self.path}: parts were not written",
            (MissingContent(self._what(path)) for path in sorted(known.keys() - sizes.keys())),
            hint="run the same build again",
        )

    def _what(self, path: str) -> str:
        return f"bundle {self.path}: {path}"


def refuse_existing(path: Path) -> None:
    """Refuse to build over anything.

    Raises:
        Conflict: something has this name.
    """
    if path.exists() or path.is_symlink():
        raise Conflict(
            f"bundle {path}: exists already",
            hint="choose another folder, or remove this one",
        )


def _lock_path(partial: Path) -> Path:
    """Beside the folder: inside, it would become part of the bundle."""
    return partial.with_name(f"{partial.name}.lock")


def _plain_paths(contents: Contents) -> set[str]:
    slims = (archive.slim for archive in contents.archives if archive.slim)
    return {*slims, *(file.path for file in contents.all_files())}
