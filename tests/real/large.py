"""Archives of three gigabytes, where only size matters: a few big layers of made-up bytes."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.real.layers import MB, Layout
from tests.real.produce import Archive, Wanted, docker_archive_format, docker_format
from tests.tools import need

LAYERS = {"first": 1000 * MB, "second": 1000 * MB, "third": 1000 * MB}
IMAGES = (Wanted("docker.io/harness/big:1", tuple(LAYERS)),)

STORED = "pigz -0"
"""What cannot be compressed is stored by every level; this one does not try first."""


class MadeUp(Layout):
    """Layers of one big file whose bytes no compressor makes smaller."""

    def tar(self, layer: str) -> Path:
        """A new tar at each call: it is used once, and big."""
        target = self.folder.parent / "layer.tar"
        size = self.sizes[layer]
        key = ["-K", layer.encode().hex().ljust(32, "0"), "-iv", "0" * 32]
        noise = [str(need("openssl")), "enc", "-aes-128-ctr", *key, "-in", "/dev/zero"]
        with (
            subprocess.Popen(noise, stdout=subprocess.PIPE) as source,
            tarfile.open(target, "w") as tar,
        ):
            member = tarfile.TarInfo(f"opt/{layer}.bin")
            member.size = size
            tar.addfile(member, source.stdout)
            source.kill()
        return target


def produce_large(folder: Path) -> tuple[Archive, Archive]:
    """The same image in both formats: `docker`, `docker-archive`."""
    work = folder / "work"
    work.mkdir(parents=True)
    layout = MadeUp(work / "layout", LAYERS)
    archives = (
        docker_format(folder / "big.airgap", "big", layout, IMAGES, compressor=STORED),
        docker_archive_format(
            folder / "big-ng.airgap", "big-ng", layout, IMAGES, compressor=STORED
        ),
    )
    shutil.rmtree(work)
    return archives
