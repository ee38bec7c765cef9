"""Real input, produced once for the whole test run, and the product as its users run it."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.produce import Release, produce
from tests.real.product import Carried, carry
from tests.tools import need

_PARTS = ("docker-registry", "skopeo", "umoci", "pigz", "htpasswd", "openssl", "time", "strace")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that all workers of this run share; the last one to leave removes it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "real"
    folder.mkdir(exist_ok=True)
    users = folder / "users"
    with _alone(folder):
        users.mkdir(exist_ok=True)
        (users / str(os.getpid())).touch()
    yield folder
    with _alone(folder):
        (users / str(os.getpid())).unlink()
        if not any(users.iterdir()):
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def release(shared: Path) -> Release:
    """The vendor's archives."""
    for part in _PARTS:
        need(part)
    record = shared / "release.json"
    with _alone(shared):
        if not record.exists():
            shutil.rmtree(shared / "vendor", ignore_errors=True)
            produce(shared / "vendor").save(record)
    return Release.load(record)


@pytest.fixture(scope="session")
def carried(shared: Path, release: Release) -> Carried:
    """The archives as a bundle: spec, lock and build."""
    with _alone(shared):
        if not (shared / "carried").exists():
            shutil.rmtree(shared / "building", ignore_errors=True)
            carry(release, shared / "building", release.first_gen, release.next_gen)
            (shared / "building").rename(shared / "carried")
    return Carried(shared / "carried")


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder for gigabytes: gone after the test, whatever pytest keeps."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure to the terminal, under workers too."""

    def _tell(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", file=sys.stderr, flush=True)  # noqa: T201 - a figure to read

    return _tell


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One worker at a time."""
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
