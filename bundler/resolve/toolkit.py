"""The toolkit itself in a lock: an entry for each of its files, which the spec does not list."""

from __future__ import annotations

from collections.abc import Mapping

from bundler.sources.protocol import Evidence
from bundler.spec.values import Toolkit
from transfer.contents import TOOLKIT, FileRecord, is_bundle_path
from transfer.errors import InvalidInput
from transfer.lock import BundleLock, LockedSource

_START, _END = "toolkit[", "]"


def is_toolkit(entry: str) -> bool:
    """Whether an entry is a file of the toolkit itself."""
    return entry.startswith(_START)


def toolkit_sources(lock: BundleLock) -> dict[str, LockedSource]:
    """What a lock says of them, by their entries."""
    return {source.entry: source for source in lock.sources if is_toolkit(source.entry)}


def described(wanted: Toolkit) -> str:
    """What the spec says of the toolkit: the source of each of its files."""
    return f"toolkit for {', '.join(wanted.platforms)} with Python {', '.join(wanted.python)}"


def toolkit_source(wanted: Toolkit, name: str, record: FileRecord) -> LockedSource:
    """The lock's entry for a file, by its name below the toolkit's folder."""
    return LockedSource(
        entry=f"{_START}{name}{_END}",
        source=described(wanted),
        size=record.size,
        digest=record.digest,
        evidence=Evidence.REQUIREMENTS,
    )


def toolkit_record(source: LockedSource) -> FileRecord:
    """The file that such an entry is about.

    Raises:
        InvalidInput: it would not be below the toolkit's folder.
    """
    name = source.entry.removeprefix(_START).removesuffix(_END)
    if not is_bundle_path(name):
        raise InvalidInput(
            f"{source.entry}: the lock names no file of the toolkit",
            hint="run airgap-bundler lock, and review what it changed",
        )
    return FileRecord(path=f"{TOOLKIT}/{name}", size=source.size, digest=source.digest)


def check_toolkit(locked: Mapping[str, LockedSource], found: Mapping[str, LockedSource]) -> None:
    """Check that the toolkit's files are those that were locked, if any were.

    Raises:
        InvalidInput: another version of the toolkit made the lock.
    """
    if not locked or locked == found:
        return
    differing = sorted(e for e in locked.keys() | found.keys() if locked.get(e) != found.get(e))
    raise InvalidInput(
        f"the lock was made by another version of the toolkit; different: {', '.join(differing)}",
        hint="build with the version that locked, or run airgap-bundler lock --update toolkit",
    )
