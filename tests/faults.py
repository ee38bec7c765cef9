"""What can go wrong in a `tests.scene`: each breaks something, and mends it on the way out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from tests.disks import make_larger, small_disk
from tests.fakes.faulty import FOREVER, Action, Exchange
from tests.fakes.registry import Stored, digest_of
from tests.scene import Gate, Scene
from tests.servers import certificate
from transfer.descriptor import OCI_INDEX

MISTAKES = b"""
applications:
  - {slug: harness, release: []}
  - {slug: Harness NG, releases: [{archive: {path: ng.airgap, sha256: abc}}]}
files: [{name: ../values, path: values.yaml}]
"""

Fault = Callable[[Scene], AbstractContextManager[None]]


def nothing(_scene: Scene) -> AbstractContextManager[None]:
    """What is wrong is the command itself."""
    return nullcontext()


def web_page(_good: bytes) -> bytes:
    """What a download is when nobody was logged in."""
    return b"<!DOCTYPE html><html><title>Log in</title></html>\n" * 99


def empty(_good: bytes) -> bytes:
    """Nothing at all."""
    return b""


def cut(good: bytes) -> bytes:
    """Without its last two bytes."""
    return good[:-2]


def five_mistakes(good: bytes) -> bytes:
    """A spec that is wrong in five places."""
    return good.partition(b"applications:")[0] + MISTAKES


def wrong_sha256(good: bytes) -> bytes:
    """A spec that expects another archive."""
    return good.replace(b".airgap}", b".airgap, sha256: %s}" % (b"f" * 64))


def skips_a_release(good: bytes) -> bytes:
    """A spec that says what runs at the site: too old for the release in the archive."""
    return good.replace(b"slug: harness", b"slug: harness, installed: '78000'")


def file(name: str, change: Callable[[bytes], bytes]) -> Fault:
    """A file holds something else."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        path = scene.path(name)
        good = path.read_bytes()
        path.write_bytes(change(good))
        yield
        path.write_bytes(good)

    return fault


def bundle(change: Callable[[Path], object]) -> Fault:
    """The bundle was changed on its way; {layer} and {manifest} name two of its blobs."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        path, spare = scene.path("bundle"), scene.folder / "spare"
        shutil.copytree(path, spare)
        scene.names["layer"], scene.names["manifest"] = layer(path).name, manifest(path).name
        change(path)
        yield
        shutil.rmtree(path)
        spare.rename(path)

    return fault


def layer(path: Path) -> Path:
    """The largest blob of a bundle."""
    return max((path / "blobs/sha256").iterdir(), key=lambda blob: blob.stat().st_size)


def manifest(path: Path) -> Path:
    """The manifest of a bundle's first image."""
    index = json.loads((path / "index.json").read_bytes())
    digest = str(index["manifests"][0]["digest"])
    return path / "blobs" / digest.replace(":", "/")


def flip(path: Path) -> None:
    """One bit in the middle of a file is another one."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def flip_layer(path: Path) -> None:
    """In a layer."""
    flip(layer(path))


def flip_manifest(path: Path) -> None:
    """In a manifest."""
    flip(manifest(path))


def flip_contents(path: Path) -> None:
    """In `bundle.json`."""
    flip(path / "bundle.json")


def flip_sum(path: Path) -> None:
    """In `SHA256SUMS`: the last digit of a layer's digest is another one."""
    sums, name = path / "SHA256SUMS", layer(path).name
    other = name[:-1] + ("1" if name.endswith("0") else "0")
    sums.write_text(sums.read_text().replace(f"{name}  ", f"{other}  "))


def lose_layer(path: Path) -> None:
    """A layer is not there."""
    layer(path).unlink()


def add_file(path: Path) -> None:
    """Somebody left a note."""
    (path / "notes.txt").touch()


def link_layer(path: Path) -> None:
    """A link to the same bytes outside stands in place of a layer."""
    inside, outside = layer(path), path.with_name("outside")
    inside.rename(outside)
    inside.symlink_to(outside)


def full_disk(name: str) -> Fault:
    """There is little room where the bundle ("out") or the site store ("store") is to grow."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        disk = scene.later.enter_context(small_disk(scene.folder / "disk", "40k"))
        scene.names[name] = str(disk / name)
        yield
        make_larger(disk, "16m")

    return fault


def answers(method: str, pattern: str, action: Action, times: int = FOREVER) -> Fault:
    """The registry does this to such requests, so many times or until it is mended."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        mended: list[bool] = []

        def act(exchange: Exchange) -> bool:
            return not mended and action(exchange)

        scene.registry.fail(method, pattern, times, act)
        yield
        mended.append(True)

    return fault


def stands_still(method: str, pattern: str, passing: int = 0) -> Fault:
    """After so many such requests the registry does not answer, until it is let go."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        scene.gate = Gate(passing)
        scene.registry.fail(method, pattern, FOREVER, scene.gate)
        try:
            yield
        finally:
            scene.gate.opened.set()

    return fault


def down(scene: Scene) -> AbstractContextManager[None]:
    """Nobody listens where the registry should be."""
    return scene.registry.away()


@contextmanager
def wrong_ca(scene: Scene) -> Iterator[None]:
    """The CA file is that of another authority."""
    right = scene.path("ca").read_bytes()
    scene.path("ca").write_bytes(certificate(scene.folder / "other").ca.read_bytes())
    yield
    scene.path("ca").write_bytes(right)


@contextmanager
def tag_in_use(scene: Scene) -> Iterator[None]:
    """A tag stands for something else."""
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    raw = json.dumps(index).encode()
    place = "harness/harness-manager-signed"
    scene.registry.manifests[place, digest_of(raw)] = Stored("", raw)
    scene.registry.tags[place, "79915"] = digest_of(raw)
    yield
    del scene.registry.tags[place, "79915"]
