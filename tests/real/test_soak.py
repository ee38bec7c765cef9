"""A push of many images over a bad line, killed now and then, to a registry that is killed too.

The same command is given until it says that all is done. Then all is there, nothing was sent
that was known to be there, and whoever looked meanwhile never saw a tag on incomplete content.
AIRGAP_SOAK_MINUTES makes it go on for longer, each time with the next seed.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http.client import CREATED
from pathlib import Path
from shutil import rmtree
from subprocess import DEVNULL, Popen
from typing import Any, Self

import pytest

from tests.fakes.badline import SPOILS, BadLine
from tests.processes import free_port
from tests.real.crowd import Crowd, crowd
from tests.real.judges import repositories, sends
from tests.real.product import ENVIRONMENT, command, mirror
from tests.real.witness import Witness, watching
from tests.servers import Registry, docker_registry
from transfer.pace import MOST

SEED = int(os.environ.get("AIRGAP_SEED", "2026"))
MINUTES = float(os.environ.get("AIRGAP_SOAK_MINUTES", "0"))
FULL = 200
"""Images where there is time."""
FEW = 40
"""Images where there is not."""
EVERY = 70
"""One in so many requests is spoilt."""
TAG = r"/manifests/(?!sha256:)"
QUIET: Mapping[str, Any] = {"stdout": DEVNULL, "stderr": DEVNULL}
KILLS = 3
"""How often we are killed, and how often the registry is."""
MOST_RUNS = 2 * KILLS + 5
"""How often the command is given before it counts as one that never ends."""


class Site:
    """A registry that is killed and comes back under its address, with what it had."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._stack = ExitStack()
        self.registry: Registry

    def __enter__(self) -> Self:
        """Start it."""
        docker = docker_registry(self._folder, port=self._port)
        self.registry = self._stack.enter_context(docker)
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End it."""
        self._stack.close()

    def kill(self) -> None:
        """End it as `kill -9` does, and start it again."""
        self.registry.process.kill()
        self.registry.process.wait()
        self._stack.close()
        # It takes a manifest without a byte for one that it has, and never writes it again.
        for data in self.registry.storage.glob("docker/registry/v2/blobs/sha256/*/*/data"):
            if not data.stat().st_size:
                data.unlink()
        self.__enter__()


@pytest.mark.real
def test_ends_complete_whatever_happens(tmp_path: Path, tell: Callable[[str], None]) -> None:
    images = crowd(tmp_path, FULL if MINUTES else FEW)
    seed, end = SEED, time.monotonic() + 60 * MINUTES
    while True:
        soak(images, tmp_path / "site", seed, tell)
        rmtree(tmp_path / "site")
        seed += 1
        if time.monotonic() > end:
            break


def soak(images: Crowd, folder: Path, seed: int, tell: Callable[[str], None]) -> None:
    """Push until it is done, and see what there is."""
    began = time.monotonic()
    with (
        Site(folder) as site,
        BadLine(behind=site.registry.host, seed=seed, every=EVERY) as line,
        watching(site.registry) as witness,
    ):
        codes = push_until_done(images, site, line, seed)
        took = time.monotonic() - began
        digests = uploads(site.registry)
        twice = len(digests) - len(set(digests))
        sent = sends(site.registry)
        direct = ("--to", f"{site.registry.host}/harness", "--plain-http")
        mirror("audit", images.bundle, *direct)
        mirror("push", images.bundle, *direct)
        assert sends(site.registry) == sent, "what was there already was sent again"
    tell(
        f"soak: {images.count} images, {images.blobs} blobs, {len(line.requests)} requests, "
        f"{line.spoilt.total()} of them spoilt, in {took:.0f} s; ended with {codes}; "
        f"{twice} blobs sent twice; {witness.looks} looks (AIRGAP_SEED={seed})"
    )
    assert set(line.spoilt) == set(SPOILS)
    assert twice <= line.spoilt["answer lost"] + line.spoilt["answer cut short"] + 2 * KILLS * MOST
    assert witness.faults == []
    assert len(witness.seen) == images.tags
    assert len(set(witness.seen.values())) > 1, "it was there while the tags came"


def push_until_done(images: Crowd, site: Site, line: BadLine, seed: int) -> list[int]:
    """Give the same command until it ends with 0; the codes it ended with."""
    chosen = random.Random(seed)  # noqa: S311 - moments, not secrets
    early = chosen.sample(range(100, 3 * images.blobs), 2 * KILLS - 2)
    late = chosen.sample(range(1, images.tags), 2)
    moments = deque(
        [*((0, moment) for moment in sorted(early)), *((tags, 0) for tags in sorted(late))]
    )
    victims = deque(chosen.sample(["us", "registry"] * (KILLS - 1), 2 * KILLS - 2))
    victims += chosen.sample(["us", "registry"], 2)
    codes: list[int] = []
    while codes[-1:] != [0]:
        assert len(codes) < MOST_RUNS, f"AIRGAP_SEED={seed} does not end: {codes}"
        registry_stayed = True
        argv = command("mirror", "push", images.bundle, "--to", f"{line.host}/harness")
        jobs = chosen.choice(("auto", "8", "16"))
        with Popen([*argv, "--plain-http", "--jobs", jobs], env=ENVIRONMENT, **QUIET) as process:
            while process.poll() is None:
                time.sleep(0.005)
                if victims and is_due(line, moments[0]):
                    moments.popleft()
                    if victims.popleft() == "us":
                        process.kill()
                    else:
                        site.kill()
                        registry_stayed = False
        codes.append(process.returncode)
        assert codes[-1] <= 0 or not registry_stayed, (
            f"{codes}: what passes by itself is waited for"
        )
    assert codes.count(-signal.SIGKILL) == KILLS, codes
    return codes


def is_due(line: BadLine, moment: tuple[int, int]) -> bool:
    """Whether so many tags were written, or so many requests were made."""
    tags, requests = moment
    return len(line.requests) >= requests and (not tags or line.count("PUT", TAG) >= tags)


def uploads(registry: Registry) -> list[str]:
    """The digest of each blob that was sent to the end, as often as it was."""
    return [
        request.path.rpartition("digest=")[2]
        for request in registry.requests()
        if request.method == "PUT" and "/blobs/" in request.path and request.status == CREATED
    ]


@pytest.mark.real
def test_the_witness_sees_what_is_missing(tmp_path: Path) -> None:
    images = crowd(tmp_path, 5)
    with docker_registry(tmp_path / "site") as registry:
        witness = Witness(registry)
        mirror("push", images.bundle, "--to", f"{registry.host}/harness", "--plain-http")
        witness.look()
        assert (len(witness.seen), witness.faults) == (images.tags, [])
        link = next(repositories(registry).glob("harness/*-manager-*/_layers/*/*/link"))
        link.unlink()
        witness.look(everywhere=True)
    assert link.parent.name in "".join(witness.faults)
