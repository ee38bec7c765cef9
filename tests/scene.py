"""One crossing with real files, to run commands in, break things, and see what is left.

`tests.test_bad_input` plays its table here.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from click.testing import CliRunner

from bundler import cli as bundler_cli
from mirror import cli as mirror_cli
from scripts.sample_archives import write_application
from tests.bundler.commands import HEAD, ONE_APPLICATION
from tests.fakes.faulty import Exchange
from tests.fakes.registry import FakeRegistry
from tests.mirror.supply import Ran, half_named
from tests.processes import PATIENCE
from tests.transfer.images import image, layer
from transfer.layout import OciLayout

_PROJECT = Path(__file__).parents[1]
_MAINS = {"airgap-bundler": bundler_cli.main, "airgap-mirror": mirror_cli.main}
_PROGRESS = ("reading ", "copying: ", "verifying: ")
LATE = image(layer("late"))
"""An image that comes from a registry, and so after everything that the archive holds."""

_SITE = """\
apiVersion: airgap/v1
kind: Site
name: dc-north
registry: {{endpoint: {host}/harness, plainHttp: true}}
namespace: harness
applications:
  harness: {{licenseFile: license.yaml, sharedPasswordEnv: CONSOLE_PASSWORD}}
"""
_LICENCE = """\
apiVersion: kots.io/v1beta1
kind: License
spec: {appSlug: harness, channelID: channel-harness, channelName: Stable}
"""


def write_samples(folder: Path) -> Path:
    """A vendor's archive, and the bundle that is built of it; scenes get copies of them."""
    (folder / "downloads").mkdir()
    write_application(folder / "downloads/harness.airgap", size=200_000)
    (folder / "harness.yaml").write_text(HEAD + ONE_APPLICATION)
    names = {"spec": str(folder / "harness.yaml"), "bundle": str(folder / "bundle")}
    done = Scene(folder, names).run("airgap-bundler build {spec} -o {bundle}")
    assert done.code == 0, done.err
    (folder / "harness.lock.json").unlink()
    return folder


@dataclass(slots=True)
class Gate:
    """A registry's fault: `passing` requests are served, and from then on all stand still.

    Once it is opened, the connections of those that stood are closed, and others are served.
    """

    passing: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def __call__(self, exchange: Exchange) -> bool:
        """Hold a request back, a blob on its way here in its middle."""
        if self.passing or self.opened.is_set():
            self.passing -= 1
            return False
        if exchange.command == "PUT":
            exchange.rfile.read(50)
        self.reached.set()
        self.opened.wait(PATIENCE)
        exchange.close_connection = True
        return True


@dataclass(slots=True)
class Scene:
    """A folder with the samples, a site file and a registry, and what commands call them."""

    folder: Path
    names: dict[str, str]
    """What `{…}` stands for in commands and in messages."""
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    gate: Gate = field(default_factory=Gate)
    later: ExitStack = field(default_factory=ExitStack)
    """What has to be cleared away at the end."""

    @classmethod
    def arrange(cls, folder: Path, samples: Path, registry: FakeRegistry) -> Scene:
        """Everything in its place, and nothing wrong with it."""
        shutil.copytree(samples, folder, dirs_exist_ok=True)
        late = f"images: ['{registry.host}/harness/delegate:late']\n"
        (folder / "late.yaml").write_text(HEAD + ONE_APPLICATION + late)
        (folder / "site.yaml").write_text(_SITE.format(host=registry.host))
        (folder / "license.yaml").write_text(_LICENCE)
        places = {
            "spec": "harness.yaml",
            "late": "late.yaml",
            "site": "site.yaml",
            "archive": "downloads/harness.airgap",
            "bundle": "bundle",
            "out": "out",
            "store": "store",
            "ca": "ca.pem",
        }
        names = {name: str(folder / place) for name, place in places.items()}
        return cls(folder, {"host": registry.host, **names}, registry)

    def path(self, name: str) -> Path:
        """What one of the names stands for."""
        return Path(self.names[name])

    def run(self, command: str) -> Ran:
        """Run a command line in this process, to its end."""
        program, *words = command.format_map(self.names).split()
        # Nobody's credentials, nobody's cache, and no kubectl.
        home = str(self.folder)
        env = {"HOME": home, "XDG_CACHE_HOME": home, "PATH": home, "DOCKER_CONFIG": None}
        ran = CliRunner().invoke(_MAINS[program], words, env=env, prog_name=program)
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return Ran(ran.exit_code, ran.stdout, _without_progress(ran.stderr))

    def interrupt(self, command: str, number: signal.Signals) -> Ran:
        """Run a command line as a process, and send it a signal once the gate is reached."""
        program, *words = command.format_map(self.names).split()
        # A shell that runs us may have made us deaf to Ctrl-C, and so every child of ours.
        start = ["env", "--default-signal=INT", sys.executable, "-m", program[len("airgap-") :]]
        places = {"HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder)}
        with subprocess.Popen(
            [*start, *words],
            env={**os.environ, **places, "PYTHONPATH": str(_PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert self.gate.reached.wait(PATIENCE)
                process.send_signal(number)
                out, err = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        return Ran(process.returncode, out, _without_progress(err))

    def blobs(self) -> dict[str, int]:
        """Every blob there is: on a disk the inode it has, in the registry its size."""
        held = self.registry.blobs.items()
        found = {f"{repository}@{digest}": len(raw) for (repository, digest), raw in held}
        for folder in self._layouts():
            found |= {blob.name: blob.stat().st_ino for blob in folder.glob("blobs/sha256/*")}
        return found

    def sent(self, since: int) -> set[str]:
        """Every blob that was sent to the registry after so many requests, as `blobs` calls it."""
        path = re.compile("^/v2/(.+)/blobs/uploads/.*[?&]digest=([^&]+)")
        puts = (r.path for r in self.registry.requests[since:] if r.method == "PUT")
        found = filter(None, (path.match(unquote(put)) for put in puts))
        return {f"{match[1]}@{match[2]}" for match in found}

    def halves(self) -> Iterator[str]:
        """Whatever is there by halves: named and incomplete, or not what its name says."""
        yield from half_named(self.registry)
        for folder in self._layouts():
            yield from map(str, OciLayout.read(folder).verify())
            for blob in folder.glob("blobs/sha256/*"):
                if hashlib.sha256(blob.read_bytes()).hexdigest() != blob.name:
                    yield str(blob)
        if self.path("out").exists() and not (self.path("out") / "SHA256SUMS").exists():
            yield str(self.path("out"))

    def litter(self) -> list[Path]:
        """Unfinished files beside the blobs, which a command leaves only when it ends at once."""
        return [file for place in self._layouts() for file in place.glob("ingest/[!.]*")]

    def _layouts(self) -> list[Path]:
        out = self.path("out")
        places = (out, out.with_name(f"{out.name}.partial"), self.path("store"))
        return [place for place in places if (place / "index.json").exists()]


def _without_progress(err: str) -> str:
    lines = err.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_PROGRESS))
