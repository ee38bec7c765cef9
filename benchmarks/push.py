"""How long a push takes: ours, and the ways it is done today, side by side.

Made-up but real input (see tests/real/produce.py), a fresh registry for every run, the ways in
turn. What a way delivered is compared first: where the digests differ, no ratio is printed.

    python benchmarks/push.py [ROUNDS]
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.processes import run
from tests.real.judges import Reader
from tests.real.produce import Archive, produce, skopeo
from tests.real.product import bundler, mirror, write_spec
from tests.servers import docker_registry

NAMESPACE = "harness"


@dataclass(slots=True)
class Way:
    """A way to push the archive's images to `host`, and the seconds that it took."""

    name: str
    push: Callable[[str], None]
    cold: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    delivered: dict[str, str] = field(default_factory=dict)


def measure(way: Way, archive: Archive, folder: Path) -> None:
    """One run on a fresh registry, and one more on the same."""
    with docker_registry(folder / "target") as registry:
        for seconds in (way.cold, way.again):
            start = time.perf_counter()
            way.push(registry.host)
            seconds.append(time.perf_counter() - start)
        reader = Reader(registry)
        for image in archive.images:
            name = f"{NAMESPACE}/{image.destination}"
            way.delivered[name] = reader.digest(name)
    shutil.rmtree(folder / "target")


def ours(source: Path) -> Callable[[str], None]:
    """`airgap-mirror push`, with its own checks and the read-back."""

    def push(host: str) -> None:
        mirror("push", source, "--to", f"{host}/{NAMESPACE}", "--plain-http")

    return push


def copies(archive: Archive, source: str) -> Callable[[str], None]:
    """`skopeo copy`, image after image, from a registry that already serves them."""

    def push(host: str) -> None:
        for image in archive.images:
            origin = f"docker://{source}/{image.destination}"
            target = f"docker://{host}/{NAMESPACE}/{image.destination}"
            plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
            skopeo("copy", "--all", *plain, origin, target)

    return push


def as_kots_does(archive: Archive, folder: Path) -> Callable[[str], None]:
    """Unpack everything, start a registry on it, copy image after image (KOTS: pkg/image)."""

    def push(host: str) -> None:
        unpacked = Path(tempfile.mkdtemp(dir=folder))
        unpack(archive, unpacked)
        with docker_registry(unpacked) as registry:
            copies(archive, registry.host)(host)

    return push


def unpack(archive: Archive, folder: Path) -> None:
    """The archive's images as the storage of a registry in `folder`."""
    run(["tar", "-xzf", archive.path, "-C", folder])
    (folder / "images").rename(folder / "storage")


def spread(values: Sequence[float]) -> str:
    """Minimum, median and maximum."""
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}"


def ratio(one: Way, other: Way) -> str:
    """Pair by pair, as the pairs were measured one after the other."""
    if one.delivered != other.delivered:
        return "no ratio: they did not deliver the same | -"
    cold = [a / b for a, b in zip(one.cold, other.cold, strict=True)]
    again = [a / b for a, b in zip(one.again, other.again, strict=True)]
    return f"{spread(cold)} | {spread(again)}"


def main() -> None:
    """Measure, and print two tables in Markdown."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = produce(folder / "vendor").first_gen
        spec, bundle, source = folder / "spec.yaml", folder / "bundle", folder / "source"
        releases = [{"archive": {"path": str(archive.path)}}]
        write_spec(spec, applications=[{"slug": archive.slug, "releases": releases}])
        bundler("build", spec, "-o", bundle)
        source.mkdir()
        unpack(archive, source)
        with docker_registry(source) as registry:
            archived = Way("ours, from the vendor's archive", ours(archive.path))
            built = Way("ours, from a bundle", ours(bundle))
            kots = Way("as KOTS does it", as_kots_does(archive, folder))
            plain = Way("skopeo, from an unpacked tree", copies(archive, registry.host))
            ways = (archived, kots, built, plain)
            for _ in range(rounds):
                for way in ways:
                    measure(way, archive, folder)
    print(f"{archive.path.name}, {rounds} rounds, seconds: min / median / max\n")
    print("| | nothing there yet | everything there |\n|---|---|---|")
    for way in ways:
        print(f"| {way.name} | {spread(way.cold)} | {spread(way.again)} |")
    print("\n| ratio, pair by pair | nothing there yet | everything there |\n|---|---|---|")
    for one, other in ((archived, kots), (built, plain), (built, kots)):
        print(f"| {one.name} : {other.name} | {ratio(one, other)} |")


if __name__ == "__main__":
    main()
