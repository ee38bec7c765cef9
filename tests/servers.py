"""Real servers for tests: Debian's docker-registry and nginx, with certificates and passwords.

Each is a context manager that takes a folder of its own, listens on a free port of 127.0.0.1,
waits until the server really answers, and ends the process it started. `tests.server_fixtures`
has fixtures for the common ones.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.tokens import TokenServer
from tests.processes import PATIENCE, Argv, free_port, run, running, wait_for
from tests.tools import need

_PROBE = "?probe"
"""Marks the requests of `answers`, which are not counted."""

_CA_EXTENSIONS = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n"
_SERVER_EXTENSIONS = (
    "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
    "extendedKeyUsage={purpose}\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's certificate for localhost and 127.0.0.1, and the private CA that signed it."""

    ca: Path
    certificate: Path
    key: Path


def certificate(folder: Path, purpose: str = "serverAuth") -> Certificate:
    """A new CA and a server certificate signed by it; two calls give unrelated CAs.

    With the purpose `clientAuth`, it is a client's certificate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    openssl = need("openssl")
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    server, server_key = folder / "server.pem", folder / "server.key"
    signed: list[str | Path] = ["-CA", ca, "-CAkey", ca_key]
    for name, extensions, out, key, signer in (
        (f"CA {folder.name}", _CA_EXTENSIONS, ca, ca_key, []),
        ("localhost", _SERVER_EXTENSIONS.format(purpose=purpose), server, server_key, signed),
    ):
        config = folder / f"{key.stem}.cnf"
        identifiers = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n"
        config.write_text(
            f"[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=v3\n"
            f"[dn]\nCN={name}\n[v3]\n{extensions}{identifiers}"
        )
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        files: Argv = ["-config", config, "-keyout", key, "-out", out]
        run([openssl, "req", "-x509", "-days", "30", *new_key, *files, *signer])
    return Certificate(ca=ca, certificate=server, key=server_key)


@dataclass(frozen=True, slots=True)
class Request:
    """One request that a server answered, as its access log tells it."""

    method: str
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class Registry:
    """A running docker-registry."""

    host: str
    """`127.0.0.1:PORT`; its certificate holds for `localhost` too."""
    storage: Path
    """The folder with `docker/registry/v2` in it."""
    log: Path
    access: Path
    process: subprocess.Popen[bytes]

    def requests(self) -> list[Request]:
        """Every request answered so far; a large download may show up a moment late."""
        return read_access_log(self.access)

    def count(self, method: str, pattern: str = "") -> int:
        """How many requests had this method and a path in which the pattern is found."""
        return sum(
            request.method == method and re.search(pattern, request.path) is not None
            for request in self.requests()
        )

    def blob(self, digest: str) -> Path:
        """Where the registry keeps the bytes of a digest."""
        algorithm, _, encoded = digest.partition(":")
        blobs = self.storage / "docker/registry/v2/blobs"
        return blobs / algorithm / encoded[:2] / encoded / "data"


def read_access_log(path: Path) -> list[Request]:
    """The requests in a log of Apache's combined format, as docker-registry and nginx write it."""
    line = re.compile(r'"([A-Z]+) (\S+) HTTP/[0-9.]+" (\d{3}) ')
    text = path.read_text(errors="replace") if path.exists() else ""
    return [
        Request(method, path, int(status))
        for method, path, status in line.findall(text)
        if not path.endswith(_PROBE)
    ]


@contextmanager
def docker_registry(
    folder: Path,
    *,
    tls: Certificate | None = None,
    htpasswd: tuple[str, str] | None = None,
    token: TokenServer | None = None,
    readonly: bool = False,
    port: int = 0,
    client: Certificate | None = None,
    program: Path | None = None,
) -> Iterator[Registry]:
    """Debian's docker-registry with its storage in `folder`, which may hold content already.

    Args:
        folder: Gets the configuration, `storage/` and the logs.
        tls: Speak HTTPS with this certificate.
        htpasswd: Ask for this user name and password (basic).
        token: Ask for tokens of this server (bearer).
        readonly: Refuse every change, with 405.
        port: A port to come back on after a restart; otherwise a free one.
        client: Let nobody in who does not show a certificate of this authority; wants `tls`.
        program: Another build of it, or a later version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log, access, config = folder / "registry.log", folder / "access.log", folder / "config.yml"
    storage = folder / "storage"
    config.write_text(
        json.dumps(  # YAML is a superset of JSON
            {
                "version": "0.1",
                "log": {"level": "info", "accesslog": {"disabled": False}},
                "storage": _storage(storage, readonly=readonly),
                "http": _http(port, tls, client),
                **_auth(folder, htpasswd, token),
            }
        )
    )
    argv: Argv = [program or need("docker-registry"), "serve", config]
    log.write_bytes(b"")
    with running(argv, stdout=access, stderr=log) as process:
        listening = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
        found = wait_for(lambda: listening.search(log.read_text()), process, log)
        host = f"127.0.0.1:{found[1]}"
        wait_for(lambda: answers(host, "/v2/", tls, client), process, log)
        yield Registry(host=host, storage=storage, log=log, access=access, process=process)


def _storage(folder: Path, *, readonly: bool) -> dict[str, Any]:
    return {
        "filesystem": {"rootdirectory": str(folder)},
        "delete": {"enabled": True},
        "maintenance": {"uploadpurging": {"enabled": False}, "readonly": {"enabled": readonly}},
    }


def _http(port: int, tls: Certificate | None, client: Certificate | None) -> dict[str, Any]:
    http: dict[str, Any] = {"addr": f"127.0.0.1:{port}", "secret": "only for tests"}
    if tls:
        http["tls"] = {"certificate": str(tls.certificate), "key": str(tls.key)}
        if client:
            http["tls"]["clientcas"] = [str(client.ca)]
    return http


def _auth(
    folder: Path, htpasswd: tuple[str, str] | None, token: TokenServer | None
) -> dict[str, Any]:
    if htpasswd:
        passwords = folder / "htpasswd"
        passwords.write_text(run([need("htpasswd"), "-Bbn", *htpasswd]))
        return {"auth": {"htpasswd": {"realm": "test", "path": str(passwords)}}}
    if token:
        settings = {
            "realm": token.realm,
            "service": token.service,
            "issuer": token.issuer,
            "rootcertbundle": str(token.certificate),
        }
        return {"auth": {"token": settings}}
    return {}


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx."""

    host: str
    """`127.0.0.1:PORT`"""
    access: Path
    log: Path
    tls: Certificate | None = None

    def requests(self) -> list[Request]:
        """Every request answered so far.

        nginx writes a line after it has answered, and serves one event after the other: once it
        has answered a later request, the line is there.
        """
        answers(self.host, "/", self.tls)
        return read_access_log(self.access)


_NGINX_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log combined;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port}{tls};
        root {root};
        {snippet}
    }}
}}
"""


@contextmanager
def nginx(
    folder: Path, root: Path, snippet: str = "", *, tls: Certificate | None = None
) -> Iterator[Nginx]:
    """nginx serving the files below `root`; `folder` gets its configuration and logs.

    Args:
        folder: Must not lie below `root`.
        root: The document root.
        snippet: Goes into the `server` block, for example `limit_rate 1m;` or a `location`.
        tls: Speak HTTPS with this certificate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "nginx.conf", folder / "error.log"
    port = free_port()
    if tls:
        snippet = f"ssl_certificate {tls.certificate}; ssl_certificate_key {tls.key};\n{snippet}"
    config.write_text(
        _NGINX_CONFIG.format(
            folder=folder, root=root, port=port, snippet=snippet, tls=" ssl" if tls else ""
        )
    )
    argv: Argv = [need("nginx"), "-p", folder, "-e", log, "-c", config]
    out, err = folder / "stdout.log", folder / "stderr.log"
    with running(argv, stdout=out, stderr=err) as process:
        host = f"127.0.0.1:{port}"
        wait_for(lambda: answers(host, "/", tls), process, log)
        yield Nginx(host=host, access=folder / "access.log", log=log, tls=tls)


def answers(
    host: str, path: str, tls: Certificate | None, client: Certificate | None = None
) -> bool:
    """Whether an HTTP server answers there, whatever it says."""
    context = ssl.create_default_context(cafile=tls.ca) if tls else None
    if context and client:
        context.load_cert_chain(client.certificate, client.key)
    connection = (
        http.client.HTTPSConnection(host, timeout=PATIENCE, context=context)
        if context
        else http.client.HTTPConnection(host, timeout=PATIENCE)
    )
    try:
        connection.request("GET", path + _PROBE)
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True
