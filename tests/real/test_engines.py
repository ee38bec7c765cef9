"""Docker itself: images that come out of it, go into it, and that it pulls from what we serve.

Where its daemon can keep images in containerd, everything is done with both of its stores.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.serve import serving
from tests.bundler.commands import Workplace
from tests.bundler.images.scene import AMD, S390, multiple, single
from tests.dockers import Docker, docker_service, stores
from tests.engines import Saved
from tests.mirror.served import ARM, DOCKER, OCI, fill_store, keep, quiet
from tests.mirror.supply import APPLICATION, MODULE, UI, make_bundle, mirror
from tests.real.judges import sums_hold
from tests.transfer.images import Tree
from transfer.bundle import Bundle
from transfer.descriptor import Descriptor, Manifest
from transfer.layout import OciLayout

pytestmark = pytest.mark.real

NAME = "localhost/harness/agent:v1"
AGENT = Saved.of("built here", "and nowhere else", size=3_000_000)


@pytest.fixture(params=stores())
def docker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Docker]:
    with docker_service(tmp_path / "docker", request.param) as service:
        yield service


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def image_of(tree: Tree) -> Manifest:
    """An image's manifest; of an index, that of its first image."""
    root = Manifest.parse(tree.manifests[tree.root.digest])
    return Manifest.parse(tree.manifests[root.manifests[0].digest]) if root.manifests else root


def known_as(docker: Docker, tree: Tree) -> str:
    """The ID that an image has in an engine of this kind."""
    manifest = image_of(tree)
    kept = manifest.descriptor if docker.keeps_manifests else manifest.blobs[0]
    return str(kept.digest)


def test_docker_has_every_image_that_is_loaded(docker: Docker, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle").path
    words = ("load", bundle, "--all", "--engine", docker.address, "--output", "json")
    done = mirror(*words)
    assert (done.code, done.err) == (0, "")
    told = {one["name"]: (one["outcome"], one["id"]) for one in done.json()["images"]}
    assert len(told) == len(APPLICATION) + len(MODULE)
    for name, tree in APPLICATION.items():
        expected = known_as(docker, tree)
        assert told[name] == ("loaded", expected)
        by = expected if "@" in name else name
        (shown,) = json.loads(docker.run("image", "inspect", by))
        assert shown["Id"] == expected
        config = json.loads(tree.blobs[image_of(tree).blobs[0].digest])
        assert shown["RootFS"]["Layers"] == config["rootfs"]["diff_ids"]
    again = json.loads(mirror(*words).out)["images"]
    assert {one["outcome"] for one in again} == {"present"}


def test_what_docker_saves_is_what_was_loaded(docker: Docker, tmp_path: Path) -> None:
    """The layers that are in it in the end, not only what it says of them."""
    bundle = make_bundle(tmp_path / "bundle").path
    name = next(name for name, tree in APPLICATION.items() if tree is UI)
    assert mirror("load", bundle, "--image", name, "--engine", docker.address).code == 0
    place = Workplace(tmp_path)
    spec = place.spec(f"images: [{{image: '{name}', engine: '{docker.address}'}}]\n")
    done = place.run("build", spec, "-o", tmp_path / "back")
    assert done.code == 0, done.err
    config, *layers = blobs_of(tmp_path / "back", name)
    assert config.digest == image_of(UI).blobs[0].digest
    assert len(layers) == len(image_of(UI).blobs) - 1


def blobs_of(bundle: Path, name: str) -> tuple[Descriptor, ...]:
    """The configuration and layers of an image in a bundle whose every sum agrees."""
    sums_hold(bundle)
    found = Bundle.read(bundle)
    (root,) = (image.root for image in found.contents.images if image.name == name)
    with found.open(root) as stream:
        return Manifest.parse(stream.read()).blobs


def test_an_image_that_only_docker_has(place: Workplace, docker: Docker) -> None:
    docker.load(AGENT, NAME)
    (shown,) = json.loads(docker.run("image", "inspect", NAME))
    spec = place.spec(f"images: [{{image: '{NAME}', engine: '{docker.address}'}}]\n")
    done = place.run("build", spec, "-o", place.bundle)
    assert done.code == 0, done.err
    config, *layers = blobs_of(place.bundle, NAME)
    assert config.digest == AGENT.id
    assert len(layers) == 2
    assert f"image id: {shown['Id']}" in place.lock.read_text()

    # Saved anew it is the same, and once it is saved nobody needs the engine any more.
    fresh, gone = place.folder / "fresh", place.folder / "gone"
    done = place.run("build", spec, "-o", fresh, "--cache-dir", place.folder / "other cache")
    assert done.code == 0, done.err
    docker.run("rmi", "--force", NAME)
    done = place.run("build", spec, "-o", gone)
    assert done.code == 0, done.err
    assert blobs_of(fresh, NAME) == blobs_of(gone, NAME) == (config, *layers)


def test_the_lock_holds_although_docker_has_built_it_anew(place: Workplace, docker: Docker) -> None:
    docker.load(AGENT, NAME)
    docker.run("tag", NAME, f"{NAME}-kept")  # without a name, containerd's store forgets it
    spec = place.spec(f"images: [{{image: '{NAME}', engine: default}}]\n")
    environ = {"DOCKER_HOST": docker.address}
    assert place.run("lock", spec, env=environ).code == 0
    (locked,) = json.loads(docker.run("image", "inspect", NAME))
    docker.load(Saved.of("built anew"), NAME)
    empty = ("--cache-dir", place.folder / "empty")
    done = place.run("build", spec, "-o", place.bundle, *empty, env=environ)
    assert done.code == 0, done.err
    assert blobs_of(place.bundle, NAME)[0].digest == AGENT.id
    docker.run("rmi", "--force", f"{NAME}-kept")
    done = place.run(
        "build", spec, "-o", place.folder / "b", "--cache-dir", place.folder / "c", env=environ
    )
    assert done.code == 5
    assert f"the lock wants image id {locked['Id']}" in done.err


def test_docker_pulls_every_kind(docker: Docker, tmp_path: Path) -> None:
    pulls = [("redis:7", OCI), ("redis:8", DOCKER), (f"a/b/both@{ARM.root.digest}", ARM)]
    store = fill_store(tmp_path / "store")
    with OciLayout.create(store) as layout:
        for name, form in (("many:1", False), ("many:2", True)):
            images = {platform: single(platform, docker=form) for platform in (S390, AMD)}
            tree = multiple(images, docker=form, attested=not form)
            keep(layout, tree, name)
            pulls += [(name, images[AMD]), (f"many@{tree.root.digest}", images[AMD])]
    with serving(quiet(store), "127.0.0.1", 0) as address:
        for name, tree in pulls:
            docker.run("pull", "--quiet", f"{address}/{name}")
            (shown,) = json.loads(docker.run("image", "inspect", f"{address}/{name}"))
            config, *layers = Manifest.parse(tree.manifests[tree.root.digest]).blobs
            told = json.loads(tree.blobs[config.digest])
            assert shown["RootFS"]["Layers"] == told["rootfs"]["diff_ids"]
            assert len(layers) == len(told["rootfs"]["diff_ids"])
            assert docker.keeps_manifests or shown["Id"] == str(config.digest)
