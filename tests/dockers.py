"""Docker itself for tests: its daemon, which keeps images in one of two ways."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.engines import Saved, short_folder
from tests.processes import Argv, run, running, wait_for
from tests.tools import need

CLASSIC, CONTAINERD = "classic", "containerd"
"""Docker's own store keeps configurations and layers, containerd's keeps manifests."""

_STORES = {
    CLASSIC: ("--storage-driver=vfs", "--feature=containerd-snapshotter=false"),
    CONTAINERD: ("--storage-driver=native", "--feature=containerd-snapshotter=true"),
}
"""Both copy whole folders, which needs no kernel module."""

_ALONE = (
    *("--bridge=none", "--iptables=false", "--ip6tables=false"),
    *("--ip-forward=false", "--ip-masq=false"),
)
"""No container is run, so that the machine's network is left as it is."""


@dataclass(frozen=True, slots=True)
class Docker:
    """A running daemon."""

    address: str
    client: tuple[str | Path, ...]
    keeps_manifests: bool

    def run(self, *arguments: str | Path) -> str:
        """Run docker against it."""
        return run([*self.client, *arguments])

    def load(self, saved: Saved, *tags: str) -> None:
        """Bring an image in, as `docker load` does."""
        with tempfile.NamedTemporaryFile(suffix=".tar") as file:
            file.write(saved.tar(*tags))
            file.flush()
            self.run("load", "--input", file.name)


@cache
def stores() -> tuple[str, ...]:
    """The stores that the daemon on this machine can have; the classic one where there is none.

    An older daemon has no option that chooses.
    """
    daemon = shutil.which("dockerd")
    if daemon is None:
        return (CLASSIC,)
    told = subprocess.run([daemon, "--help"], check=False, capture_output=True, text=True)
    return tuple(_STORES) if "--feature" in told.stdout else (CLASSIC,)


@contextmanager
def docker_service(folder: Path, store: str = CLASSIC) -> Iterator[Docker]:
    """Docker's daemon on a socket, with everything it keeps in `folder`."""
    daemon, client = need("dockerd"), need("docker")
    if os.geteuid() != 0:
        message = "dockerd needs root"
        if os.environ.get("AIRGAP_REQUIRE_REAL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    folder.mkdir(parents=True, exist_ok=True)
    log, config = folder / "docker.log", folder / "daemon.json"
    config.write_text("{}")  # not the machine's own
    with short_folder() as short:
        path = short / "docker.sock"
        address = f"unix://{path}"
        options = _STORES[store] if len(stores()) > 1 else _STORES[store][:1]
        argv: Argv = [
            *(daemon, "--host", address, "--config-file", config, "--pidfile", short / "pid"),
            *("--data-root", folder / "root", "--exec-root", short / "exec", *_ALONE, *options),
        ]
        with running(argv, stdout=log, stderr=log) as process:
            wait_for(lambda: _answers(path), process, log)
            yield Docker(
                address=address,
                client=(client, "--config", folder / "client", "--host", address),
                keeps_manifests=store == CONTAINERD,
            )


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(str(path))
            asking.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in asking.recv(64)
        except OSError:
            return False
