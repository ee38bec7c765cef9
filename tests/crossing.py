"""`docs/crossing.md` as a program: its files, its commands, and what they should print.

`python -m tests.crossing` runs the page and writes what the commands print into it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.sample_archives import MEGABYTE, write_application, write_console, write_plugin
from tests.servers import certificate, docker_registry

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "crossing.md"
REGISTRY = "registry.dc-north.example:5000"
FOLDER = "/media/ops"
_LOGIN = ("pusher", "a password with 'quotes' and $signs")

_BLOCK = re.compile(
    r"(?:^`(?P<file>[^`\n]+)`\n\n)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
_COMMAND = re.compile(r"^\$ (?P<command>.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_DURATION = re.compile(r"in [0-9.]+ s\b")
_LOCAL = re.compile(r"\b[0-9a-f]{64}\b|[0-9.]+ [kMG]?B\b")
"""What depends on the zlib that made the samples: digests and sizes."""


@contextmanager
def site(folder: Path) -> Iterator[Crossing]:
    """A folder with the vendor's files in it, and a registry with TLS and a password."""
    home = folder / "ops"
    downloads = home / "downloads"
    downloads.mkdir(parents=True)
    write_console(downloads / "kotsadm.tar.gz", size=MEGABYTE)
    write_application(downloads / "harness-79915.airgap", size=MEGABYTE)
    write_application(downloads / "harness-ng-412.airgap", "harness-ng", size=MEGABYTE)
    write_plugin(downloads / "kots_linux_amd64.tar.gz")
    tls = certificate(folder / "tls")
    (home / "dc-north-ca.pem").write_bytes(tls.ca.read_bytes())
    with docker_registry(folder / "registry", tls=tls, htpasswd=_LOGIN) as registry:
        yield Crossing(folder, home, registry.host.replace("127.0.0.1", "localhost"))


class Crossing:
    """Runs the page's commands in one folder."""

    def __init__(self, folder: Path, home: Path, host: str) -> None:
        self._home = home
        self._host = host
        tools = folder / "bin"
        tools.mkdir()
        for name, package in (("airgap-bundler", "bundler"), ("airgap-mirror", "mirror")):
            script = tools / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {package} "$@"\n')
            script.chmod(0o755)
        self._environment = {
            **os.environ,
            "HOME": str(home),
            "LC_ALL": "C",
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "REGISTRY_USER": _LOGIN[0],
            "REGISTRY_PASSWORD": _LOGIN[1],
        }

    def write(self, name: str, content: str) -> None:
        """A file that the page shows."""
        (self._home / name).write_text(content.replace(REGISTRY, self._host))

    def run(self, command: str) -> str:
        """What a command prints, with the names that the page uses."""
        done = subprocess.run(
            ["/bin/sh", "-c", command.replace(REGISTRY, self._host)],
            check=False,
            cwd=self._home,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output = done.stdout.replace(self._host, REGISTRY).replace(str(self._home), FOLDER)
        return _DURATION.sub("in 0.5 s", output)


def play(page: str, crossing: Crossing) -> str:
    """The page, with the output of every command as it is now."""

    def block(found: re.Match[str]) -> str:
        if found["kind"] == "yaml":
            crossing.write(found["file"], found["body"])
        elif found["kind"] == "console":
            output = _COMMAND.sub(
                lambda c: f"$ {c['command']}\n{crossing.run(c['command'])}", found["body"]
            )
            return f"```console\n{output}```"
        return found[0]

    return _BLOCK.sub(block, page)


def comparable(page: str) -> str:
    """The page without what differs from one machine to the next, line breaks included."""
    return " ".join(_LOCAL.sub("#", page).split())


def main() -> None:
    """Write the page anew."""
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as crossing:
        PAGE.write_text(play(PAGE.read_text(), crossing))


if __name__ == "__main__":
    main()
