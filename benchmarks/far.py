"""How fast a push is to a registry that is far away, against what one large PUT reaches there.

The line is made up (see tests/fakes/farline.py): 50 ms to the registry and back, and a rate. One
PUT by curl of as many bytes as the bundle has, and ours, in turn, each to a fresh registry.

    python benchmarks/far.py [ROUNDS] [--images N] [--round-trip MILLISECONDS] [--rate MEGABYTES]
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.mirror.supply import make_bundle
from tests.processes import run
from tests.real.product import mirror
from tests.servers import docker_registry
from tests.tools import need
from tests.transfer.images import Tree, from_blobs

MB = 1_000_000
SIZES = (2_000, 20_000, 300_000, 3 * MB, 12 * MB)
"""Of the layers of an image, each up to twice as large: few are what takes the time."""


@contextmanager
def far(host: str, round_trip: float, rate: float) -> Iterator[str]:
    """The address of a registry at the other end of a long line."""
    words = [sys.executable, "-m", "tests.fakes.farline", host]
    words += ["--delay", str(round_trip / 2), "--rate", str(rate)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as line:
        assert line.stdout
        try:
            yield line.stdout.readline().strip()
        finally:
            line.terminate()


def images(count: int) -> dict[str, Tree]:
    """Images whose layers no compression shortens."""
    made = random.Random(2026)
    return {
        f"harness/service-{number}:1": from_blobs(
            f"config {number}".encode(),
            *(made.randbytes(made.randint(size, 2 * size)) for size in SIZES),
        )
        for number in range(count)
    }


def one_put(file: Path) -> Callable[[str], None]:
    """All bytes as one blob, by curl."""
    digest = sha256(file.read_bytes()).hexdigest()

    def put(host: str) -> None:
        with urlopen(Request(f"http://{host}/v2/one/blobs/uploads/", method="POST")) as answer:
            location = urljoin(f"http://{host}/", answer.headers["Location"])
        to = f"{location}&digest=sha256:{digest}"
        octets = ["-H", "Content-Type: application/octet-stream", "-H", "Expect:"]
        run([need("curl"), "-sfS", "-T", file, *octets, to])

    return put


def pushed(bundle: Path) -> Callable[[str], None]:
    """The bundle, by `airgap-mirror push`."""

    def push(host: str) -> None:
        mirror("push", bundle, "--to", f"{host}/harness", "--plain-http")

    return push


def measure(folder: Path, asked: argparse.Namespace) -> None:
    """Print what each way reached, and how that compares with one PUT."""
    bundle, whole = folder / "bundle", folder / "whole"
    made, rounds = images(asked.images), asked.rounds
    round_trip, rate = asked.round_trip / 1000, asked.rate * MB
    make_bundle(bundle, made)
    blobs = {digest: raw for tree in made.values() for digest, raw in tree.blobs.items()}
    whole.write_bytes(b"".join(blobs.values()))
    size = whole.stat().st_size
    ways = {
        "one PUT, curl": one_put(whole),
        "ours": pushed(bundle),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            with (
                docker_registry(folder / f"{number} {name}") as registry,
                far(registry.host, round_trip, rate) as host,
            ):
                began = time.perf_counter()
                way(host)
                taken[name].append(time.perf_counter() - began)
    print(f"\n{len(made)} images, {len(blobs)} blobs, {size / MB:.0f} MB; {rounds} rounds;")
    print(f"{1000 * round_trip:.0f} ms there and back, {rate / MB:.0f} MB/s\n")
    print("| | MB/s | of one PUT |\n|---|---|---|")
    for name, seconds in taken.items():
        speeds = [size / MB / one for one in seconds]
        parts = [a / b for a, b in zip(taken["one PUT, curl"], seconds, strict=True)]
        print(f"| {name} | {spread(speeds)} | {spread(parts)} |")


def spread(values: Sequence[float]) -> str:
    """Minimum, median and maximum."""
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}"


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--round-trip", type=float, default=50, metavar="MILLISECONDS")
    parser.add_argument("--rate", type=float, default=25, metavar="MEGABYTES")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), asked)


if __name__ == "__main__":
    main()
