"""What a bundle must look like before any of it is used: everything but the bytes of its blobs.

The steps of `inspect`, in order:

1. `SHA256SUMS` is there: it is written last, so without it the bundle is not complete.
2. It parses, names what every bundle has, and lists every blob under its own digest.
3. Each listed file is there, nothing else is, and none is a link.
4. The small files hold what `SHA256SUMS` says: all but those below `blobs/` and `files/`.
5. `bundle.json` is of a version known here, and parses.
6. Each image is named in `index.json`; its manifests are read and proven, and its blobs are
   there with their sizes.
7. Each archive's slim file is there, and each plain file with its size and digest.

Faults are gathered; only what an earlier fault makes meaningless is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from transfer.bundle.checksums import CHECKSUMS_FILE, SIGNATURE_FILE, parse_checksums
from transfer.bundle.names import index_names
from transfer.bundle.tree import compare_files, list_files
from transfer.contents import CONTENTS_KEYS, Contents, FileRecord, read_contents
from transfer.descriptor import Descriptor
from transfer.digest import Digest
from transfer.disk import MAX_FILE, read_plain
from transfer.errors import (
    CorruptBundle,
    DigestMismatch,
    IntegrityError,
    InvalidInput,
    MissingContent,
    NotFound,
    SizeMismatch,
    StorageError,
    TransferError,
    UnexpectedFile,
    UnsafePath,
    UnsupportedVersion,
)
from transfer.fields import read_json
from transfer.graph import successors
from transfer.layout import OciLayout
from transfer.layout.proof import as_fault
from transfer.plain import one_line
from transfer.text import counted

BUNDLE_FILE = "bundle.json"

_ALWAYS = (BUNDLE_FILE, "index.json", "oci-layout")
"""What no bundle is without."""

_LARGE = ("blobs/", "files/")
"""Folders whose files are read by `verify` and by whoever uses them, not when opening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A bundle whose structure is sound."""

    contents: Contents
    sums: Mapping[str, Digest]
    """Every file but `SHA256SUMS` itself and its signature."""
    sizes: Mapping[str, int]
    fingerprint: Digest
    layout: OciLayout


def inspect(path: Path, what: str) -> Inspected:
    """Check the structure of the bundle at `path`; `what` names it in messages.

    Raises:
        NotFound: there is no such folder, or it is no bundle.
        UnsupportedVersion: it was written by a newer version of the toolkit.
        CorruptBundle: with every fault.
        StorageError: it cannot be read.
    """
    raw = _read_checksums(path, what)
    sums, faults = parse_checksums(raw, f"{what}: {CHECKSUMS_FILE}")
    faults += _cut_short(sums, what)
    unlisted = not faults
    sizes, unsafe = list_files(path, what)
    faults += [*unsafe.values(), *_misnamed_blobs(sums, what)]
    faults += [*_unmatched(sums, sizes, unsafe, what, unlisted=unlisted), *_too_large(sizes, what)]
    small = {
        file: digest
        for file, digest in sums.items()
        if file in sizes and not file.startswith(_LARGE) and not _is_too_large(file, sizes)
    }
    changed = compare_files(path, small, what)
    faults += changed.values()
    sound = small.keys() - changed.keys()
    contents = layout = None
    if BUNDLE_FILE in sound:
        contents = _read_contents(path, what, faults)
    if {"oci-layout", "index.json"} <= sound:
        layout = _open_layout(path, what, faults)
    if contents is not None:
        faults += _broken_files(contents, sums, sizes, what)
    if contents is not None and layout is not None:
        faults += _broken_images(layout, index_names(contents), sums, sizes)
    if faults or contents is None or layout is None:
        raise corrupt(what, faults)
    fingerprint = Digest.of(raw)
    return Inspected(
        contents=contents, sums=sums, sizes=sizes, fingerprint=fingerprint, layout=layout
    )


def corrupt(what: str, faults: Iterable[TransferError]) -> TransferError:
    """The one error that names everything wrong with a bundle, each thing once.

    Where nothing is wrong but that it cannot be read, that says nothing about the bundle.
    """
    distinct = {str(fault): fault for fault in faults}
    if distinct and all(isinstance(fault, StorageError) for fault in distinct.values()):
        return StorageError(
            f"{what}: {counted(len(distinct), 'file')} cannot be read; nothing of it was used",
            faults=distinct.values(),
        )
    only_guests = all(isinstance(fault, UnexpectedFile) for fault in distinct.values())
    return CorruptBundle(
        f"{what}: {counted(len(distinct), 'fault')}; nothing of it was used",
        hint="a bundle holds its own files only: move what is not listed out of its folder"
        if only_guests
        else "copy the bundle again from where it was built, and check it with sha256sum -c there",
        faults=distinct.values(),
    )


def _read_checksums(path: Path, what: str) -> bytes:
    try:
        return read_plain(path / CHECKSUMS_FILE, f"{what}: {CHECKSUMS_FILE}")
    except NotFound:
        if not (path / BUNDLE_FILE).exists() and not path.name.endswith(".partial"):
            raise NotFound(
                f"{what}: not a bundle: neither {BUNDLE_FILE} nor {CHECKSUMS_FILE} is there"
            ) from None
    raise CorruptBundle(
        f"{what}: not complete: {CHECKSUMS_FILE}, which is written last, is not there",
        hint="the build did not finish, or the copy did not: run it again",
    )


def _cut_short(sums: Mapping[str, Digest], what: str) -> Iterator[TransferError]:
    absent = [file for file in _ALWAYS if file not in sums]
    if absent:
        yield MissingContent(
            f"{what}: {CHECKSUMS_FILE}: does not list {', '.join(absent)}: it was cut short"
        )


def _misnamed_blobs(sums: Mapping[str, Digest], what: str) -> Iterator[TransferError]:
    for file, digest in sums.items():
        folder, _, name = file.rpartition("/")
        if folder == "blobs/sha256" and name != digest.encoded:
            yield DigestMismatch(
                f"{what}: {CHECKSUMS_FILE}: lists {file} with digest {digest}, not its own"
            )


def _unmatched(
    sums: Mapping[str, Digest],
    sizes: Mapping[str, int],
    unsafe: Mapping[str, object],
    what: str,
    *,
    unlisted: bool,
) -> Iterator[TransferError]:
    """What is missing, and, if `SHA256SUMS` is whole, what is too much."""
    for file in sorted(sums.keys() - sizes.keys() - unsafe.keys()):
        yield MissingContent(f"{what}: {file}: listed in {CHECKSUMS_FILE}, but not there")
    others = sizes.keys() - sums.keys() - {CHECKSUMS_FILE, SIGNATURE_FILE}
    for file in sorted(others) if unlisted else ():
        yield UnexpectedFile(f"{what}: {one_line(file)}: not listed in {CHECKSUMS_FILE}")


def _too_large(sizes: Mapping[str, int], what: str) -> Iterator[TransferError]:
    for file in sorted(sizes):
        if _is_too_large(file, sizes):
            yield SizeMismatch(
                f"{what}: {one_line(file)}: has {sizes[file]} bytes, more than any such file"
            )


def _is_too_large(file: str, sizes: Mapping[str, int]) -> bool:
    """What stands beside `SHA256SUMS` describes the rest, and is read into memory."""
    return "/" not in file and sizes[file] > MAX_FILE


def _read_contents(path: Path, what: str, faults: list[TransferError]) -> Contents | None:
    file = f"{what}: {BUNDLE_FILE}"
    try:
        text = read_plain(path / BUNDLE_FILE, file).decode()
        fields = read_json(text, file, "apiVersion", "kind", *CONTENTS_KEYS)
        fields.expect("Bundle")
        contents = read_contents(fields)
        fields.faults.raise_all()
    except UnsupportedVersion:
        raise
    except (InvalidInput, UnicodeDecodeError) as error:
        faults.append(IntegrityError(f"{file}: {error}", faults=getattr(error, "faults", ())))
        return None
    return contents


def _open_layout(path: Path, what: str, faults: list[TransferError]) -> OciLayout | None:
    try:
        layout = OciLayout.read(path, what)
        layout.images()
    except IntegrityError as error:
        faults.append(error)
        return None
    return layout


def _broken_images(
    layout: OciLayout,
    images: Mapping[str, Descriptor],
    sums: Mapping[str, Digest],
    sizes: Mapping[str, int],
) -> Iterator[TransferError]:
    named, lost = layout.images(), sums.keys() - sizes.keys()  # these were told already
    for name, root in images.items():
        if named.get(name) != root:
            yield IntegrityError(
                f"{layout.description}: index.json: {name}: "
                f"expected {root.digest}, found {_digest_of(named.get(name))}"
            )
        try:
            manifests = successors(layout, root)
        except TransferError as error:
            if not (lost and isinstance(error, (NotFound, UnsafePath))):
                yield as_fault(error)
            continue
        for blob in (blob for manifest in manifests for blob in manifest.blobs):
            yield from _broken_blob(layout, blob, sums, sizes)


def _digest_of(descriptor: Descriptor | None) -> str:
    return str(descriptor.digest) if descriptor else "nothing"


def _broken_blob(
    layout: OciLayout, blob: Descriptor, sums: Mapping[str, Digest], sizes: Mapping[str, int]
) -> Iterator[TransferError]:
    file = f"blobs/{blob.digest.algorithm}/{blob.digest.encoded}"
    what, found = f"{layout.description}: {file}", sizes.get(file)
    if file not in sums:
        yield MissingContent(f"{what}: an image needs it, but it is not listed")
    elif found is not None and found != blob.size:
        yield SizeMismatch(f"{what}: expected {blob.size} bytes, found {found}")


def _broken_files(
    contents: Contents, sums: Mapping[str, Digest], sizes: Mapping[str, int], what: str
) -> Iterator[TransferError]:
    for slim in (archive.slim for archive in contents.archives if archive.slim):
        if slim not in sums:
            yield MissingContent(f"{what}: {slim}: named in {BUNDLE_FILE}, but not listed")
    for record in contents.all_files():
        yield from _broken_file(record, sums, sizes, what)


def _broken_file(
    record: FileRecord, sums: Mapping[str, Digest], sizes: Mapping[str, int], what: str
) -> Iterator[TransferError]:
    listed, found = sums.get(record.path), sizes.get(record.path)
    if listed is None:
        yield MissingContent(f"{what}: {record.path}: named in {BUNDLE_FILE}, but not listed")
    elif listed != record.digest:
        yield DigestMismatch(
            f"{what}: {record.path}: {BUNDLE_FILE} has {record.digest}, {CHECKSUMS_FILE} {listed}"
        )
    elif found is not None and found != record.size:
        yield SizeMismatch(f"{what}: {record.path}: expected {record.size} bytes, found {found}")
