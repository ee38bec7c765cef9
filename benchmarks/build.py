"""How long a build takes, against unpacking the archive and hashing what is in it.

Ours reads the vendor's archive, proves it and every blob, and writes the bundle, synced to the
disk; the peer is `tar xzf` followed by `sha256sum` of the blobs, which leaves them unproven and
not in a layout yet. The two take turns, each into a fresh folder.

    python benchmarks/build.py [ROUNDS]
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.processes import run
from tests.real.produce import Archive, produce
from tests.real.product import bundler, write_spec
from transfer.text import human_bytes


def ours(archive: Archive, folder: Path) -> Callable[[Path], None]:
    """`airgap-bundler build`, as its lock says."""
    spec = folder / "spec.yaml"
    releases = [{"archive": {"path": str(archive.path)}}]
    write_spec(spec, applications=[{"slug": archive.slug, "releases": releases}])
    bundler("lock", spec)

    def build(target: Path) -> None:
        bundler("build", spec, "-o", target / "bundle")

    return build


def unpacked(archive: Archive) -> Callable[[Path], None]:
    """Tar and sha256sum."""

    def unpack(target: Path) -> None:
        run(["tar", "-xzf", archive.path, "-C", target])
        blobs = target / "images/docker/registry/v2/blobs"
        run(["find", blobs, "-name", "data", "-exec", "sha256sum", "{}", "+"])

    return unpack


def seconds(work: Callable[[Path], None], folder: Path) -> float:
    """One run in a folder of its own, which is removed outside of the measured time."""
    target = Path(tempfile.mkdtemp(dir=folder))
    start = time.perf_counter()
    work(target)
    taken = time.perf_counter() - start
    shutil.rmtree(target)
    return taken


def spread(values: Sequence[float]) -> str:
    """Minimum, median and maximum."""
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}"


def main() -> None:
    """Measure, and print a table in Markdown."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = produce(folder / "vendor").first_gen
        pairs = [
            (seconds(build, folder), seconds(unpack, folder))
            for build, unpack in [(ours(archive, folder), unpacked(archive))] * rounds
        ]
        size = human_bytes(archive.path.stat().st_size)
    built, tarred = zip(*pairs, strict=True)
    print(f"{archive.path.name}, {size}, {rounds} rounds, seconds: min / median / max\n")
    print("| | |\n|---|---|")
    print(f"| ours | {spread(built)} |")
    print(f"| tar xzf, sha256sum | {spread(tarred)} |")
    print(f"| ratio, pair by pair | {spread([a / b for a, b in pairs])} |")


if __name__ == "__main__":
    main()
