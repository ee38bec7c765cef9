"""kill -9, Ctrl-C, a full disk in the middle of a build: nothing by halves, and it continues."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts.sample_archives import write_application
from tests.bundler.commands import EVERYTHING, ONE_APPLICATION, Workplace
from tests.bundler.test_lock import push
from tests.disks import make_larger, small_disk
from tests.fakes.faulty import Exchange
from tests.fakes.registry import FakeRegistry
from tests.processes import PATIENCE, run
from tests.transfer.images import image, layer
from transfer.bundle import Bundle

LATE = image(layer("late"))
"""Comes from a registry, and so after everything that the archives hold."""


@dataclass(slots=True)
class Gate:
    """A registry that lets a build wait in front of its last blob."""

    registry: FakeRegistry
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def stop(self, _exchange: Exchange) -> bool:
        """Hold the request back until the gate is opened."""
        self.reached.set()
        assert self.opened.wait(PATIENCE)
        return False

    @property
    def spec(self) -> str:
        """What makes a build come here."""
        return EVERYTHING + f"images: ['{self.registry.host}/harness/delegate:late']\n"


@pytest.fixture
def gate() -> Iterator[Gate]:
    with FakeRegistry() as registry:
        push(registry.host, "late", LATE)
        made = Gate(registry)
        registry.fail("GET", "/blobs/", 1, made.stop)
        yield made
        made.opened.set()


@contextmanager
def building(workplace: Workplace, spec: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A build in a process of its own."""
    argv = workplace.argv("build", spec, "-o", workplace.bundle, *more)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, env=workplace.environ(), stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def undisturbed(workplace: Workplace, spec: Path, *more: str) -> Path:
    """The same bundle, built without any disturbance."""
    path = workplace.folder / "undisturbed"
    ran = workplace.run("build", spec, "-o", path, *more)
    assert ran.code == 0, ran.err
    return path


def inodes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def test_killed_build_keeps_what_it_has(workplace: Workplace, gate: Gate) -> None:
    spec, plain = workplace.spec(gate.spec), ("--plain-http", gate.registry.host)
    with building(workplace, spec, *plain) as process:
        assert gate.reached.wait(PATIENCE), process.communicate()[1]
        process.send_signal(signal.SIGKILL)
    assert not workplace.bundle.exists()
    assert not workplace.lock.exists()
    before = inodes(workplace.blobs)
    assert len(before) > 50

    gate.opened.set()
    ran = workplace.build(spec, *plain, "--output", "json")
    assert ran.code == 0, ran.err
    after = inodes(workplace.bundle / "blobs/sha256")
    assert after.items() >= before.items()
    assert ran.json()["blobsWritten"] == 2
    left = {path.name for path in workplace.folder.iterdir()}
    assert left == {"bundle", "downloads", "harness.lock.json", "harness.yaml"}
    run(["diff", "--recursive", workplace.bundle, undisturbed(workplace, spec, *plain)])


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, "the build was over before its moment came"
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("count", [1, 3, 6])
def test_build_killed_among_the_blobs_of_an_archive(workplace: Workplace, count: int) -> None:
    write_application(workplace.downloads / "harness.airgap", size=20_000_000)
    spec = workplace.spec(ONE_APPLICATION)
    with building(workplace, spec, "--jobs", "1") as process:
        wait_until(lambda: blobs_in(workplace) >= count, process)
        process.send_signal(signal.SIGKILL)
    assert not workplace.bundle.exists()
    assert workplace.build(spec).code == 0
    Bundle.read(workplace.bundle).verify()
    assert list((workplace.folder).glob("bundle.*")) == []
    run(["diff", "--recursive", workplace.bundle, undisturbed(workplace, spec)])


def blobs_in(workplace: Workplace) -> int:
    return len(list(workplace.blobs.iterdir())) if workplace.blobs.exists() else 0


def test_ctrl_c_ends_the_build_and_the_same_command_continues(
    workplace: Workplace, gate: Gate
) -> None:
    spec, plain = workplace.spec(gate.spec), ("--plain-http", gate.registry.host)
    with building(workplace, spec, *plain) as process:
        assert gate.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
    assert out == ""
    assert err.rstrip().endswith("interrupted; run the same command again to continue")
    assert "Traceback" not in err
    assert not workplace.bundle.exists()
    gate.opened.set()
    assert workplace.build(spec, *plain).code == 0
    Bundle.read(workplace.bundle).verify()


def test_second_build_at_the_same_time_is_refused(workplace: Workplace, gate: Gate) -> None:
    spec, plain = workplace.spec(gate.spec), ("--plain-http", gate.registry.host)
    with building(workplace, spec, *plain) as process:
        assert gate.reached.wait(PATIENCE)
        ran = workplace.build(spec, *plain)
        assert ran.code == 8
        assert "another build writes there" in ran.err
        gate.opened.set()
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
    Bundle.read(workplace.bundle).verify()


@pytest.mark.real
def test_full_disk_ends_the_build_and_it_continues_once_there_is_room(
    workplace: Workplace,
) -> None:
    spec = workplace.spec(EVERYTHING)
    expected = undisturbed(workplace, spec)
    with small_disk(workplace.folder / "disk", "600k") as disk:
        ran = workplace.run("build", spec, "-o", disk / "bundle")
        assert ran.code == 9, ran.err
        assert "No space left on device" in ran.err
        assert "free some space there" in ran.err
        assert [path.name for path in disk.iterdir() if path.suffix != ".lock"] == [
            "bundle.partial"
        ]
        for path in (disk / "bundle.partial/blobs/sha256").iterdir():
            assert path.stat().st_size == (expected / "blobs/sha256" / path.name).stat().st_size
        make_larger(disk, "16m")
        assert workplace.run("build", spec, "-o", disk / "bundle").code == 0
        run(["diff", "--recursive", disk / "bundle", expected])
