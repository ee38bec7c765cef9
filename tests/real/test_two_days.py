"""One lock, built on two days in two folders with two caches: the same bundle, to the last byte."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from hashlib import file_digest
from pathlib import Path

import pytest

from tests.processes import run
from tests.real.judges import same_tree
from tests.real.produce import Archive, Image, Release, skopeo
from tests.real.product import (
    Carried,
    bundler,
    command,
    execute,
    mirror,
    secluded,
    write_spec,
)
from tests.servers import Nginx, Registry, docker_registry, nginx
from tests.tools import need


@pytest.mark.real
def test_the_same_lock_gives_the_same_bundle_on_another_day(
    carried: Carried, release: Release, scratch: Path
) -> None:
    with (
        nginx(scratch / "nginx", release.admin_console.path.parent) as server,
        docker_registry(scratch / "registry") as registry,
    ):
        mirror("push", carried.bundle, "--to", f"{registry.host}/pushed", "--plain-http")
        here, there = scratch / "here", scratch / "there"
        here.mkdir()
        (here / "values.yaml").write_text("hostname: harness.example\n")
        (here / "kots_linux_amd64.tar.gz").write_bytes(b"nothing that runs")
        write_spec(
            here / "harness.yaml",
            kots={
                "version": "v1.131.4",
                "archive": served(server, release.admin_console),
                "plugins": [{"platform": "linux/amd64", "path": "kots_linux_amd64.tar.gz"}],
            },
            imageArchives=[{"url": f"http://{server.host}/{release.module.path.name}"}],
            images=[f"{registry.host}/delegate:latest"],
            files=[{"name": "values.yaml", "path": "values.yaml"}],
        )
        tag(registry, release.admin_console.images[0])
        locked, warm, options = (
            scratch / "locked",
            scratch / "warm",
            ("--plain-http", registry.host),
        )
        bundler("lock", here / "harness.yaml", *options, "--cache-dir", locked)
        shutil.copytree(here, there)

        tag(registry, release.admin_console.images[3])
        build("2026-11-22 23:59:58", here, scratch / "cold", options)
        shutil.copytree(locked, warm)
        forget(warm, release.admin_console)
        build("2027-02-28 08:00:00", there, warm, options)
    same_tree(here / "bundle", there / "bundle")
    assert listed(here / "bundle") == listed(there / "bundle")
    assert "values.yaml" in listed(here / "bundle")


def tag(registry: Registry, image: Image) -> None:
    """Let the delegate's moving tag name this image."""
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    source = f"docker://{registry.host}/pushed/{image.destination}"
    skopeo("copy", "--all", *plain, source, f"docker://{registry.host}/delegate:latest")


def served(server: Nginx, archive: Archive) -> Mapping[str, str]:
    """An archive behind an address, with its digest."""
    url = f"http://{server.host}/{archive.path.name}?signature=1"
    return {"url": url, "sha256": sha256(archive)}


def sha256(archive: Archive) -> str:
    """Of the file."""
    with archive.path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def forget(cache: Path, archive: Archive) -> None:
    """Take an archive out of a cache that has everything."""
    (cache / "sha256" / sha256(archive)).unlink()


def build(day: str, folder: Path, cache: Path, options: Sequence[str]) -> None:
    """Build in the spec's folder, with the clock set to `day`."""
    user = cache.with_name(f"{cache.name}-user")
    user.mkdir()
    words = ("build", folder / "harness.yaml", "-o", folder / "bundle", "--cache-dir", cache)
    execute([need("faketime"), day, *command("bundler", *words, *options)], env=secluded(user))


def listed(folder: Path) -> str:
    """Every file and folder with its mode, size and time."""
    found = run(["find", folder, "-printf", "%P %m %s %T@\n"]).splitlines()
    return "\n".join(sorted(line for line in found if not line.startswith(" ")))
