"""A build that is killed among the blobs of an archive, and one that is not alone.

Ctrl-C, `kill -9` elsewhere and a full disk are in `tests.test_bad_input`.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.sample_archives import write_application
from tests.bundler.commands import ONE_APPLICATION, Workplace
from tests.bundler.test_lock import push
from tests.fakes.faulty import FOREVER
from tests.fakes.registry import FakeRegistry
from tests.processes import PATIENCE, run
from tests.scene import LATE, Gate
from transfer.bundle import Bundle


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


def undisturbed(workplace: Workplace, spec: Path) -> Path:
    """The same bundle, built without any disturbance."""
    path = workplace.folder / "undisturbed"
    ran = workplace.run("build", spec, "-o", path)
    assert ran.code == 0, ran.err
    return path


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


def test_second_build_at_the_same_time_is_refused(workplace: Workplace) -> None:
    gate = Gate()
    with FakeRegistry() as registry:
        push(registry.host, "late", LATE)
        registry.fail("GET", "/blobs/", FOREVER, gate)
        image = f"images: ['{registry.host}/harness/delegate:late']\n"
        spec, plain = workplace.spec(ONE_APPLICATION + image), ("--plain-http", registry.host)
        with building(workplace, spec, *plain) as process:
            assert gate.reached.wait(PATIENCE)
            ran = workplace.build(spec, *plain)
            assert ran.code == 8
            assert "another build writes there" in ran.err
            gate.opened.set()
            _, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, err
    Bundle.read(workplace.bundle).verify()
