"""How long a download with its checksum takes: ours, and `curl && sha256sum`, side by side.

1 GiB that no compression shortens, from nginx over loopback: as fast as it goes, and from a server
that lets each connection have little. The ways take turns; what came is compared each time.

    python benchmarks/download.py [ROUNDS]
"""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers import Nginx, nginx
from tests.tools import need

MIB = 1 << 20
SIZE = 1024 * MIB
LIMITED_SIZE = 256 * MIB
LIMIT = "limit_rate 32m;"

FETCH = """
import sys
import time
from pathlib import Path
from bundler.downloads import Download, Downloads
from bundler.sources.protocol import Location
url, cache = sys.argv[1:]
wanted = Download(
    what="the file", identity="the file", file_name="file", digest=None, size=None,
    locate=lambda: Location(url=url),
)
start = time.perf_counter()
with Downloads.connect(Path(cache)) as downloads:
    print(downloads.fetch(wanted).digest.encoded, time.perf_counter() - start)
"""


@dataclass(slots=True)
class Way:
    """A way to fetch a file from `url` into a folder; it prints the SHA-256."""

    name: str
    fetch: Callable[[str, Path], Sequence[str]]
    wall: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    """What the program itself says it took, where it does."""
    cpu: list[float] = field(default_factory=list)

    def uncounted(self) -> Way:
        """The same, measured for nothing."""
        return Way(self.name, self.fetch)


def ours(url: str, folder: Path) -> Sequence[str]:
    """`Downloads`, in a process of its own."""
    return output([sys.executable, "-c", FETCH, url, str(folder / "cache")])


def curl(url: str, folder: Path) -> Sequence[str]:
    """Fetch, then read it again for its checksum."""
    script = 'curl -sS -o "$2/file" "$1" && sha256sum "$2/file"'
    need("curl")
    return output(["sh", "-c", script, "sh", url, str(folder)])[:1]


def output(argv: Sequence[str]) -> Sequence[str]:
    """The words that a program printed."""
    root = str(Path(__file__).parents[1])
    environ = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(argv, check=True, capture_output=True, text=True, env=environ)
    return done.stdout.split()


def measure(way: Way, server: Nginx, expected: str, folder: Path) -> None:
    """One run into an empty folder."""
    folder.mkdir()
    before, start = cpu(), time.perf_counter()
    found, *inside = way.fetch(f"http://{server.host}/file", folder)
    way.wall.append(time.perf_counter() - start)
    way.cpu.append(cpu() - before)
    way.inside += map(float, inside)
    assert found == expected, f"{way.name} brought something else"
    shutil.rmtree(folder)


def cpu() -> float:
    """Seconds that the programs we ran have spent on the processors; nginx is still running."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spread(values: Sequence[float]) -> str:
    """Minimum, median and maximum."""
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}"


def compare(title: str, size: int, snippet: str, rounds: int) -> None:
    """Measure both ways in turn, and print a table in Markdown."""
    ways = (Way("ours", ours), Way("`curl && sha256sum`", curl))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "root").mkdir()
        expected = produce(folder / "root/file", size)
        with nginx(folder / "nginx", folder / "root", snippet) as server:
            for way in ways:
                # Not counted: a virtual machine that gave its free memory back to the host gets
                # it again page by page, which costs whoever comes first two seconds a GiB.
                measure(way.uncounted(), server, expected, folder / "run")
            for _ in range(rounds):
                for way in ways:
                    measure(way, server, expected, folder / "run")
    print(f"\n| {title}, {rounds} rounds | seconds | seconds of processor |\n|---|---|---|")
    own, peer = ways
    print(f"| ours | {spread(own.inside)} | |")
    print(f"| ours, with the start of Python | {spread(own.wall)} | {spread(own.cpu)} |")
    print(f"| {peer.name} | {spread(peer.wall)} | {spread(peer.cpu)} |")
    for name, seconds in (("ours", own.inside), ("with the start of Python", own.wall)):
        pairs = zip(seconds, peer.wall, strict=True)
        print(f"| ratio, pair by pair: {name} | {spread([a / b for a, b in pairs])} | |")


def produce(path: Path, size: int) -> str:
    """A file that no compression shortens; its SHA-256."""
    state = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size // MIB):
            block = os.urandom(MIB)
            state.update(block)
            file.write(block)
    return state.hexdigest()


def main() -> None:
    """Measure, and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    compare("1 GiB as fast as it goes", SIZE, "", rounds)
    compare("256 MiB, 32 MiB/s for each connection", LIMITED_SIZE, LIMIT, rounds)


if __name__ == "__main__":
    main()
