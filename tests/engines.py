"""Container engines for tests: real Podman, and a fake that speaks some of Docker's API.

Their sockets are in short folders of their own: a socket's path has at most 107 bytes.
"""

from __future__ import annotations

import io
import json
import os
import socketserver
import tarfile
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.processes import Argv, run, running, wait_for
from tests.tools import need
from transfer.digest import Digest


@dataclass(frozen=True, slots=True)
class Saved:
    """An image as an engine has it: a configuration, and layers without compression."""

    config: bytes
    layers: tuple[bytes, ...]

    @classmethod
    def of(cls, *texts: str, size: int = 0, architecture: str = "amd64") -> Saved:
        """An image with a layer for each text, whose one file holds it, and zeros up to `size`."""
        layers = tuple(_layer(text, size) for text in texts)
        rootfs = {"type": "layers", "diff_ids": [str(Digest.of(layer)) for layer in layers]}
        value = {"architecture": architecture, "os": "linux", "config": {}, "rootfs": rootfs}
        return cls(json.dumps(value).encode(), layers)

    @property
    def id(self) -> Digest:
        """Its ID, where an engine keeps no manifests."""
        return Digest.of(self.config)

    @property
    def diff_ids(self) -> list[str]:
        return [str(Digest.of(layer)) for layer in self.layers]

    def tar(self, *tags: str, folder: str = "") -> bytes:
        """What saving it gives; with `blobs/sha256/` as its folder, as newer Dockers do."""
        tail = "" if folder else ".tar"
        members = {f"{folder}{Digest.of(x).encoded}{tail}": x for x in self.layers}
        config = f"{folder}{self.id.encoded}{'' if folder else '.json'}"
        names = list(members)
        entry = {"Config": config, "RepoTags": list(tags) or None, "Layers": names}
        members[config] = self.config
        members["manifest.json"] = json.dumps([entry]).encode()
        return _tar(members)


def _layer(text: str, size: int) -> bytes:
    return _tar({"file": text.encode().ljust(size, b"\0")})


def _tar(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for that of a socket."""
    with tempfile.TemporaryDirectory(prefix="eng", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@dataclass(frozen=True, slots=True)
class Podman:
    """`podman system service` over a storage of its own."""

    address: str
    options: tuple[str, ...]

    def run(self, *arguments: str | Path) -> str:
        """Run podman over the same storage."""
        return run([need("podman"), *self.options, *arguments])

    def load(self, saved: Saved, *tags: str) -> None:
        """Bring an image in, as `podman load` does."""
        with tempfile.NamedTemporaryFile(suffix=".tar") as file:
            file.write(saved.tar(*tags))
            file.flush()
            self.run("load", "--input", file.name)


@contextmanager
def podman_service(folder: Path) -> Iterator[Podman]:
    """Podman's API on a socket, with everything it keeps in `folder`.

    The storage driver copies whole folders (vfs), which needs no kernel module; nothing is run
    in a container, so that neither systemd nor a network is asked for.
    """
    podman = need("podman")
    if os.geteuid() != 0:
        message = "podman needs user namespaces, or root, to keep images"
        if os.environ.get("AIRGAP_REQUIRE_REAL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "podman.log"
    with short_folder() as short:  # podman wants short names for the folders of its sockets too
        folders = {"root": folder / "root", "runroot": short / "run", "tmpdir": short / "tmp"}
        options = ["--storage-driver", "vfs", "--log-level", "warn"]
        options += [f"--{option}={place}" for option, place in folders.items()]
        socket = short / "podman.sock"
        argv: Argv = [podman, *options, "system", "service", "--time", "0", f"unix://{socket}"]
        environ = {**os.environ, "TMPDIR": str(folder)}
        with running(argv, stdout=log, stderr=log, env=environ) as process:
            wait_for(socket.is_socket, process, log)
            yield Podman(address=f"unix://{socket}", options=tuple(options))


@dataclass(slots=True)
class FakeEngine:
    """An engine that has what it is told to have, and saves what it is told to save."""

    address: str
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What an inspection answers, by name and by ID."""
    archives: dict[str, bytes] = field(default_factory=dict)
    """What saving gives, by ID."""
    cut: int | None = None
    """After how many bytes of an archive the connection breaks."""
    status: int = 200
    """Anything else is what every question is answered with."""
    asked: list[str] = field(default_factory=list)
    """The paths of all questions about images."""
    keeps_manifests: bool = False
    """Whether it is a Docker that keeps images in containerd."""
    refusal: str = ""
    """What it answers to a load, where it does not take it."""
    forgetful: bool = False
    """Acknowledges what is loaded, and keeps nothing."""
    loaded: list[dict[str, bytes]] = field(default_factory=list)
    """The members of each archive that was loaded."""

    def take(self, archive: bytes) -> None:
        """Load an archive as Docker does: of the layout it keeps manifests of, or of the other."""
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            members = {m.name: read.read() for m in tar if (read := tar.extractfile(m))}
        self.loaded.append(members)
        if self.forgetful:
            return
        if self.keeps_manifests:
            (entry,) = json.loads(members["index.json"])["manifests"]
            found = str(entry["digest"])
            names = [entry["annotations"].get("io.containerd.image.name", found)]
        else:
            (entry,) = json.loads(members["manifest.json"])
            found = str(Digest.of(members[entry["Config"]]))
            names = entry["RepoTags"] or [found]
        answer = {"Id": found, "Size": 0, "RootFS": {"Layers": []}}
        self.images.update(dict.fromkeys([*names, found], answer))

    def hold(self, name: str, saved: Saved, *, image_id: Digest | None = None) -> Digest:
        """Have an image under a name, and say another ID than that of its configuration."""
        found = image_id or saved.id
        answer = {
            "Id": str(found),
            "Size": sum(map(len, saved.layers)),
            "RootFS": {"Type": "layers", "Layers": saved.diff_ids},
        }
        self.images[name] = self.images[str(found)] = answer
        self.archives[str(found)] = saved.tar()
        return found


@contextmanager
def fake_engine() -> Iterator[FakeEngine]:
    """An engine on a socket."""
    with short_folder() as short:
        socket = short / "engine.sock"
        engine = FakeEngine(address=f"unix://{socket}")
        handler = type("Handler", (_Handler,), {"engine": engine})
        with _Server(str(socket), handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield engine
            finally:
                server.shutdown()
                thread.join()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128  # a full queue refuses, where TCP would wait

    def get_request(self) -> tuple[Any, Any]:
        request, _ = super().get_request()
        return request, ("engine", 0)  # BaseHTTPRequestHandler wants a host


class _Handler(BaseHTTPRequestHandler):
    engine: FakeEngine
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(self.path)
        if path.endswith("/version"):
            return self._answer(200, {"ApiVersion": "1.47", "Os": "linux", "Arch": "amd64"})
        if path.endswith("/info"):
            driver = "io.containerd.snapshotter.v1" if self.engine.keeps_manifests else "vfs"
            return self._answer(200, {"DriverStatus": [["driver-type", driver]]})
        _, _, rest = path.partition("/images/")
        name, _, kind = rest.rpartition("/")
        self.engine.asked.append(rest)
        if self.engine.status != 200:
            return self._answer(self.engine.status, {"message": "scripted"})
        if name not in self.engine.images:
            return self._answer(404, {"message": f"No such image: {name}"})
        if kind == "json":
            return self._answer(200, self.engine.images[name])
        return self._save(self.engine.archives[name])

    def do_POST(self) -> None:
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        if self.engine.status != 200:
            return self._answer(self.engine.status, {"message": "scripted"})
        if self.engine.refusal:
            return self._answer(200, {"error": self.engine.refusal})
        self.engine.take(content)
        return self._answer(200, {"stream": "Loaded image"})

    def _save(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-tar")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = content if self.engine.cut is None else content[: self.engine.cut]
        self.wfile.write(f"{len(sent):x}\r\n".encode() + sent + b"\r\n")
        if self.engine.cut is None:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _answer(self, status: int, value: Mapping[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        """Stay silent."""
