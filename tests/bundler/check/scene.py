"""A spec with archives, a plugin, a licence and configuration values, in which all is well.

A case replaces one thing; what is made of it is kept, and shared with the cases after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from scripts.sample_archives import (
    KOTS_VERSION,
    Release,
    Sample,
    write_application,
    write_console,
    write_plugin,
)

SIZE = 20_000
PLUGIN = KOTS_VERSION.removeprefix("v")
CHANNEL = "channel-harness"
LICENCE: Mapping[str, Any] = {
    "signature": "c2lnbmVk",
    "appSlug": "harness",
    "channelID": CHANNEL,
    "channels": [{"channelID": CHANNEL, "channelSlug": "stable"}],
    "entitlements": {"expires_at": {"value": "2999-01-01T00:00:00Z", "valueType": "String"}},
}
CONFIG = """\
apiVersion: kots.io/v1beta1
kind: Config
metadata: {name: config}
spec:
  groups:
    - name: settings
      items:
        - {name: hostname, title: Host name, type: text, required: true}
        - {name: tls, title: TLS, type: bool, default: "1"}
        - name: size
          type: select_one
          items: [{name: small, title: Small}, {name: large, title: Large}]
        - {name: certificate, type: file}
        - {name: password, type: password}
"""
VALUES: Mapping[str, Any] = {
    "hostname": {"value": "harness.example"},
    "tls": {"value": "0"},
    "size": {"value": "large"},
    "certificate": {"value": "Y2VydA==", "filename": "tls.crt"},
    "password": {"valuePlaintext": "s3cret"},
}


def release(
    version: str = "79915",
    cursor: int = 412,
    files: Mapping[str, str | bytes] | None = None,
    **more: Any,  # noqa: ANN401 - the fields of Release
) -> Release:
    """A release that asks the questions of `CONFIG`."""
    return Release(version, cursor, files={"config.yaml": CONFIG, **(files or {})}, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that a bundle is made of."""

    console: bool = True
    minio: bool = True
    """Whether the console's archive has it."""
    plugin: str | None = PLUGIN
    """The version that the plugin says of itself."""
    releases: tuple[Release, ...] = (release(),)
    kots: Mapping[str, Any] = field(default_factory=dict)
    """More keys of `kots:` in the spec."""
    application: Mapping[str, Any] = field(default_factory=dict)
    """More keys of the application."""
    licence: Mapping[str, Any] = field(default_factory=lambda: LICENCE)
    values: Mapping[str, Any] = field(default_factory=lambda: VALUES)

    def write(self, folder: Path, store: Path) -> Path:
        """Write it all into `folder`; archives that were made before come from `store`."""
        application = {
            "slug": "harness",
            "license": _dump(folder / "license.yaml", "License", self.licence),
            "configValues": _dump(folder / "values.yaml", "ConfigValues", {"values": self.values}),
            "releases": [
                {"archive": {"path": str(_application(store, one))}} for one in self.releases
            ],
            **self.application,
        }
        spec: dict[str, Any] = {
            "apiVersion": "airgap/v1",
            "kind": "BundleSpec",
            "name": "harness",
            "version": "2026.11",
            "applications": [application],
        }
        if self.console:
            spec["kots"] = {"version": KOTS_VERSION, **self._kots(folder, store), **self.kots}
        path = folder / "harness.yaml"
        path.write_text(json.dumps(spec), encoding="utf-8")
        return path

    def _kots(self, folder: Path, store: Path) -> dict[str, Any]:
        plugin = write_plugin(folder / "kots_linux_amd64.tar.gz", self.plugin)
        archive = {"path": str(_console(store, minio=self.minio))}
        plugins = [{"platform": "linux/amd64", "path": plugin.name}]
        return {"archive": archive, "plugins": plugins}


def _application(store: Path, one: Release) -> Path:
    name = hashlib.sha256(repr(one).encode()).hexdigest()[:16]
    path = store / name / f"harness-{one.version}.airgap"
    return _made(path, partial(write_application, release=one))


def _console(store: Path, *, minio: bool) -> Path:
    name = "kotsadm.tar.gz" if minio else "kotsadm-nominio.tar.gz"
    return _made(store / name, partial(write_console, minio=minio))


def _made(path: Path, write: Callable[..., Sample]) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, size=SIZE)
    return path


def _dump(path: Path, kind: str, spec: Mapping[str, Any]) -> str:
    value = {"apiVersion": "kots.io/v1beta1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    path.write_text(json.dumps(value), encoding="utf-8")
    return path.name
