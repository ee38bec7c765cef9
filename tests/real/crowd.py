"""Many small images: what makes a push long is not their bytes, but how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.sample_archives import Sample, write_application
from scripts.sample_images import LAYERS_IN_AN_ARCHIVE, Recipe
from tests.real.product import bundler, write_spec

_ANYWAY = 5
"""Images that every sample application has."""
_BOTH = ("amd64", "arm64")


@dataclass(frozen=True, slots=True)
class Crowd:
    """A bundle of many images."""

    bundle: Path
    sample: Sample

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(self.sample.images)

    @property
    def tags(self) -> int:
        """How many of them get a tag: those that are named by a digest get none."""
        return sum("@" not in name for name in self.sample.images)

    @property
    def blobs(self) -> int:
        """How many blobs there are, manifests among them."""
        return len(self.sample.blobs)


def crowd(folder: Path, images: int, *, layer: int = 8_000) -> Crowd:
    """A bundle of so many images, each of ten blobs, layers of about `layer` bytes.

    Every image has one layer that all have, and one that others have; one image in twenty is for
    two platforms.
    """
    archive = folder / "crowd.airgap"
    size = layer * LAYERS_IN_AN_ARCHIVE
    sample = write_application(archive, "crowd", size=size, more=tuple(_recipes(images - _ANYWAY)))
    spec, bundle = folder / "crowd.yaml", folder / "crowd"
    write_spec(
        spec, applications=[{"slug": "crowd", "releases": [{"archive": {"path": str(archive)}}]}]
    )
    bundler("build", spec, "-o", bundle)
    return Crowd(bundle, sample)


def _recipes(count: int) -> Iterator[Recipe]:
    for number in range(count):
        own = (f"{number}-{layer}" for layer in range(7))
        yield Recipe(
            f"docker.io/crowd/service-{number}:1",
            (f"group-{number % 20}", *own),
            oci=bool(number % 2),
            architectures=_BOTH[: 1 if number % 20 else 2],
        )
