"""The one pass over an archive: everything in it is indexed, hashed and checked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from transfer.archive import distribution
from transfer.archive.distribution import StorageTree
from transfer.archive.dockersave import DockerSave, SavedImage
from transfer.archive.gzipstream import GzipFile
from transfer.archive.hashing import Lane
from transfer.archive.shelf import Extent, Shelf
from transfer.archive.tarscan import DamagedTar, Member, scan_tar
from transfer.digest import Digest
from transfer.errors import CorruptArchive, TransferError
from transfer.progress import Progress

AIRGAP_YAML = "airgap.yaml"
APP_ARCHIVE = "app.tar.gz"
MAX_YAML = 1 << 20
"""Bytes of an airgap.yaml; KOTS itself cannot install with more than about 750 KB."""

SAVED_FOLDER = "images/"
"""Where docker-save tars are, below a folder named after the format."""

OLD_FOLDER = "docker-archive/"
"""Where they are in the admin console's archive up to KOTS 1.106."""

MAX_HELD = 128 << 20
"""Bytes of the JSON files of all of them together: an image is kept in memory without layers."""

MAX_NAMES = 1000
MAX_FAULTS = 1000


@dataclass(slots=True, kw_only=True)
class Found:
    """What came by in an archive."""

    tree: StorageTree
    loose: DockerSave
    """The archive itself, taken for a docker-save one."""
    digest: Digest | None = None
    """Of the file itself; None if it could not be read to its end."""
    airgap_yaml: bytes | None = None
    app: Extent | None = None
    saved: dict[str, SavedImage] = field(default_factory=dict)
    """The docker-save archives in it, by their path."""
    held: int = 0
    """Bytes of their JSON files."""
    names: list[str] = field(default_factory=list)
    """The first members that have no place in an archive of KOTS."""
    links: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether the file was read to its end; if not, what is missing says nothing."""
        return self.digest is not None


def scan(file: GzipFile, shelf: Shelf, progress: Progress, faults: list[TransferError]) -> Found:
    """Read an archive from start to end; what is wrong with it is added to `faults`.

    Raises:
        StorageError: the file cannot be read.
    """
    progress.begin(f"reading {file.name}", file.size)
    try:
        with Lane() as outer, Lane() as inner:
            whole = outer.start()

            def seen(block: bytes) -> None:
                whole.update(block)
                progress.advance(len(block))

            found = Found(
                tree=StorageTree(shelf, inner, file.what, faults),
                loose=DockerSave(file.what, inner, faults),
            )
            try:
                for member in scan_tar(file.scan(seen), file.what, faults, links=True):
                    _take(found, member, inner, file.what, faults)
                    _refuse_more(faults, file.what)
                found.digest = whole.result().result()
            except DamagedTar:
                pass  # among the faults already
            except CorruptArchive as error:
                faults.append(error)
            found.tree.check()
            return found
    finally:
        progress.end()


def _refuse_more(faults: list[TransferError], what: str) -> None:
    if len(faults) > MAX_FAULTS:
        raise CorruptArchive(f"{what}: more than {MAX_FAULTS} faults; the rest was not looked at")


def _take(found: Found, member: Member, lane: Lane, what: str, faults: list[TransferError]) -> None:
    name = member.name
    if member.link is not None:
        found.links.append(name)
        found.loose.take(member)
    elif name == AIRGAP_YAML:
        if member.size > MAX_YAML:
            raise CorruptArchive(f"{what}: {name}: {member.size} bytes are too many to be one")
        found.airgap_yaml = member.content.read(-1)
    elif name == APP_ARCHIVE:
        found.app = Extent(member.offset, member.size)
    elif name.startswith(distribution.ROOT):
        found.tree.take(member)
    elif name.startswith((SAVED_FOLDER, OLD_FOLDER)):
        save = DockerSave(f"{what}: {name}", lane, faults)
        image = _saved_image(member, save, faults)
        found.held += save.held
        if found.held > MAX_HELD:
            raise CorruptArchive(f"{what}: images with more than {MAX_HELD} bytes of JSON files")
        if image is not None:
            found.saved[name] = image
    else:
        if len(found.names) < MAX_NAMES:
            found.names.append(name)
        found.loose.take(member)


def _saved_image(
    member: Member, save: DockerSave, faults: list[TransferError]
) -> SavedImage | None:
    before = len(faults)
    with suppress(DamagedTar):
        for inner in scan_tar(member.content, save.what, faults, links=True):
            save.take(inner)
    if len(faults) > before:
        return None
    images = save.images()
    if len(images) != 1 and len(faults) == before:
        faults.append(CorruptArchive(f"{save.what}: holds {len(images)} images, expected one"))
    return images[0] if images else None
