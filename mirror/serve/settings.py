"""What an operator needs around the registry: a systemd unit, and what clusters are told of it.

Sources: systemd.service, systemd.exec; containerd `docs/hosts.md`; K3s, private registries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

UNIT = "/etc/systemd/system/airgap-mirror.service"
CERTS = "/etc/containerd/certs.d"
K3S = "/etc/rancher/k3s/registries.yaml"

_FIRST_FREE_PORT = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a registry is run and reached."""

    program: Sequence[str]
    """What is run, without its arguments."""
    folder: Path
    listen: str
    endpoint: str
    """`HOST:PORT` as clients write it."""
    hosts: Mapping[str, str]
    """The registries it stands in for, and where their images are below it."""
    namespace: str = ""
    certificate: Path | None = None
    key: Path | None = None
    htpasswd: Path | None = None

    @property
    def url(self) -> str:
        """The registry, with its scheme."""
        return f"{'https' if self.certificate else 'http'}://{self.endpoint}"


def settings_files(settings: Settings) -> dict[str, str]:
    """Every file, by where it belongs."""
    mirrors = {
        f"{CERTS}/{host}/hosts.toml": _mirror(settings, host, path)
        for host, path in settings.hosts.items()
    }
    own = {f"{CERTS}/{settings.endpoint}/hosts.toml": _own(settings)}
    return {UNIT: _unit(settings), **own, **mirrors, K3S: _k3s(settings)}


def _unit(settings: Settings) -> str:
    secret_files = {"tls.key": settings.key, "htpasswd": settings.htpasswd}
    loaded = [f"LoadCredential={name}:{path}" for name, path in secret_files.items() if path]
    port = int(settings.listen.rpartition(":")[2])
    allowed = "CAP_NET_BIND_SERVICE" if 0 < port < _FIRST_FREE_PORT else ""
    lines = [
        "[Unit]",
        "Description=Read-only container registry of harness-airgap",
        "After=network-online.target",
        "Wants=network-online.target",
        f"RequiresMountsFor={_word(str(settings.folder))}",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(_arguments(settings))}",
        "Restart=on-failure",
        "TimeoutStopSec=20",
        "LimitNOFILE=4096",
        "DynamicUser=yes",
        *loaded,
        f"AmbientCapabilities={allowed}",
        f"CapabilityBoundingSet={allowed}",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=read-only",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _arguments(settings: Settings) -> list[str]:
    """The command; files that only root reads are handed over by systemd (`%d`)."""
    words = [*map(_word, settings.program), "serve", _word(str(settings.folder))]
    words += ["--listen", _word(settings.listen)]
    if settings.namespace:
        words += ["--namespace", _word(settings.namespace)]
    if settings.certificate:
        words += ["--tls-cert", _word(str(settings.certificate)), "--tls-key", "%d/tls.key"]
    if settings.htpasswd:
        words += ["--htpasswd", "%d/htpasswd"]
    return words


def _word(text: str) -> str:
    """A word of a command as systemd reads it: `%` and `$` mean something to it."""
    text = text.replace("%", "%%").replace("$", "$$")
    return text if text and not set(text) & set(" \t\"'\\;") else json.dumps(text)


def _own(settings: Settings) -> str:
    """For images that are named by this registry itself."""
    return _hosts_file(settings, settings.url)


def _mirror(settings: Settings, host: str, path: str) -> str:
    """For images named by another registry: found below a path of its own."""
    told = f"# Images of {host} are pulled from {settings.endpoint} alone; nobody asks {host}.\n"
    return told + _hosts_file(settings, f"{settings.url}/v2/{path}", "override_path = true")


def _hosts_file(settings: Settings, url: str, *more: str) -> str:
    """The same twice: containerd 1.6 wants a table, and whoever has no `server` asks elsewhere."""
    lines = ['capabilities = ["pull", "resolve"]', *more]
    if settings.certificate:
        lines.append(f'ca = "{CERTS}/{settings.endpoint}/ca.crt"')
    told = [f'server = "{url}"', *lines, "", f'[host."{url}"]', *lines]
    if settings.htpasswd:
        login = 'Authorization = "Basic ..."  # base64 of NAME:PASSWORD'
        told += ["", f'# [host."{url}".header]', f"# {login}"]
    return "\n".join(told) + "\n"


def _k3s(settings: Settings) -> str:
    lines = ["mirrors:"]
    for host, path in {settings.endpoint: "", **settings.hosts}.items():
        lines += [f"  {json.dumps(host)}:", "    endpoint:", f"      - {json.dumps(settings.url)}"]
        if path:
            lines += ["    rewrite:", f'      "^(.*)$": {json.dumps(f"{path}/$1")}']
    configured = []
    if settings.htpasswd:
        configured += ["    auth:", '      username: ""  # fill in', '      password: ""']
    if settings.certificate:
        configured += ["    tls:", "      ca_file: /etc/rancher/k3s/airgap-mirror-ca.crt"]
    if configured:
        lines += ["configs:", f"  {json.dumps(settings.endpoint)}:", *configured]
    return "\n".join(lines) + "\n"
