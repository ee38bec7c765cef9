"""One release crosses: from the vendor's archives to a private registry, unchanged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.judges import Reader, same_tree, sends, sums_hold
from tests.real.produce import Image, Release
from tests.real.product import Carried, bundler, mirror
from tests.servers import certificate, docker_registry

LOGIN = ("pusher", "correct horse battery staple")


@pytest.fixture
def site(scratch: Path) -> Iterator[Reader]:
    """The private registry: TLS by a CA of its own, and a password."""
    tls = certificate(scratch / "tls")
    with docker_registry(scratch / "registry", tls=tls, htpasswd=LOGIN) as registry:
        yield Reader(registry, tls, LOGIN)


def connection(site: Reader) -> list[str | Path]:
    """How the product is told where the registry is; the password comes on stdin."""
    assert site.tls
    endpoint = f"{site.registry.host}/harness"
    login = ["--username", LOGIN[0], "--password-stdin"]
    return ["--to", endpoint, "--ca-file", site.tls.ca, *login]


@pytest.mark.real
def test_release_crosses(carried: Carried, release: Release, site: Reader, scratch: Path) -> None:
    medium = scratch / "medium"
    shutil.copytree(carried.bundle, medium)
    mirror("verify", medium)
    mirror("push", medium, *connection(site), secret=LOGIN[1])

    for image in (image for archive in release.archives for image in archive.images):
        arrived_unchanged(site, image, carried)
    mirror("audit", medium, *connection(site), secret=LOGIN[1])

    before = len(sends(site.registry))
    assert before  # the log is where we look
    mirror("push", medium, *connection(site), secret=LOGIN[1])
    assert sends(site.registry)[before:] == []


def arrived_unchanged(site: Reader, image: Image, carried: Carried) -> None:
    """The registry holds the image completely, with the manifest that was promised."""
    name = f"harness/{image.destination}"
    if image.raw:
        assert site.raw(name) == image.raw.read_bytes(), name
    assert site.digest(name) == carried.digest(image.name), name
    site.pull(name)


@pytest.mark.real
def test_lock_decides_every_byte_of_the_bundle(carried: Carried, scratch: Path) -> None:
    again = scratch / "again"
    again.mkdir()
    shutil.copy(carried.spec, again)
    shutil.copy(carried.folder / "harness.lock.json", again)
    bundler("build", again / carried.spec.name, "-o", again / "bundle")

    same_tree(carried.bundle, again / "bundle")
    sums_hold(carried.bundle)
