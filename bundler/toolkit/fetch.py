"""The wheels that a site needs: those of the lock from the cache, all others by way of pip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bundler.toolkit import pip
from bundler.toolkit.requirements import Requirement
from bundler.toolkit.shelf import Shelf, read_wheel
from bundler.toolkit.target import Target
from transfer.digest import Digest
from transfer.disk import storage_errors
from transfer.errors import (
    DigestMismatch,
    Incomplete,
    InvalidInput,
    NotFound,
    TransferError,
    raise_together,
)
from transfer.progress import SILENT, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel that is at hand."""

    file_name: str
    digest: Digest
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """Where wheels come from."""

    shelf: Shelf
    environ: Mapping[str, str]
    """What pip runs in, and takes its configuration from."""
    progress: Progress = SILENT

    def fetch(
        self, wanted: Sequence[Target], requirements: Sequence[Requirement]
    ) -> tuple[Wheel, ...]:
        """Let pip choose and fetch a wheel of each requirement for each machine.

        Raises:
            TransferError: as `pip.download`; one machine does not keep the others from theirs.
        """
        faults: list[TransferError] = []
        with self.shelf.scratch() as scratch:
            for target in wanted:
                self.progress.say(f"toolkit: wheels for {target}")
                try:
                    needed = [needed for needed in requirements if target.needs(needed)]
                    pip.download(needed, target, scratch, self.environ)
                except TransferError as error:
                    faults.append(error)
            _raise(faults)
            return tuple(self._keep(scratch, requirements))

    def fetch_locked(
        self,
        wanted: Sequence[Target],
        requirements: Sequence[Requirement],
        locked: Mapping[str, Digest],
    ) -> tuple[Wheel, ...]:
        """The wheels of a lock, by their file names and digests, and no others.

        Nobody is asked for anything while the cache holds them all.

        Raises:
            InvalidInput: they are not what the requirements say.
            TransferError: as `fetch`.
        """
        pinned = [needed.among(locked.values()) for needed in requirements]
        _refuse_others(wanted, pinned, locked)
        found = {name: self.shelf.find(digest) for name, digest in locked.items()}
        if None in found.values():
            found |= {wheel.file_name: wheel.content for wheel in self.fetch(wanted, pinned)}
        missing = [NotFound(f"{name}: not there") for name, it in found.items() if it is None]
        raise_together(NotFound, "pip did not get every wheel that is locked", missing)
        return tuple(
            Wheel(file_name=name, digest=locked[name], content=content)
            for name, content in sorted(found.items())
            if content is not None
        )

    def _keep(self, scratch: Path, requirements: Sequence[Requirement]) -> Iterator[Wheel]:
        """Hash what pip brought, whatever it says itself, and put it into the cache."""
        with storage_errors(f"cache {scratch}"):
            files = sorted((scratch / pip.WHEELS).iterdir())
        for file in files:
            content = read_wheel(file)
            digest = Digest.of(content)
            if not any(digest in needed.digests for needed in requirements):
                raise DigestMismatch(f"{file.name}: pip brought a file that is not wanted")
            self.shelf.keep(file, digest)
            yield Wheel(file_name=file.name, digest=digest, content=content)


def _refuse_others(
    wanted: Sequence[Target], pinned: Sequence[Requirement], locked: Mapping[str, Digest]
) -> None:
    known = frozenset[Digest]().union(*(needed.digests for needed in pinned))
    faults = [
        InvalidInput(f"{name}: in the lock, but this version of the toolkit does not need it")
        for name, digest in locked.items()
        if digest not in known
    ]
    faults += [
        InvalidInput(f"{needed.name} {needed.version}: needed, and not in the lock")
        for needed in pinned
        if not needed.digests and any(target.needs(needed) for target in wanted)
    ]
    raise_together(
        InvalidInput,
        "the lock was made by another version of the toolkit",
        faults,
        hint="run airgap-bundler lock --update toolkit, and review what it changed",
    )


def _raise(faults: Sequence[TransferError]) -> None:
    if len(faults) == 1:
        raise faults[0]
    kinds = {type(fault) for fault in faults}
    kind = kinds.pop() if len(kinds) == 1 else Incomplete
    raise_together(kind, "wheels could not be had", faults)
