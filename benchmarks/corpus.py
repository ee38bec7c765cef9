"""What the benchmarks push: a release of twelve images, as much shared as product images share.

50 layers of the real files of this machine, about 1.15 GB compressed; 14 of them, half of the
bytes, lie below three images each, which makes twice as much as the images are counted.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.real.large import large_docker_archive_format, large_docker_format
from tests.real.layers import MB, Layout
from tests.real.produce import Archive, Image, Wanted, docker_archive_format, docker_format

FORMATS = ("docker", "docker-archive")
SLUG = "harness"
ARCHIVE = "release.airgap"
SHARED = (4, 4, 3, 3)
"""Layers below the images of each family."""
MEMBERS = 3
OWN = 3
"""Layers of an image that no other has."""

SHARED_SIZE = 103 * MB
OWN_SIZE = 40 * MB
"""Uncompressed, of one layer; programs compress to about 40 %."""


def archive(form: str, size: int, folder: Path) -> Archive:
    """The release in one of `FORMATS`, made in `folder` unless it is there.

    With `size` it is one image of as many megabytes of made-up bytes.
    """
    if size:
        make = large_docker_format if form == "docker" else large_docker_archive_format
        return make(folder / f"{form}-{size}", size * MB)
    place, images = folder / form, tuple(_images())
    if not place.exists():
        making = folder / f"{form}.making"
        shutil.rmtree(making, ignore_errors=True)
        layout = _layout(making)
        write = docker_format if form == "docker" else docker_archive_format
        write(making / ARCHIVE, SLUG, layout, images)
        shutil.rmtree(layout.folder.parent)
        making.rename(place)
    return Archive(place / ARCHIVE, SLUG, tuple(Image(image.name) for image in images))


def _layout(folder: Path) -> Layout:
    work = folder / "work"
    work.mkdir(parents=True)
    sizes = {
        layer: OWN_SIZE if layer.startswith("own") else SHARED_SIZE
        for image in _images()
        for layer in image.layers
    }
    return Layout(work / "layout", sizes)


def _images() -> Iterator[Wanted]:
    for family, shared in enumerate(SHARED):
        below = tuple(f"shared{family}.{number}" for number in range(shared))
        for member in range(MEMBERS):
            name = f"service-{family}{member}"
            own = tuple(f"own{family}{member}.{number}" for number in range(OWN))
            yield Wanted(f"docker.io/harness/{name}:1.0", (*below, *own), "oci")
