"""What the work takes: no temporary file, and memory that does not grow with the archive."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.real.judges import Reader, peak, timed, traced, writes
from tests.real.large import large_docker_archive_format, large_docker_format
from tests.real.layers import MB
from tests.real.produce import Archive, Release
from tests.real.product import Carried, command, execute, secluded, write_spec
from tests.servers import docker_registry
from tests.tools import need

MEMORY = 150 * MB

Tell = Callable[[str], None]


@pytest.mark.real
def test_pushing_the_vendors_archives_leaves_no_file_anywhere(
    carried: Carried, release: Release, scratch: Path
) -> None:
    user = scratch / "user"
    user.mkdir()
    for archive in release.archives:
        report = scratch / f"{archive.path.name}.strace"
        with docker_registry(scratch / f"{archive.path.name}.registry") as registry:
            argv = [*traced(report), *push(archive.path, registry.host)]
            execute(argv, env=secluded(user), cwd=user)
            for image in archive.images:
                name, reader = f"harness/{image.destination}", Reader(registry)
                assert reader.digest(name) == carried.digest(image.name), name
                reader.pull(name)
        assert writes(report) == []
    assert sorted(path.name for path in user.rglob("*")) == ["home", "tmp"]


@pytest.mark.real
def test_memory_for_the_release(
    carried: Carried, release: Release, scratch: Path, tell: Tell
) -> None:
    spec = scratch / "release.yaml"  # without a lock: build makes one
    shutil.copy(carried.spec, spec)
    measure(spec, [archive.path for archive in release.archives], tell)


@pytest.mark.real
@pytest.mark.parametrize("make", [large_docker_format, large_docker_archive_format])
def test_memory_for_three_gigabytes(
    make: Callable[[Path], Archive], scratch: Path, tell: Tell
) -> None:
    for part in ("docker-registry", "skopeo", "umoci", "pigz", "openssl", "time"):
        need(part)
    archive = make(scratch)
    spec = scratch / f"{archive.slug}.yaml"
    releases = [{"archive": {"path": str(archive.path)}}]
    write_spec(spec, applications=[{"slug": archive.slug, "releases": releases}])
    measure(spec, [archive.path], tell)


def measure(spec: Path, archives: Sequence[Path], tell: Tell) -> None:
    """Build and verify a spec's bundle, push it, and push its archives as they are."""
    bundle = spec.with_suffix(".bundle")
    registry = spec.with_suffix(".registry")
    peaks = {
        "build": measured(spec, command("bundler", "build", spec, "-o", bundle)),
        "verify": measured(spec, command("mirror", "verify", bundle)),
    }
    for source in (bundle, *archives):
        with docker_registry(registry) as server:
            peaks[f"push {source.name}"] = measured(spec, push(source, server.host))
        shutil.rmtree(registry)
    shutil.rmtree(bundle)
    tell(", ".join(f"{what} {size / MB:.0f} MB" for what, size in peaks.items()))
    assert max(peaks.values()) < MEMORY, peaks


def measured(spec: Path, argv: list[str]) -> int:
    """Run a command; the peak of its memory, in bytes."""
    report = spec.with_suffix(".time")
    execute([*timed(report), *argv])
    return peak(report)


def push(source: Path, host: str) -> list[str]:
    """Push to a registry that lets everybody in."""
    return command("mirror", "push", source, "--to", f"{host}/harness", "--plain-http")


@pytest.mark.real
@pytest.mark.parametrize(
    "program",
    [
        "tempfile.TemporaryFile()",
        "tempfile.NamedTemporaryFile()",
        "tempfile.mkdtemp()",
        "os.memfd_create('x')",
        "threading.Thread(target=tempfile.TemporaryFile).start()",
    ],
)
def test_the_judge_sees_what_is_gone_afterwards(tmp_path: Path, program: str) -> None:
    def traces(code: str) -> Sequence[str]:
        report = tmp_path / "strace"
        modules = "import os, tempfile, threading"
        argv = [*traced(report), sys.executable, "-c", f"{modules}; {code}"]
        execute(argv, env=secluded(tmp_path))
        return writes(report)

    assert traces(program)
    assert not traces("open('/proc/self/status').read(); open('/dev/null', 'wb')")
