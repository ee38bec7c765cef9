"""The lock beside a spec: whether it was made of this spec, and of these very bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from bundler.resolve.toolkit import described, is_toolkit
from bundler.spec import BundleSpec
from bundler.spec.origin import ManifestModule
from transfer.contents import TOOLKIT, ArchiveRecord, FileRecord
from transfer.digest import Digest
from transfer.disk import read_text
from transfer.errors import (
    DigestMismatch,
    InvalidInput,
    NotFound,
    TransferError,
    raise_together,
)
from transfer.lock import BundleLock, LockedSource

LOCK_AGAIN = "if the new content is meant, run airgap-bundler lock, and review what it changed"


def read_lock(path: Path) -> BundleLock | None:
    """The lock at `path`, None where there is none.

    Raises:
        InvalidInput: with every fault in it.
        StorageError: it cannot be read.
    """
    try:
        text = read_text(path, f"lock {path}")
    except NotFound:
        return None
    return BundleLock.parse(text, str(path))


def check_spec(lock: BundleLock, spec: BundleSpec, what: str, *, but: Collection[str] = ()) -> None:
    """Check that a lock was made of this spec; `what` names the lock in messages.

    The entries `but` may differ.

    Raises:
        InvalidInput: with everything in which they differ.
    """
    raise_together(
        InvalidInput,
        f"{what}: was made of another spec",
        _differences(lock, spec, but),
        hint="run airgap-bundler lock, and review what it changed; "
        "lock --update NAME takes up one entry alone",
    )


def _differences(
    lock: BundleLock, spec: BundleSpec, but: Collection[str]
) -> Iterator[TransferError]:
    for name, said, locked in (
        ("name", spec.name, lock.contents.name),
        ("version", spec.version, lock.contents.version),
    ):
        if said != locked and not but:
            yield InvalidInput(f"{name}: the spec says {said!r}, the lock {locked!r}")
    if spec.major_releases != lock.contents.major_releases and not but:
        yield InvalidInput("majorReleases: those of the spec are not those in the lock")
    sources = {s.entry: s for s in lock.sources if not is_toolkit(s.entry)}
    wanted = dict(_wanted(spec))
    for entry in sorted(wanted.keys() - sources.keys() - set(but)):
        yield InvalidInput(f"{entry}: not in the lock")
    for entry in sorted(sources.keys() - wanted.keys() - set(but)):
        yield InvalidInput(f"{entry}: in the lock, but not in the spec")
    for entry in sorted((wanted.keys() & sources.keys()) - set(but)):
        yield from _changed_source(wanted[entry], sources[entry])
    yield from _changed_toolkit(lock, spec, but)
    same = wanted.keys() == sources.keys() and not but
    if same and _outline(lock) != _expected_outline(spec):
        yield InvalidInput("files or images: their names are not those in the lock")


def _changed_toolkit(
    lock: BundleLock, spec: BundleSpec, but: Collection[str]
) -> Iterator[TransferError]:
    said = {described(spec.toolkit)} if spec.toolkit else set()
    locked = {source.source for source in lock.sources if is_toolkit(source.entry)}
    if said != locked and "toolkit" not in but:
        yield InvalidInput(
            f"toolkit: the spec says {''.join(said) or 'none'}, "
            f"the lock {', '.join(sorted(locked)) or 'none'}"
        )


def _outline(lock: BundleLock) -> list[tuple[str, str | None]]:
    """What a lock has to have in common with its spec, apart from the sources."""
    contents = lock.contents
    return [
        *((plugin.file.path, plugin.platform) for plugin in contents.plugins),
        *((file.path, None) for file in contents.files if not _of_toolkit(file)),
        *((image.name, None) for image in contents.images),
        (f"{len(contents.archives)} archives", None),
    ]


def _of_toolkit(file: FileRecord) -> bool:
    return file.path.startswith(f"{TOOLKIT}/")


def _expected_outline(spec: BundleSpec) -> list[tuple[str, str | None]]:
    return [
        *((file.path, file.platform) for file in spec.files),
        *((str(image.reference), None) for image in spec.images),
        (f"{len(spec.archives)} archives", None),
    ]


def _wanted(spec: BundleSpec) -> Iterator[tuple[str, tuple[str, Digest | None]]]:
    yield from ((found.entry, (found.source, found.sha256)) for found in spec.inputs())
    yield from ((image.entry, (image.source, None)) for image in spec.images)


def entries_of(spec: BundleSpec, name: str) -> frozenset[str]:
    """The entries that a person means by `name`.

    It may be an entry's path or the start of one, an application's slug, a file's name, a
    module's, an image's reference, or a source as the lock names it.

    Raises:
        NotFound: none.
    """
    entries = set(dict(_wanted(spec))) | ({"toolkit"} if spec.toolkit else set())
    names = [(found.file_name, found.entry) for found in spec.inputs()]
    names += [(archive.expected, archive.input.entry) for archive in spec.archives]
    names += [(str(image.reference), image.entry) for image in spec.images]
    names += [(source, entry) for entry, (source, _) in _wanted(spec)]
    names += [
        (found.origin.module, found.entry)
        for found in spec.inputs()
        if isinstance(found.origin, ManifestModule)
    ]
    below = (f"{name}.", f"{name}[")
    found = {entry for entry in entries if entry == name or entry.startswith(below)}
    found |= {entry for spelt, entry in names if spelt == name}
    if not found:
        raise NotFound(
            f"--update {name}: the spec has no such entry",
            hint=f"it has: {', '.join(sorted(entries))}",
        )
    return frozenset(found)


def _changed_source(
    wanted: tuple[str, Digest | None], locked: LockedSource
) -> Iterator[TransferError]:
    source, digest = wanted
    if source != locked.source:
        yield InvalidInput(f"{locked.entry}: the spec names {source}, the lock {locked.source}")
    if digest not in (None, locked.digest):
        yield InvalidInput(
            f"{locked.entry}.sha256: the spec says {digest}, the lock {locked.digest}"
        )


def check_source(locked: LockedSource | None, found: LockedSource) -> None:
    """Check that an input is the one that was locked.

    Raises:
        DigestMismatch: it is not.
    """
    if locked is not None and locked.digest != found.digest:
        raise DigestMismatch(
            f"{found.source}: the lock has {locked.digest}, found {found.digest}", hint=LOCK_AGAIN
        )


def check_record(locked: ArchiveRecord | None, found: ArchiveRecord) -> None:
    """Check that an archive with the locked bytes was read as it was then.

    Raises:
        InvalidInput: another compressor gives other layers, or the lock was changed by hand.
    """
    if locked is None or locked == found:
        return
    if locked.compressor != found.compressor:
        raise InvalidInput(
            f"{found.file_name}: locked with {locked.compressor}, and this host has "
            f"{found.compressor}: its layers would come out different",
            hint="lock again on this host, or build where the lock was made",
        )
    raise InvalidInput(
        f"{found.file_name}: the lock says something else of it than what is in it",
        hint="run airgap-bundler lock, and review what it changed",
    )
