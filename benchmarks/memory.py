"""What a push takes of memory and disk, from small bundles to large ones.

The bundles' layers are files with nothing but zeros, which take no room; the registry is a sink
that proves every byte and keeps none. Told are the peak of the memory and the time.

    python benchmarks/memory.py [MEGABYTES...]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.real.judges import peak, timed
from tests.real.product import command, execute, secluded
from tests.transfer.images import Tree, describe
from tests.transfer.memory import MemoryStore
from transfer.bundle import BundleWriter
from transfer.contents import Contents, ImageRecord
from transfer.copy import copy
from transfer.delivery import ImageCopy
from transfer.descriptor import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, Descriptor, Manifest
from transfer.digest import Digest

MB = 1_000_000
SIZES = (1_000, 10_000, 40_000)
LAYERS = 8
BLOCK = 10 * MB
NAME = "harness/large:1"


def zeros(sizes: list[int]) -> Iterator[Descriptor]:
    """A layer of zeros of each size, in ascending order."""
    state, done, block = sha256(), 0, bytes(BLOCK)
    for size in sizes:
        while done < size:
            count = min(BLOCK, size - done)
            state.update(block[:count])
            done += count
        digest = Digest("sha256", state.hexdigest())
        yield Descriptor(media_type=OCI_LAYER_GZIP, digest=digest, size=size)


def bundle(path: Path, size: int) -> None:
    """A bundle of one image, whose layers have `size` bytes together, each another size."""
    share = size * 2 // (LAYERS * (LAYERS + 1))
    layers = list(zeros([share * number for number in range(1, LAYERS + 1)]))
    config = b"{}"
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": describe(OCI_CONFIG, config).to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    manifest = Manifest.parse(json.dumps(value).encode())
    root = manifest.descriptor
    tree = Tree(root=root, manifests={root.digest: manifest.raw}, blobs={Digest.of(config): config})
    contents = Contents(name="large", version="1", images=(ImageRecord(name=NAME, root=root),))
    with BundleWriter.create(path) as writer:
        for layer in layers:
            place = writer.layout.path_of(layer.digest)
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as file:
                file.truncate(layer.size)
        image = ImageCopy(root=root, source=MemoryStore(tree), target=writer.layout, name=NAME)
        copy([image], jobs=1).raise_for_failures()
        writer.finish(contents)


@contextmanager
def sink() -> Iterator[str]:
    """The address of a registry that keeps nothing."""
    words = [sys.executable, "-m", "benchmarks.sink"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def main() -> None:
    """Measure each size, and print a table in Markdown."""
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    print("| bundle, MB | peak memory, MB | seconds | left in the temporary folder |")
    print("|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as name, sink() as host:
            folder = Path(name)
            bundle(folder / "bundle", size * MB)
            report, user = folder / "time", folder / "user"
            user.mkdir()
            to = ("--to", f"{host}/harness", "--plain-http")
            argv = [*timed(report), *command("mirror", "push", folder / "bundle", *to)]
            began = time.perf_counter()
            execute(argv, env=secluded(user), cwd=user)
            took = time.perf_counter() - began
            left = len(list((user / "tmp").iterdir()))
            print(f"| {size} | {peak(report) / MB:.0f} | {took:.1f} | {left} |", flush=True)


if __name__ == "__main__":
    main()
