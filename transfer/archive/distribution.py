"""The storage tree of a distribution registry, which archives of format `docker` hold.

    blobs/sha256/<2 hex>/<hex>/data
    repositories/<name>/_manifests/revisions/sha256/<hex>/link
    repositories/<name>/_manifests/tags/<tag>/current/link

KOTS starts a registry on this tree and looks every image up under the last component of its
name (KOTS: pkg/image/temp_registry.go); what it would find is what counts here.
"""

from __future__ import annotations

import re
from concurrent.futures import Future
from dataclasses import dataclass

from transfer.archive.hashing import Lane
from transfer.archive.shelf import Extent, Shelf
from transfer.archive.tarscan import Member
from transfer.contents import ImageRecord
from transfer.descriptor import MAX_MANIFEST_SIZE, Manifest
from transfer.digest import Digest
from transfer.errors import (
    CorruptArchive,
    DigestMismatch,
    IntegrityError,
    InvalidInput,
    MissingContent,
    SizeMismatch,
    TransferError,
)
from transfer.graph import MAX_DEPTH
from transfer.reference import Reference

ROOT = "images/docker/registry/v2/"
_BLOB = re.compile(r"blobs/(sha256|sha512)/[0-9a-f]{2}/([0-9a-f]+)/data")
_REVISION = re.compile(r"repositories/(.+)/_manifests/revisions/(sha256|sha512)/([0-9a-f]+)/link")
_TAG = re.compile(r"repositories/(.+)/_manifests/tags/([^/]+)/current/link")

SMALL = 64 * 1024
"""Bytes of a JSON blob that is worth keeping in memory."""

MAX_REFERENCES = 2_000_000
"""An index may name one child a thousand times, and so may that child: it has to end somewhere."""

_LINK_SIZE = 256
AGAIN = "copy or download the archive again; if it stays so, ask the vendor for another"


@dataclass(frozen=True, slots=True)
class _Checked:
    """A blob whose digest is being computed."""

    digest: Digest
    size: int
    found: Future[Digest]


class StorageTree:
    """The tree as it comes by, and afterwards the images in it."""

    def __init__(self, shelf: Shelf, lane: Lane, what: str, faults: list[TransferError]) -> None:
        self._shelf = shelf
        self._lane = lane
        self._what = what
        self._faults = faults
        self._checked: list[_Checked] = []
        self._wrong: set[Digest] = set()
        self._revisions: set[tuple[str, str]] = set()
        self._tags: dict[tuple[str, str], str] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing of such a tree was in the archive."""
        return not (self._checked or self._revisions or self._tags)

    def take(self, member: Member) -> None:
        """Take a member whose name begins with `ROOT`."""
        name = member.name.removeprefix(ROOT)
        if match := _BLOB.fullmatch(name):
            self._take_blob(member, f"{match[1]}:{match[2]}")
        elif match := _REVISION.fullmatch(name):
            self._revisions.add((match[1], f"{match[2]}:{match[3]}"))
        elif match := _TAG.fullmatch(name):
            self._tags[match[1], match[2]] = member.content.read(_LINK_SIZE).decode(
                errors="replace"
            )

    def _take_blob(self, member: Member, name: str) -> None:
        try:
            digest = Digest.parse(name)
        except InvalidInput as error:
            self._faults.append(IntegrityError(f"{self._what}: {member.name}: {error}"))
            return
        extent = Extent(member.offset, member.size)
        hashing = self._lane.start(digest.algorithm)
        small = member.content.read(-1) if member.size <= SMALL else None
        if small is not None:
            hashing.update(small)
        while block := member.content.read(member.size):
            hashing.update(block)
        self._checked.append(_Checked(digest, member.size, hashing.result()))
        is_json = small is not None and small.startswith((b"{", b" ", b"\n", b"\t"))
        self._shelf.place(digest, extent, small if is_json else None)

    def check(self) -> None:
        """Compare every blob with its name; a wrong one is taken off the shelf."""
        for blob in self._checked:
            found = blob.found.result()
            if found != blob.digest:
                self._shelf.drop(blob.digest)
                self._wrong.add(blob.digest)
                fault = f"blob {blob.digest}: its {blob.size} bytes hash to {found}"
                self._faults.append(DigestMismatch(f"{self._what}: {fault}", hint=AGAIN))

    def images(self, names: tuple[str, ...]) -> tuple[ImageRecord, ...]:
        """The images of these names, each with everything below it; faults where there are any."""
        walk = _Walk(self._shelf, self._wrong, self._what, self._faults)
        images = []
        for name in dict.fromkeys(names):
            digest = self._resolve(name)
            root = walk.image(name, digest) if digest else None
            if root:
                images.append(ImageRecord(name=name, root=root.descriptor))
        walk.report()
        return tuple(images)

    def _resolve(self, name: str) -> Digest | None:
        try:
            reference = Reference.parse(name)
        except InvalidInput as error:
            self._faults.append(error)
            return None
        repository, digest = reference.repository.name, str(reference.digest)
        if reference.digest is None:
            digest = self._tags.get((repository, reference.tag or ""), "").strip()
        elif (repository, digest) not in self._revisions:
            digest = ""
        if not digest:
            fault = f"{self._what}: image {name} is listed in airgap.yaml, but is not in it"
            self._faults.append(MissingContent(fault, hint=AGAIN))
            return None
        try:
            return Digest.parse(digest)
        except InvalidInput as error:
            self._faults.append(IntegrityError(f"{self._what}: image {name}: its tag: {error}"))
            return None


class _Walk:
    """Everything below the images: is it there, and of the size it should have?"""

    def __init__(
        self, shelf: Shelf, wrong: set[Digest], what: str, faults: list[TransferError]
    ) -> None:
        self._shelf = shelf
        self._wrong = wrong
        self._what = what
        self._faults = faults
        self._image = ""
        self._manifests: dict[Digest, Manifest | None] = {}
        self._room = MAX_REFERENCES
        self._absent: dict[Digest, list[str]] = {}

    def image(self, name: str, root: Digest) -> Manifest | None:
        """Look for everything below `root`; None where the root itself cannot be read."""
        self._image = name
        return self._manifest(root, self._shelf.size(root), 0)

    def report(self) -> None:
        """Add a fault for each blob that is absent, with the images that need it."""
        for digest, names in self._absent.items():
            needed = ", ".join(dict.fromkeys(names))
            fault = f"{self._what}: {digest} is not in it; needed by {needed}"
            self._faults.append(MissingContent(fault, hint=AGAIN))

    def _manifest(self, digest: Digest, size: int | None, depth: int) -> Manifest | None:
        if not self._is_there(digest, size):
            return None
        if digest not in self._manifests:
            self._manifests[digest] = None  # while it is being read, and if it cannot be
            self._manifests[digest] = self._parse(digest, depth)
        manifest = self._manifests[digest]
        if manifest is not None:
            for child in manifest.manifests:
                self._manifest(child.digest, child.size, depth + 1)
            for blob in manifest.blobs:
                self._is_there(blob.digest, blob.size)
        return manifest

    def _parse(self, digest: Digest, depth: int) -> Manifest | None:
        what = f"{self._what}: manifest {digest}"
        size = self._shelf.size(digest) or 0
        if depth > MAX_DEPTH or size > MAX_MANIFEST_SIZE:
            limit = f"nests more than {MAX_DEPTH} deep" if depth > MAX_DEPTH else "is too large"
            self._faults.append(IntegrityError(f"{what}: {limit}"))
            return None
        try:
            with self._shelf.open(digest) as stream:
                return Manifest.parse(stream.read(-1), what, algorithm=digest.algorithm)
        except IntegrityError as error:
            self._faults.append(error)
            return None

    def _is_there(self, digest: Digest, size: int | None) -> bool:
        self._room -= 1
        if self._room < 0:
            fault = f"more than {MAX_REFERENCES} references between its images and blobs"
            raise CorruptArchive(f"{self._what}: {fault}")
        found = self._shelf.size(digest)
        if found is None:
            if digest not in self._wrong:  # those are reported already
                self._absent.setdefault(digest, []).append(self._image)
            return False
        if size is not None and found != size:
            fault = f"{self._what}: image {self._image}: {digest} should have {size} bytes"
            self._faults.append(SizeMismatch(f"{fault}, has {found}"))
        return True
