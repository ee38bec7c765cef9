"""A small bundle with something of everything in it, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.transfer.images import Tree, image, index, layer
from tests.transfer.memory import MemoryStore
from transfer.bundle import Bundle, BundleWriter
from transfer.contents import (
    ArchiveFormat,
    ArchiveKind,
    ArchiveRecord,
    Contents,
    FileRecord,
    ImageRecord,
    PluginRecord,
    ReleaseRecord,
)
from transfer.copy import copy
from transfer.delivery import ImageCopy
from transfer.digest import Digest, Readable
from transfer.store import OpenContent

BASE = layer("base")
IMAGES = {
    "docker.io/harness/manager:79915": image(BASE, layer("manager")),
    "docker.io/harness/ui:79915": index(
        image(BASE, layer("ui")), image(layer("ui arm64"), author="arm"), docker=True
    ),
}
SINGLE = {"docker.io/harness/delegate:latest": image(layer("delegate"), docker=True)}
SLIM = b"airgap.yaml and app.tar.gz"
PLUGIN = b"kubectl-kots"
VALUES = b"hostname: harness.example\n"
VENDORS = b"what the vendor's archive held"


def record(path: str, content: bytes) -> FileRecord:
    return FileRecord(path=path, size=len(content), digest=Digest.of(content))


def contents(version: str = "2026.11") -> Contents:
    archive = ArchiveRecord(
        kind=ArchiveKind.APPLICATION,
        file_name="harness-79915.airgap",
        size=len(VENDORS),
        digest=Digest.of(VENDORS),
        format=ArchiveFormat.DOCKER,
        release=ReleaseRecord(app_slug="harness", version_label="79915", update_cursor="412"),
        slim="kots/harness/79915.airgap",
        compressor=None,
        images=tuple(ImageRecord(name=n, root=tree.root) for n, tree in IMAGES.items()),
    )
    plugin = record("files/kubectl-kots/linux/amd64/kots_linux_amd64.tar.gz", PLUGIN)
    return Contents(
        name="harness",
        version=version,
        archives=(archive,),
        images=tuple(ImageRecord(name=n, root=tree.root) for n, tree in SINGLE.items()),
        plugins=(PluginRecord(platform="linux/amd64", file=plugin),),
        files=(record("files/values/configvalues.yaml", VALUES),),
    )


def fill(writer: BundleWriter, images: dict[str, Tree]) -> None:
    source = MemoryStore(*images.values())
    wanted = [
        ImageCopy(root=tree.root, source=source, target=writer.layout, name=name)
        for name, tree in images.items()
    ]
    copy(wanted, jobs=2, overwrite=True).raise_for_failures()


def content(raw: bytes) -> OpenContent:
    @contextmanager
    def opened() -> Iterator[Readable]:
        yield io.BytesIO(raw)

    return opened


def make_bundle(path: Path, version: str = "2026.11") -> Bundle:
    wanted = contents(version)
    with BundleWriter.create(path) as writer:
        fill(writer, {**IMAGES, **SINGLE})
        writer.write_file("kots/harness/79915.airgap", lambda out: out.write(SLIM))
        writer.add_file(wanted.plugins[0].file, content(PLUGIN))
        writer.add_file(wanted.files[0], content(VALUES))
        return writer.finish(wanted)
