"""Images made from the real files of this machine, as `umoci` makes them, in one OCI layout."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import run
from tests.tools import need

MB = 1_000_000

_ROOTS = ("usr/bin", "usr/sbin", "usr/libexec", "usr/lib", "usr/share")
"""Programs first: they compress as the content of product images does, to about 40 %."""

_BIGGEST_FILE = 60 * MB


@dataclass(slots=True)
class Layout:
    """An OCI layout that grows; `stack` gives an image made of the named layers."""

    folder: Path
    sizes: dict[str, int]
    """Uncompressed bytes of each layer that may be asked for."""
    _files: Iterator[tuple[str, int]] = field(default_factory=lambda: itertools.cycle(_walk()))
    _tars: dict[str, Path] = field(default_factory=dict)
    _images: set[tuple[str, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        run([need("umoci"), "init", "--layout", self.folder])
        run([need("umoci"), "new", "--image", f"{self.folder}:scratch"])

    def stack(self, layers: Sequence[str]) -> str:
        """The tag of the image with these layers, lowest first; images share what they can."""
        if not layers:
            return "scratch"
        tag = "-".join(layers)
        if tuple(layers) not in self._images:
            parent = f"{self.folder}:{self.stack(layers[:-1])}"
            run([need("umoci"), "tag", "--image", parent, tag])
            tar = self.tar(layers[-1])
            run([need("umoci"), "raw", "add-layer", "--image", f"{self.folder}:{tag}", tar])
            self._images.add(tuple(layers))
        return tag

    def index(self, platforms: dict[str, Sequence[str]]) -> str:
        """The tag of an OCI index over one image for each architecture."""
        entries = []
        for architecture, layers in platforms.items():
            tag = f"{self.stack(layers)}-{architecture}"
            source = f"{self.folder}:{self.stack(layers)}"
            run([need("umoci"), "tag", "--image", source, tag])
            image = f"{self.folder}:{tag}"
            run([need("umoci"), "config", "--image", image, "--architecture", architecture])
            platform = {"os": "linux", "architecture": architecture}
            entries.append({**self._descriptor(tag), "platform": platform})
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": entries}
        return self._name(json.dumps(index).encode())

    def digest(self, tag: str) -> str:
        """The digest of the manifest that a tag names."""
        return str(self._descriptor(tag)["digest"])

    def _descriptor(self, tag: str) -> dict[str, object]:
        for entry in json.loads((self.folder / "index.json").read_text())["manifests"]:
            if entry["annotations"][_NAME] == tag:
                return {key: entry[key] for key in ("mediaType", "digest", "size")}
        raise LookupError(tag)

    def _name(self, index: bytes) -> str:
        encoded = hashlib.sha256(index).hexdigest()
        (self.folder / "blobs/sha256" / encoded).write_bytes(index)
        top = json.loads((self.folder / "index.json").read_text())
        top["manifests"].append(
            {
                "mediaType": _INDEX,
                "digest": f"sha256:{encoded}",
                "size": len(index),
                "annotations": {_NAME: encoded[:12]},
            }
        )
        (self.folder / "index.json").write_text(json.dumps(top))
        return encoded[:12]

    def tar(self, layer: str) -> Path:
        """A tar of the next real files, kept because a layer may stand on several others."""
        if layer not in self._tars:
            target = self.folder.parent / f"{layer}.tar"
            names = self.folder.parent / f"{layer}.files"
            names.write_text("".join(f"{name}\n" for name in self._take(self.sizes[layer])))
            owner = ["--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"]
            run(["tar", "-cf", target, "-C", "/", "--no-recursion", *owner, "-T", names])
            self._tars[layer] = target
        return self._tars[layer]

    def _take(self, wanted: int) -> Iterator[str]:
        while wanted > 0:
            name, size = next(self._files)
            wanted -= size + 512
            yield name


_INDEX = "application/vnd.oci.image.index.v1+json"
_NAME = "org.opencontainers.image.ref.name"


def _walk() -> Iterator[tuple[str, int]]:
    """Path and size of this machine's files, always in one order.

    `cycle` starts again where a small machine has too few of them: a layer that starts at
    another file is another layer, even where its files come a second time.
    """
    for root in _ROOTS:
        for folder, folders, names in os.walk(f"/{root}"):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(names):
                path = os.path.join(folder, name)  # noqa: PTH118 - a hundred thousand files
                size = os.lstat(path).st_size
                plain = path.isprintable() and "\\" not in path
                if plain and size < _BIGGEST_FILE and os.access(path, os.R_OK):
                    yield path[1:], size
