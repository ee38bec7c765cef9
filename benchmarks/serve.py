"""How fast a blob is served: `airgap-mirror serve`, docker-registry and nginx, side by side.

One blob of random bytes over loopback, to one client and to eight at a time, plain and over TLS;
the servers in turn. Every byte is compared once per server before its figures count.

    python benchmarks/serve.py [ROUNDS] [MIB]
"""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers import Certificate, certificate, docker_registry, nginx
from tests.transfer import images
from transfer.descriptor import Manifest
from transfer.digest import Digest
from transfer.layout import OciLayout

BLOCK = 1 << 20
CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that is up."""

    host: str
    path: str
    process: int | None = None


@dataclass(slots=True)
class Way:
    """A server, and what it reached in MB/s."""

    name: str
    start: Callable[[Path, Certificate | None], AbstractContextManager[Listening]]
    one: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    memory: int = 0
    """MB of the process at its peak."""
    work: list[float] = field(default_factory=list)
    """Its CPU seconds for a gigabyte to one client."""


class Blob:
    """The content, in a store as `airgap-mirror push` would leave it."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        pattern = os.urandom(BLOCK)
        whole = hashlib.sha256()
        with OciLayout.create(folder) as layout:
            part = layout.scratch / "part"
            with part.open("wb") as file:
                for i in range(size // BLOCK):
                    block = i.to_bytes(8, "big") + pattern[8:]
                    file.write(block)
                    whole.update(block)
            self.digest = Digest("sha256", whole.hexdigest())
            self.path = layout.path_of(self.digest)
            part.rename(self.path)
            tree = images.image(images.layer("small"))
            for digest, raw in {**tree.blobs, **tree.manifests}.items():
                layout.path_of(digest).write_bytes(raw)
            layout.push_manifest(Manifest.parse(tree.manifests[tree.root.digest]), "image:1")

    @contextmanager
    def ours(self, folder: Path, tls: Certificate | None) -> Iterator[Listening]:
        """`airgap-mirror serve`."""
        folder.mkdir(parents=True)
        argv = [sys.executable, "-m", "mirror", "serve", self.folder, "--listen", "127.0.0.1:0"]
        if tls:
            argv += ["--tls-cert", tls.certificate, "--tls-key", tls.key]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                list(map(str, argv)), stdout=subprocess.PIPE, stderr=log, text=True
            )
        with process:
            assert process.stdout
            host = process.stdout.readline().strip()
            try:
                yield Listening(host, f"/v2/image/blobs/{self.digest}", process.pid)
            finally:
                process.terminate()

    @contextmanager
    def registry(self, folder: Path, tls: Certificate | None) -> Iterator[Listening]:
        """docker-registry over the same file."""
        with docker_registry(folder, tls=tls) as running:
            stored = running.blob(str(self.digest))
            stored.parent.mkdir(parents=True)
            stored.hardlink_to(self.path)
            link = running.storage / "docker/registry/v2/repositories/image/_layers/sha256"
            (link / self.digest.encoded).mkdir(parents=True)
            (link / self.digest.encoded / "link").write_text(str(self.digest))
            path = f"/v2/image/blobs/{self.digest}"
            yield Listening(running.host, path, running.process.pid)

    @contextmanager
    def nginx(self, folder: Path, tls: Certificate | None) -> Iterator[Listening]:
        """Nginx with the file below its root: no registry, but as fast as a server gets."""
        with nginx(folder, self.path.parent, "sendfile on;", tls=tls) as running:
            yield Listening(running.host, f"/{self.digest.encoded}")


def pull(server: Listening, tls: Certificate | None, blob: Blob, *, check: bool = False) -> None:
    """Ask for the blob and take it, with as little work on this side as can be."""
    host, port = server.host.split(":")
    state = hashlib.sha256()
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        connection = (
            ssl.create_default_context(cafile=tls.ca).wrap_socket(raw, server_hostname=host)
            if tls
            else raw
        )
        head = f"GET {server.path} HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        buffer = memoryview(bytearray(BLOCK))
        start = b""
        while b"\r\n\r\n" not in start:
            start += connection.recv(4096)
        start, _, body = start.partition(b"\r\n\r\n")
        assert b" 200 " in start, start
        state.update(body)
        got = len(body)
        while count := connection.recv_into(buffer):
            got += count
            if check:
                state.update(buffer[:count])
        connection.close()
    assert got == blob.size
    assert not check or state.hexdigest() == blob.digest.encoded


def timed(work: Callable[[], object], size: int) -> float:
    """Megabytes a second."""
    start = time.perf_counter()
    work()
    return size / (time.perf_counter() - start) / 1e6


def measure(way: Way, folder: Path, tls: Certificate | None, blob: Blob, *, check: bool) -> None:
    """One round with a fresh server."""
    with way.start(folder, tls) as server, ThreadPoolExecutor(CLIENTS) as pool:
        pull(server, tls, blob, check=check)
        before = cpu_seconds(server)
        way.one.append(timed(lambda: pull(server, tls, blob), blob.size))
        way.work.append((cpu_seconds(server) - before) / blob.size * 1e9)

        def crowd() -> None:
            list(pool.map(lambda _: pull(server, tls, blob), range(CLIENTS)))

        way.many.append(timed(crowd, blob.size * CLIENTS))
        if server.process:
            status = Path(f"/proc/{server.process}/status").read_text()
            way.memory = max(way.memory, int(status.split("VmHWM:")[1].split()[0]) // 1000)


def cpu_seconds(server: Listening) -> float:
    """What its process has used so far; 0 where that is not known."""
    if server.process is None:
        return 0.0
    fields = Path(f"/proc/{server.process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shown(values: list[float]) -> str:
    """Smallest, median and largest."""
    return f"{min(values):6.0f} / {statistics.median(values):6.0f} / {max(values):6.0f}"


def main() -> None:
    """Measure and print."""
    rounds, size = (int(word) for word in (sys.argv[1:] + ["5", "512"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blob = Blob(folder / "store", size * BLOCK)
        keys = certificate(folder / "tls")
        for title, tls in (("plain HTTP", None), ("TLS", keys)):
            ways = [
                Way("airgap-mirror serve", blob.ours),
                Way("docker-registry", blob.registry),
                Way("nginx", blob.nginx),
            ]
            for i in range(rounds):
                for way in ways:
                    place = folder / f"{title} {i} {way.name}".replace(" ", "-")
                    measure(way, place, tls, blob, check=i == 0)
            print(f"\n{title}, {size} MiB, MB/s, minimum / median / maximum of {rounds}")
            for way in ways:
                work = f"{statistics.median(way.work):.2f} CPU s/GB, " if way.memory else ""
                own = f"{work}peak {way.memory} MB" if way.memory else ""
                print(f"{way.name:20} one {shown(way.one)}   {CLIENTS} {shown(way.many)}   {own}")


if __name__ == "__main__":
    main()
