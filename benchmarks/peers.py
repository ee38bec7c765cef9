"""Other tools that copy images between registries; what is not on PATH is named, not left out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

from tests.processes import run
from tests.real.produce import Image

NAMESPACE = "harness"

COPY = {
    "crane": ("crane", "copy", "--insecure", "{source}", "{target}"),
    "oras": ("oras", "cp", "--from-plain-http", "--to-plain-http", "{source}", "{target}"),
    "regctl": (
        *("regctl", "--host", "reg={from_host},tls=disabled", "--host", "reg={host},tls=disabled"),
        *("image", "copy", "{source}", "{target}"),
    ),
}
"""How each copies one image, every platform of it, over plain HTTP."""


def peers(images: Sequence[Image], origin: str) -> dict[str, Callable[[str], None] | None]:
    """What copies the images from the registry `origin` to another; None for what is missing."""
    return {
        name: copies(words, images, origin) if shutil.which(name) else None
        for name, words in COPY.items()
    }


def copies(words: Sequence[str], images: Sequence[Image], origin: str) -> Callable[[str], None]:
    """One image after the other."""

    def push(host: str) -> None:
        for image in images:
            places = {
                "source": f"{origin}/{image.destination}",
                "target": f"{host}/{NAMESPACE}/{image.destination}",
                "from_host": origin,
                "host": host,
            }
            run([word.format_map(places) for word in words])

    return push
