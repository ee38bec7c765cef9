"""The names that images have in a bundle's `index.json` (docs/decisions/0007).

An image has its own name; where another content has that already, because the image was built
anew between two releases, its digest is added.
"""

from __future__ import annotations

from transfer.contents import Contents, ImageRecord
from transfer.descriptor import Descriptor


def index_names(contents: Contents) -> dict[str, Descriptor]:
    """Every name, and what it stands for."""
    names: dict[str, Descriptor] = {}
    for image in contents.all_images():
        index_name(image, names)
    return names


def index_name(image: ImageRecord, names: dict[str, Descriptor]) -> str:
    """The name of the next image; it is added to `names`, those of the images before it."""
    name = image.name
    if names.setdefault(name, image.root) != image.root:
        name = f"{name}@{image.root.digest}"
        names[name] = image.root
    return name
