"""Archives of gigabytes, where only size matters: three big layers of made-up bytes."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.real.layers import MB, Layout
from tests.real.produce import Archive, Wanted, docker_archive_format, docker_format
from tests.tools import need

LAYERS = ("first", "second", "third")
SIZE = 3000 * MB
IMAGES = (Wanted("docker.io/harness/big:1", LAYERS),)

STORED = "pigz -0"
"""Nothing is compressed once more: the archive is as big as what is in it."""


class MadeUp(Layout):
    """Layers of one big file each, in which every fourth megabyte, or every one, is noise."""

    every: int = 1

    def tar(self, layer: str) -> Path:
        """A new tar at each call: it is used once, and big."""
        content = self.folder.parent / "content"
        key = ["-K", layer.encode().hex().ljust(32, "0"), "-iv", "0" * 32]
        noise = [str(need("openssl")), "enc", "-aes-128-ctr", *key, "-in", "/dev/zero"]
        with subprocess.Popen(noise, stdout=subprocess.PIPE) as source, content.open("wb") as file:
            assert source.stdout
            for place in range(0, self.sizes[layer], self.every * MB):
                file.seek(place)  # what is left out reads as zeros
                file.write(source.stdout.read(MB))
            source.kill()
        with tarfile.open(self.folder.parent / "layer.tar", "w") as tar:
            tar.add(content, f"opt/{layer}")
        return self.folder.parent / "layer.tar"


def large_docker_format(folder: Path, size: int = SIZE) -> Archive:
    """Format `docker`, with `size` bytes that no compressor makes smaller."""
    layout = _layout(folder, size, every=1)
    archive = docker_format(folder / "big.airgap", "big", layout, IMAGES, compressor=STORED)
    shutil.rmtree(layout.folder.parent)
    return archive


def large_docker_archive_format(folder: Path, size: int = SIZE) -> Archive:
    """Format `docker-archive`, with `size` bytes that compress as programs do."""
    layout = _layout(folder, size, every=4)
    path = folder / "big-ng.airgap"
    archive = docker_archive_format(path, "big-ng", layout, IMAGES, compressor=STORED)
    shutil.rmtree(layout.folder.parent)
    return archive


def _layout(folder: Path, size: int, every: int) -> MadeUp:
    work = folder / "work"
    work.mkdir(parents=True)
    layout = MadeUp(work / "layout", dict.fromkeys(LAYERS, size // len(LAYERS)))
    layout.every = every
    return layout
