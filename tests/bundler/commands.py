"""`airgap-bundler` as its users call it: in this process, or in one that can be killed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bundler.cli import main

HEAD = "apiVersion: airgap/v1\nkind: BundleSpec\nname: harness\nversion: '2026.11'\n"

EVERYTHING = """
kots:
  version: v1.131.4
  archive: {path: downloads/kotsadm.tar.gz}
  plugins: [{platform: linux/amd64, path: downloads/kots_linux_amd64.tar.gz}]
applications:
  - slug: harness
    releases:
      - archive: {path: downloads/harness-old.airgap}
      - archive: {path: downloads/harness.airgap}
  - slug: harness-ng
    releases: [{archive: {path: downloads/harness-ng.airgap}}]
imageArchives: [{path: downloads/platform_images.tgz}]
files: [{name: values/configvalues.yaml, path: downloads/configvalues.yaml}]
"""
ONE_APPLICATION = """
applications: [{slug: harness, releases: [{archive: {path: downloads/harness.airgap}}]}]
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """What it wrote to stdout, of `--output json`."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder with `downloads/` in it."""

    folder: Path

    @property
    def downloads(self) -> Path:
        """The vendor's files."""
        return self.folder / "downloads"

    @property
    def bundle(self) -> Path:
        """Where bundles are built."""
        return self.folder / "bundle"

    @property
    def blobs(self) -> Path:
        """Where the blobs of a bundle are that is not complete yet."""
        return self.folder / "bundle.partial/blobs/sha256"

    @property
    def lock(self) -> Path:
        """The lock of the spec."""
        return self.folder / "harness.lock.json"

    def spec(self, body: str) -> Path:
        """Write a spec."""
        path = self.folder / "harness.yaml"
        path.write_text(HEAD + body)
        return path

    def argv(self, *arguments: str | Path) -> list[str]:
        """The command as a process of its own."""
        return [sys.executable, "-m", "bundler", *self._complete(arguments)]

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of such a process."""
        return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **more}

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ran:
        """Run the command in this process."""
        result = CliRunner().invoke(main, self._complete(arguments), env=env)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def build(self, spec: Path, *arguments: str | Path) -> Ran:
        """Build the bundle."""
        return self.run("build", spec, "-o", self.bundle, *arguments)

    def _complete(self, arguments: tuple[str | Path, ...]) -> list[str]:
        command, *rest = map(str, arguments)
        needs_cache = command in ("lock", "build", "check") and "--cache-dir" not in rest
        cache = ["--cache-dir", str(self.folder / "cache")] if needs_cache else []
        return [command, *rest, *cache]
