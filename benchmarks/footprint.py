"""What a download and a build take, from small to large: memory, and disk beside the results.

An archive is served by nginx and built into a bundle. Told are the peak of the memory, what the
cache and the bundle hold in the end, the peak of the disk's use meanwhile, and what was left in
the temporary folder. The largest size wants four times its bytes of disk.

    python benchmarks/footprint.py [MEGABYTES...]
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.real.judges import peak, timed
from tests.real.large import large_docker_format
from tests.real.layers import MB
from tests.real.product import command, execute, secluded, write_spec
from tests.servers import nginx

SIZES = (100, 1000, 10_000)
EVERY = 0.05
"""Seconds between two looks at the disk."""


@contextmanager
def disk_peak(folder: Path) -> Iterator[list[int]]:
    """The most bytes that `folder` took while the body ran, in the list afterwards."""
    done, seen = Event(), [0]

    def look() -> None:
        while not done.wait(EVERY):
            seen[0] = max(seen[0], usage(folder))

    watcher = Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def usage(folder: Path) -> int:
    """Bytes that the files below a folder take; files may come and go meanwhile."""
    said = subprocess.run(
        ["du", "-s", "--block-size=1", folder], check=False, capture_output=True, text=True
    )
    return int(said.stdout.split()[0])


def measure(size: int, folder: Path) -> str:
    """One row of the table."""
    archive = large_docker_format(folder / "vendor", size)
    with archive.path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    work, report = folder / "work", folder / "time"
    work.mkdir()
    spec = work / "spec.yaml"
    with nginx(folder / "nginx", archive.path.parent) as server:
        origin = {"url": f"http://{server.host}/{archive.path.name}", "sha256": sha256}
        write_spec(spec, applications=[{"slug": archive.slug, "releases": [{"archive": origin}]}])
        build = command(
            "bundler", "build", spec, "-o", work / "bundle", "--cache-dir", work / "cache"
        )
        with disk_peak(work) as seen:
            execute([*timed(report), *build], env=secluded(work))
    left = sum(1 for _ in (work / "tmp").rglob("*"))
    results = usage(work / "cache") + usage(work / "bundle")
    return (
        f"| {size / MB:.0f} | {peak(report) / MB:.0f} | {results / MB:.0f} "
        f"| {(seen[0] - results) / MB:.1f} | {left} |"
    )


def main() -> None:
    """Measure, and print a table in Markdown."""
    sizes = [int(text) for text in sys.argv[1:]] or SIZES
    print("| archive, MB | peak memory, MB | cache and bundle, MB | disk beside them, MB | left |")
    print("|---|---|---|---|---|")
    for megabytes in sizes:
        folder = Path(tempfile.mkdtemp(prefix="footprint-"))
        try:
            print(measure(megabytes * MB, folder), flush=True)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
