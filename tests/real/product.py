"""The product as its users run it: two commands, as subprocesses, and nothing of its code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.real.produce import Archive, Release
from tests.tools import need

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
"""The commands run from any folder, without being installed."""


def command(package: str, *arguments: str | Path) -> list[str]:
    """The words of `airgap-bundler …` or `airgap-mirror …`."""
    return [sys.executable, "-m", package, *map(str, arguments)]


def secluded(folder: Path) -> dict[str, str]:
    """An environment whose home and temporary folder lie in `folder`, to see what is left there."""
    for name in ("home", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    places = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    return {**ENVIRONMENT, **places, "PYTHONDONTWRITEBYTECODE": "1"}


def bundler(*arguments: str | Path) -> str:
    """Run `airgap-bundler`, which must succeed; what it wrote to stdout."""
    return execute(command("bundler", *arguments))


def mirror(*arguments: str | Path, secret: str = "") -> str:
    """Run `airgap-mirror`, which must succeed; `secret` goes to its stdin."""
    return execute(command("mirror", *arguments), secret=secret)


def execute(
    argv: Sequence[str | Path],
    *,
    secret: str = "",
    env: Mapping[str, str] = ENVIRONMENT,
    cwd: Path | None = None,
) -> str:
    """Run a command of ours, which must succeed; what it wrote to stdout."""
    done = subprocess.run(
        list(map(str, argv)),
        check=False,
        capture_output=True,
        text=True,
        input=secret,
        env=env,
        cwd=cwd,
    )
    said = f"{' '.join(map(str, argv))}\nexit code {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.returncode == 0, said
    return done.stdout


@dataclass(frozen=True, slots=True)
class Carried:
    """A folder with a spec, its lock and the bundle built from them."""

    folder: Path

    @property
    def spec(self) -> Path:
        """The spec."""
        return self.folder / "harness.yaml"

    @property
    def bundle(self) -> Path:
        """What crosses."""
        return self.folder / "bundle"

    def lock(self) -> dict[str, Any]:
        """The lock file."""
        found: dict[str, Any] = json.loads((self.folder / "harness.lock.json").read_text())
        return found

    def digest(self, image: str) -> str:
        """What the lock says of an image of an archive."""
        (found,) = {
            record["digest"]
            for archive in self.lock()["archives"]
            for record in archive["images"]
            if record["name"] == image
        }
        return str(found)


def carry(release: Release, folder: Path, *applications: Archive) -> Carried:
    """Write a spec for a release with these of its applications, lock and build it."""
    folder.mkdir(parents=True)
    carried = Carried(folder)
    plugin = release.admin_console.path.with_name("kots_linux_amd64.tar.gz")
    plugin.write_bytes(b"nothing that runs")
    write_spec(
        carried.spec,
        kots={
            "version": "v1.131.4",
            "archive": {"path": str(release.admin_console.path)},
            "plugins": [{"platform": "linux/amd64", "path": str(plugin)}],
        },
        applications=[_application(archive) for archive in applications],
        imageArchives=[{"path": str(release.module.path)}],
        files=[{"name": "tools/skopeo", "path": str(need("skopeo"))}],
    )
    bundler("lock", carried.spec)
    bundler("build", carried.spec, "-o", carried.bundle)
    return carried


def write_spec(path: Path, **entries: object) -> None:
    """A bundle spec."""
    head = {
        "apiVersion": "airgap/v1",
        "kind": "BundleSpec",
        "name": "harness",
        "version": "2026.11",
    }
    path.write_text(yaml.safe_dump({**head, **entries}, sort_keys=False))


def _application(archive: Archive) -> dict[str, object]:
    return {"slug": archive.slug, "releases": [{"archive": {"path": str(archive.path)}}]}
