"""`kill -9` at random moments: the same command, repeated, always ends with the same result."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest

from tests.real.judges import Reader, same_registry, same_tree
from tests.real.produce import Release
from tests.real.product import ENVIRONMENT, Carried, bundler, carry, command, mirror
from tests.servers import Registry, docker_registry

SEED = int(os.environ.get("AIRGAP_SEED", "2026"))
MOMENTS = 10
JOBS = 4


@pytest.mark.real
def test_killed_push_continues_and_names_nothing_incomplete(
    carried: Carried, scratch: Path, tell: Callable[[str], None]
) -> None:
    def arguments(host: str) -> tuple[str | Path, ...]:
        to = ("--to", f"{host}/harness", "--plain-http")
        return ("push", carried.bundle, *to, "--jobs", str(JOBS))

    with docker_registry(scratch / "undisturbed") as undisturbed:
        mirror(*arguments(undisturbed.host))
    total = len(undisturbed.requests())
    moments = choose(total)
    tell(f"push killed after {moments} of {total} requests (AIRGAP_SEED={SEED})")

    for moment in moments:
        folder = scratch / f"after-{moment}"
        with docker_registry(folder) as registry:
            kill_at(
                command("mirror", *arguments(registry.host)),
                lambda: len(registry.requests()),
                moment,
            )
            for tag in (reader := Reader(registry)).tags():
                reader.pull(tag)
            mirror(*arguments(registry.host))
        same_registry(undisturbed, registry)
        again = uploads(registry) - uploads(undisturbed)
        assert again <= JOBS, f"killed after {moment} requests, {again} blobs were sent twice"
        shutil.rmtree(folder)


@pytest.mark.real
def test_killed_build_continues_and_leaves_no_half_bundle(
    release: Release, scratch: Path, tell: Callable[[str], None]
) -> None:
    carried = carry(release, scratch / "undisturbed")  # without the applications: ten builds
    total = size(carried.bundle)
    moments = choose(total)
    tell(f"build killed after {moments} of {total} bytes (AIRGAP_SEED={SEED})")

    for number, moment in enumerate(moments):
        folder = scratch / str(number)
        folder.mkdir()
        spec, bundle = folder / carried.spec.name, folder / "bundle"
        shutil.copy(carried.spec, spec)
        shutil.copy(carried.folder / "harness.lock.json", folder)

        kill_at(command("bundler", "build", spec, "-o", bundle), partial(size, folder), moment)
        assert not bundle.exists(), f"killed after {moment} bytes"
        done = {blob.name: blob.stat().st_ino for blob in folder.glob("*/blobs/sha256/*")}
        bundler("build", spec, "-o", bundle)
        same_tree(carried.folder, folder)
        for name, inode in done.items():
            assert (bundle / "blobs/sha256" / name).stat().st_ino == inode, "it was written anew"
        shutil.rmtree(folder)


def choose(total: int) -> list[int]:
    """Random moments on the way to `total`, none so late that the work might be over."""
    chosen = random.Random(SEED)  # noqa: S311 - moments, not secrets
    return chosen.sample(range(total * 9 // 10), MOMENTS)


def kill_at(argv: Sequence[str], measure: Callable[[], int], moment: int) -> None:
    """Start a command, and kill it as `kill -9` does as soon as the measure reaches the moment."""
    with Popen(argv, env=ENVIRONMENT, stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            while measure() < moment and process.poll() is None:
                time.sleep(0.002)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL, "it ended before it was killed"


def uploads(registry: Registry) -> int:
    """How many blobs were sent to the end."""
    sent = [r for r in registry.requests() if r.method == "PUT" and "/blobs/" in r.path]
    return sum(request.status == HTTPStatus.CREATED for request in sent)


def size(folder: Path) -> int:
    """Bytes in all files below a folder, which may be in the middle of changing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 - often
            except FileNotFoundError:
                continue
    return total
