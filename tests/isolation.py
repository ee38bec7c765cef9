"""A place that no network reaches: a network namespace of its own, with loopback alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.processes import PATIENCE, Argv
from tests.tools import need

_HELD = "ip link set lo up && echo ready && read -r _"
"""Holds the namespace until its stdin is closed."""


@dataclass(frozen=True, slots=True)
class Isolated:
    """Runs programs where nothing but 127.0.0.1 can be reached."""

    enter: Sequence[str]

    def argv(self, argv: Argv) -> list[str]:
        """The words that run a program there, in place of themselves."""
        return [*self.enter, *map(str, argv)]


@contextmanager
def isolated() -> Iterator[Isolated]:
    """A namespace for as long as the body lasts; root is not needed where the kernel lets users."""
    root = os.geteuid() == 0
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), str(need("ip").parent)))
    unshare = [str(need("unshare")), *(() if root else ("--user", "--map-root-user")), "--net"]
    with subprocess.Popen(
        [*unshare, "sh", "-c", _HELD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": path},
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stderr
        try:
            if holder.stdout.readline() != "ready\n":
                _give_up(holder.stderr.read())
            into = [*(() if root else ("--user", "--preserve-credentials")), "--net"]
            yield Isolated([str(need("nsenter")), f"--target={holder.pid}", *into, "--"])
        finally:
            holder.stdin.close()
            holder.wait(PATIENCE)


def _give_up(why: str) -> None:
    message = f"no network namespace can be made: {why.strip()}"
    if os.environ.get("AIRGAP_REQUIRE_REAL") == "1":
        pytest.fail(message)
    pytest.skip(message)


def interfaces(place: Isolated) -> set[str]:
    """The network interfaces that a program there sees."""
    done = subprocess.run(
        place.argv([need("ip"), "-oneline", "link"]), check=True, capture_output=True, text=True
    )
    return {line.split(": ")[1] for line in done.stdout.splitlines()}
