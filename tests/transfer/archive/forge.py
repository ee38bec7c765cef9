"""Taking archives apart and putting them together again with something wrong in them."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from transfer.archive import AirgapArchive
from transfer.digest import Digest, read_verified
from transfer.errors import TransferError
from transfer.graph import successors


@dataclass(slots=True)
class Forge:
    """The members of an archive, to be changed and written again."""

    members: dict[str, bytes]
    odd: list[tarfile.TarInfo] = field(default_factory=list)
    """Members that are no plain files, written after the others."""

    @classmethod
    def open(cls, path: Path) -> Forge:
        return cls(dict(read_tar(path.read_bytes())))

    def write(self, path: Path) -> Path:
        path.write_bytes(gzip.compress(self.tar(), 1, mtime=0))
        return path

    def tar(self) -> bytes:
        with io.BytesIO() as stream:
            with tarfile.open(fileobj=stream, mode="w") as tar:
                for name, content in self.members.items():
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
                for info in self.odd:
                    tar.addfile(info, io.BytesIO(bytes(info.size)))
            return stream.getvalue()

    def find(self, part: str) -> str:
        """The first member whose name holds `part`."""
        return next(name for name in self.members if part in name)

    def blob(self, digest: str) -> str:
        """The member that is a blob of a registry's storage tree."""
        return self.find(f"/{digest.removeprefix('sha256:')}/data")

    def edit(self, name: str, old: str, new: str) -> None:
        content = self.members[name].decode()
        assert old in content
        self.members[name] = content.replace(old, new, 1).encode()

    def edit_inside(self, name: str, change: Callable[[Forge], None]) -> None:
        """Change the members of a docker-save tar that is a member itself."""
        inner = Forge(dict(read_tar(self.members[name])))
        change(inner)
        self.members[name] = inner.tar()


def seeded(seed: int) -> random.Random:
    """Made-up content that is the same every time."""
    return random.Random(seed)  # noqa: S311 - no secret


def read_tar(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """The plain files of a tar, compressed or not; symlinks are left out."""
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        for info in tar:
            content = tar.extractfile(info) if info.isreg() else None
            if content is not None:
                yield info.name, content.read()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def prove(archive: AirgapArchive) -> set[Digest]:
    """Read every image completely and prove every byte; the digests of all that was read."""
    proven: set[Digest] = set()
    for image in archive.record.images:
        for manifest in successors(archive, image.root):
            proven.add(Digest.of(manifest.raw))
            for blob in manifest.blobs:
                with archive.open(blob) as stream:
                    read_verified(stream, blob.digest, blob.size, str(blob.digest))
                proven.add(blob.digest)
    return proven


def refused(path: Path, kind: type[TransferError]) -> TransferError:
    """The error with which an archive is refused."""
    with pytest.raises(kind) as caught:
        AirgapArchive.read(path).close()
    assert type(caught.value) is kind
    return caught.value


def only_fault(error: TransferError) -> TransferError:
    [fault] = error.faults
    return fault


def messages(error: TransferError) -> list[str]:
    """The message of each fault, or the error's own where it is a single one."""
    return [str(fault) for fault in error.faults] or [str(error)]
