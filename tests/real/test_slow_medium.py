"""A push from a slow medium reads it from front to back, whatever the number of jobs."""

from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path

import pytest

from tests.mirror.supply import make_bundle
from tests.real.product import command, execute
from tests.real.slow import reads, slowly
from tests.servers import docker_registry
from tests.transfer.images import from_blobs
from tests.transfer.registry.support import noise
from transfer.disk import BLOCK
from transfer.layout.extent import place_on_medium

IMAGES = {
    f"harness/image-{number}:1": from_blobs(
        b"config", *(noise(600_000 + 1000 * (10 * number + part)) for part in range(6))
    )
    for number in range(4)
}
LARGE = {"harness/large:1": from_blobs(b"config", *(noise(3_500_000 + part) for part in range(5)))}
SPEED = 40e6
"""Bytes a second, of a USB stick."""

SWAPS = 4
"""How often it may go back a little: those who come first are not in the order of their blobs."""


@pytest.mark.real
@pytest.mark.parametrize("jobs", ["auto", "8"])
def test_a_slow_medium_is_read_file_by_file(tmp_path: Path, jobs: str) -> None:
    bundle, report = tmp_path / "bundle", tmp_path / "strace"
    make_bundle(bundle, IMAGES)
    layers = [path for path in bundle.glob("blobs/sha256/*") if path.stat().st_size > 500_000]
    with docker_registry(tmp_path / "registry") as registry:
        to = ("--to", f"{registry.host}/harness", "--plain-http", "--jobs", jobs)
        execute([*slowly(report, layers, SPEED), *command("mirror", "push", bundle, *to)])
    given = reads(report)
    order = [path for path, _ in groupby(given)]
    assert len(given) > 2 * len(layers), "there is something to read in turns"
    assert sorted(order) == sorted(layers), "one was left for another before its end"
    places = [place_on_medium(path) or 0 for path in order]
    assert sum(a > b for a, b in pairwise(places)) <= SWAPS, places


@pytest.mark.real
def test_a_slow_medium_is_proven_file_by_file(tmp_path: Path) -> None:
    bundle, report = tmp_path / "bundle", tmp_path / "strace"
    make_bundle(bundle, LARGE)
    layers = [path for path in bundle.glob("blobs/sha256/*") if path.stat().st_size > 500_000]
    execute([*slowly(report, layers, SPEED, BLOCK), *command("mirror", "verify", bundle)])
    given = reads(report)
    assert len(given) > 2 * len(layers), "there is something to read in turns"
    assert len(list(groupby(given))) == len(layers), "one was left for another before its end"
