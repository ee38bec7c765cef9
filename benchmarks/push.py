"""How long a push takes: ours, and the ways it is done today, side by side.

Made-up but real input (see corpus.py), a fresh registry for every run, the ways in turn. What a
way delivered is compared first: where it differs, no ratio is printed.

    python benchmarks/push.py [ROUNDS] [--format FORMAT] [--size MEGABYTES] [--input FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import corpus
from benchmarks.peers import NAMESPACE, peers
from tests.processes import run
from tests.real.judges import Reader
from tests.real.layers import MB
from tests.real.produce import Archive, Image, skopeo
from tests.real.product import bundler, mirror, write_spec
from tests.servers import docker_registry
from tests.tools import need

GIB = 1 << 30


@dataclass(slots=True)
class Way:
    """A way to push the archive's images to `host`, and what each run of it took."""

    name: str
    push: Callable[[str], None]
    cold: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Seconds of processor time of a run on a fresh registry, the registry's own not counted."""
    delivered: dict[str, str] = field(default_factory=dict)


def measure(way: Way, images: Sequence[Image], form: str, folder: Path) -> None:
    """One run on a fresh registry, and one more on the same."""
    with docker_registry(folder / "target") as registry:
        way.cpu.append(-processor_time())
        way.cold.append(timed(way.push, registry.host))
        way.cpu[-1] += processor_time()
        way.again.append(timed(way.push, registry.host))
        reader = Reader(registry)
        for image in images:
            name = f"{NAMESPACE}/{image.destination}"
            way.delivered[name] = identity(reader, name, form)
    shutil.rmtree(folder / "target")


def timed(push: Callable[[str], None], host: str) -> float:
    """Seconds that a push took."""
    start = time.perf_counter()
    push(host)
    return time.perf_counter() - start


def processor_time() -> float:
    """Seconds that every child of ours took which has ended."""
    times = os.times()
    return times.children_user + times.children_system


def identity(reader: Reader, name: str, form: str) -> str:
    """What has to be the same of an image, whoever pushed it.

    That is its manifest; of format `docker-archive`, which has none, its configuration, which
    holds the digests of the uncompressed layers: each tool compresses them in its own way.
    """
    if form == "docker":
        return reader.digest(name)
    return str(json.loads(reader.raw(name))["config"]["digest"])


def ours(source: Path) -> Callable[[str], None]:
    """`airgap-mirror push`, with its own checks and the read-back."""

    def push(host: str) -> None:
        mirror("push", source, "--to", f"{host}/{NAMESPACE}", "--plain-http")

    return push


def copies(images: Sequence[Image], origin: Callable[[Image], str]) -> Callable[[str], None]:
    """`skopeo copy`, image after image, from where `origin` says."""

    def push(host: str) -> None:
        for image in images:
            target = f"docker://{host}/{NAMESPACE}/{image.destination}"
            plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
            skopeo("copy", "--all", *plain, origin(image), target)

    return push


def as_kots_does(archive: Archive, form: str, folder: Path) -> Callable[[str], None]:
    """Unpack everything, with pigz, and copy image after image (KOTS: pkg/image).

    Of format `docker`, from a registry that is started on what was unpacked.
    """

    def push(host: str) -> None:
        unpacked = Path(tempfile.mkdtemp(dir=folder))
        unpack(archive, unpacked)
        if form == "docker":
            (unpacked / "images").rename(unpacked / "storage")
            with docker_registry(unpacked) as registry:
                copies(archive.images, served_by(registry.host))(host)
        else:
            copies(archive.images, saved_in(unpacked))(host)
        shutil.rmtree(unpacked)

    return push


def unpack(archive: Archive, folder: Path) -> None:
    """All of an archive, decompressed beside tar."""
    run(["tar", f"--use-compress-program={need('pigz')}", "-xf", archive.path, "-C", folder])


def served_by(host: str) -> Callable[[Image], str]:
    """Where skopeo finds an image of format `docker` once a registry serves it."""
    return lambda image: f"docker://{host}/{image.destination}"


def saved_in(folder: Path) -> Callable[[Image], str]:
    """Where skopeo finds an image of format `docker-archive`."""
    tars = folder / "images/docker-archive"
    return lambda image: f"docker-archive:{tars / image.name.replace(':', '/')}"


def laid_out_in(bundle: Path) -> Callable[[Image], str]:
    """Where skopeo finds an image in a bundle, which is an OCI layout."""
    return lambda image: f"oci:{bundle}:{image.name}"


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


def compare(archive: Archive, form: str, rounds: int, folder: Path) -> None:
    """Measure every way to push one archive, and print two tables in Markdown."""
    spec, bundle, source = folder / "spec.yaml", folder / "bundle", folder / "source"
    releases = [{"archive": {"path": str(archive.path)}}]
    write_spec(spec, applications=[{"slug": archive.slug, "releases": releases}])
    bundler("build", spec, "-o", bundle)
    source.mkdir()
    unpack(archive, source)
    if form == "docker":
        (source / "images").rename(source / "storage")
    origin = laid_out_in(bundle) if form == "docker" else saved_in(source)
    with docker_registry(source) as registry:
        archived = Way("ours, from the vendor's archive", ours(archive.path))
        built = Way("ours, from a bundle", ours(bundle))
        kots = Way("as KOTS does it, with pigz", as_kots_does(archive, form, folder))
        plain = Way("skopeo, from what is unpacked already", copies(archive.images, origin))
        others = peers(archive.images, registry.host) if form == "docker" else {}
        more = [Way(f"{name}, from a registry", push) for name, push in others.items() if push]
        ways = (archived, kots, built, plain, *more)
        for _ in range(rounds):
            for way in ways:
                measure(way, archive.images, form, folder)
    blobs = sum(path.stat().st_size for path in (bundle / "blobs/sha256").iterdir())
    size = archive.path.stat().st_size / MB
    print(f"\nformat `{form}`, {size:.0f} MB, {blobs / MB:.0f} MB of blobs, {rounds} rounds;")
    print("seconds: minimum / median / maximum; processor: seconds per GiB of blobs, cold\n")
    print("| | nothing there yet | everything there | processor |\n|---|---|---|---|")
    for way in ways:
        processor = spread([seconds * GIB / blobs for seconds in way.cpu])
        print(f"| {way.name} | {spread(way.cold)} | {spread(way.again)} | {processor} |")
    print("\n| ratio, pair by pair | nothing there yet | everything there |\n|---|---|---|")
    for one, other in ((archived, kots), *((built, other) for other in (kots, plain, *more))):
        print(f"| {one.name} : {other.name} | {ratio(one, other)} |", flush=True)
    for name in (name for name, push in others.items() if not push):
        print(f"| {name}: not installed | | |", flush=True)


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("--format", choices=corpus.FORMATS, help="this one only")
    parser.add_argument("--size", type=int, default=0, metavar="MEGABYTES", help="of one image")
    parser.add_argument("--input", type=Path, metavar="FOLDER", help="kept there, and used again")
    asked = parser.parse_args()
    for form in [asked.format] if asked.format else corpus.FORMATS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            archive = corpus.archive(form, asked.size, asked.input or folder / "vendor")
            compare(archive, form, asked.rounds, folder)


if __name__ == "__main__":
    main()
