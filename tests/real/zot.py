"""zot, a registry that has nothing in common with distribution's, where somebody installed it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.tokens import TokenServer
from tests.processes import Argv, free_port, run, running, wait_for
from tests.servers import Certificate, Request, answers
from tests.tools import need

_OWNER = "localhost"
"""The name in every certificate of `tests.servers`."""


@dataclass(frozen=True, slots=True)
class Zot:
    """A running zot."""

    host: str
    """`127.0.0.1:PORT`"""
    log: Path

    def requests(self) -> list[Request]:
        """Every request answered so far."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]
        told = (line for line in lines if line.get("message") == "HTTP API")
        return [Request(line["method"], line["path"], line["statusCode"]) for line in told]


@contextmanager
def zot(
    folder: Path,
    *,
    tls: Certificate | None = None,
    htpasswd: tuple[str, str] | None = None,
    token: TokenServer | None = None,
    client: Certificate | None = None,
) -> Iterator[Zot]:
    """Zot with everything in `folder`; the options are those of `docker_registry`.

    Without `compat` it refuses manifests of Docker's types.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, log, config = free_port(), folder / "zot.log", folder / "zot.json"
    http: dict[str, Any] = {"address": "127.0.0.1", "port": str(port), "compat": ["docker2s2"]}
    if tls:
        http["tls"] = {"cert": str(tls.certificate), "key": str(tls.key)}
    if client:
        http["tls"]["cacert"] = str(client.ca)
        http |= _only(_OWNER)
    if htpasswd:
        passwords = folder / "htpasswd"
        passwords.write_text(run([need("htpasswd"), "-Bbn", *htpasswd]))
        http["auth"] = {"htpasswd": {"path": str(passwords)}}
    if token:
        told = {"realm": token.realm, "service": token.service, "cert": str(token.certificate)}
        http["auth"] = {"bearer": told}
    config.write_text(
        json.dumps(
            {
                "distSpecVersion": "1.1.1",
                "storage": {"rootDirectory": str(folder / "storage"), "gc": False},
                "http": http,
                "log": {"level": "info", "output": str(log)},
            }
        )
    )
    argv: Argv = [need("zot"), "serve", config]
    host, output = f"127.0.0.1:{port}", folder / "zot.out"
    with running(argv, stdout=output, stderr=output) as process:
        wait_for(lambda: answers(host, "/v2/", tls, client), process, output)
        yield Zot(host, log)


def _only(name: str) -> dict[str, Any]:
    """Whoever shows a certificate with this name may do everything, others nothing."""
    policy = {"users": [name], "actions": ["read", "create", "update", "delete"]}
    return {"accessControl": {"repositories": {"**": {"policies": [policy], "defaultPolicy": []}}}}
