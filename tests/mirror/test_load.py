"""Images loaded into engines: real Podman, and what engines do when they fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.load import Wanted, for_platform
from tests.engines import FakeEngine, Podman, fake_engine, podman_service
from tests.mirror.supply import APPLICATION, MANAGER, MONGO, UI, make_bundle, mirror
from tests.transfer import images
from tests.transfer.images import Tree
from tests.transfer.memory import MemoryStore
from transfer.descriptor import Manifest, Platform
from transfer.digest import Digest
from transfer.errors import IntegrityError, NotFound

UI_NAME = "quay.io/harness/ui:79915"
MANAGER_NAME = "docker.io/harness/manager:79915"
AMD64 = Platform(os="linux", architecture="amd64")


def config_of(tree: Tree) -> Digest:
    """The ID of an image; of an index, that of its first image."""
    root = Manifest.parse(tree.manifests[tree.root.digest])
    while root.manifests:
        root = Manifest.parse(tree.manifests[root.manifests[0].digest])
    return root.blobs[0].digest


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


@pytest.fixture
def fake() -> Iterator[FakeEngine]:
    with fake_engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    with podman_service(tmp_path_factory.mktemp("podman")) as engine:
        yield engine


@pytest.mark.real
def test_podman_has_every_image_by_its_id(bundle: Path, podman: Podman) -> None:
    words = ("load", bundle, "--all", "--engine", podman.address, "--output", "json")
    done = mirror(*words)
    assert (done.code, done.err) == (0, "")
    told = {one["name"]: (one["outcome"], one["id"]) for one in json.loads(done.out)["images"]}
    assert set(told) == {*APPLICATION, "docker.io/harness/smtp:1"}
    for name, tree in APPLICATION.items():
        assert told[name] == ("loaded", str(config_of(tree)))
        known_as = name if "@" not in name else config_of(tree).encoded
        shown = podman.run("image", "inspect", "--format", "{{.Id}}", known_as)
        assert shown.strip() == config_of(tree).encoded
    layers = podman.run("image", "inspect", "--format", "{{len .RootFS.Layers}}", UI_NAME)
    assert layers.strip() == "2"  # of the index, the image for this platform
    again = json.loads(mirror(*words).out)["images"]
    assert {one["outcome"] for one in again} == {"present"}


@pytest.mark.parametrize("name", [MANAGER_NAME, "harness/manager:79915", "manager:79915"])
def test_an_image_by_the_end_of_its_name(bundle: Path, fake: FakeEngine, name: str) -> None:
    done = mirror("load", bundle, "--image", name, "--image", UI_NAME, "--engine", fake.address)
    assert done.out.splitlines() == [
        f"loaded  {MANAGER_NAME}  {config_of(MANAGER)}",
        f"loaded  {UI_NAME}         {config_of(UI)}",
    ]


def test_what_docker_gets(bundle: Path, fake: FakeEngine) -> None:
    """The form that its documentation shows, its layers as they are in the bundle."""
    assert mirror("load", bundle, "--image", MANAGER_NAME, "--engine", fake.address).code == 0
    (members,) = fake.loaded
    (entry,) = json.loads(members["manifest.json"])
    manifest = Manifest.parse(MANAGER.manifests[MANAGER.root.digest])
    assert entry["RepoTags"] == [MANAGER_NAME]
    assert members[entry["Config"]] == MANAGER.blobs[manifest.blobs[0].digest]
    layers = [MANAGER.blobs[layer.digest] for layer in manifest.blobs[1:]]
    assert [members[path] for path in entry["Layers"]] == layers
    assert len(members) == 4


def test_a_docker_with_containerd_keeps_the_manifest(bundle: Path, fake: FakeEngine) -> None:
    fake.keeps_manifests = True
    words = ("load", bundle, "--all", "--engine", fake.address)
    told = [line.split() for line in mirror(*words).out.splitlines()]
    assert ["loaded", MANAGER_NAME, str(MANAGER.root.digest)] in told
    held = fake.loaded[0]
    assert json.loads(held["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    path = f"blobs/sha256/{MANAGER.root.digest.encoded}"
    assert held[path] == MANAGER.manifests[MANAGER.root.digest]
    assert {line.split()[0] for line in mirror(*words).out.splitlines()} == {"present"}
    assert len(fake.loaded) == len(APPLICATION) + 1


def test_a_layer_that_is_there_twice_is_sent_once(tmp_path: Path, fake: FakeEngine) -> None:
    tree = images.image(images.layer("a"), images.layer("b"), images.layer("a"))
    source = make_bundle(tmp_path / "bundle", {"r.example/twice:1": tree}, {}).path
    assert mirror("load", source, "--all", "--engine", fake.address).code == 0
    (entry,) = json.loads(fake.loaded[0]["manifest.json"])
    assert len(entry["Layers"]) == 3
    assert len(fake.loaded[0]) == 1 + 1 + 2


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("manger:79915", 5, "which have docker.io/harness/manager:79915"),
        ("docker.io/harness/manager:1", 5, "docker.io/harness/manager:79915"),
        ("Upper", 3, "not a repository name"),
    ],
)
def test_an_image_that_is_not_there(
    bundle: Path, fake: FakeEngine, name: str, code: int, message: str
) -> None:
    done = mirror("load", bundle, "--image", name, "--engine", fake.address)
    assert done.code == code
    assert message in done.err
    assert fake.loaded == []


def test_a_name_that_two_images_end_with(tmp_path: Path, fake: FakeEngine) -> None:
    held = {"a.example/x/agent:1": MANAGER, "b.example/y/agent:1": MONGO}
    source = make_bundle(tmp_path / "bundle", {}, held).path
    done = mirror("load", source, "--image", "agent:1", "--engine", fake.address)
    assert done.code == 3
    assert "a.example/x/agent:1, b.example/y/agent:1" in done.err


def test_wrong_usage(bundle: Path) -> None:
    assert mirror("load", bundle).code == 2
    assert mirror("load", bundle, "--all", "--image", "x").code == 2


def test_an_engine_that_refuses_one_image_gets_the_others(bundle: Path, fake: FakeEngine) -> None:
    fake.refusal = "no space left on device"
    done = mirror("load", bundle, "--all", "--engine", fake.address)
    assert done.code == 11
    assert "error: 4 of 4 images were not loaded" in done.err
    assert "loading an image: no space left on device" in done.err
    alone = mirror("load", bundle, "--image", MANAGER_NAME, "--engine", fake.address)
    assert alone.code == 10


def test_an_engine_that_forgets_is_found_out(bundle: Path, fake: FakeEngine) -> None:
    fake.forgetful = True
    done = mirror("load", bundle, "--image", MANAGER_NAME, "--engine", fake.address)
    assert done.code == 10
    assert "is not there after it was loaded" in done.err


def test_a_name_that_holds_another_image_is_moved(bundle: Path, fake: FakeEngine) -> None:
    fake.images[MANAGER_NAME] = {
        "Id": str(config_of(MONGO)),
        "Size": 0,
        "RootFS": {"Layers": []},
    }
    done = mirror("load", bundle, "--image", MANAGER_NAME, "--engine", fake.address)
    assert done.out.split()[0] == "loaded"
    assert fake.images[MANAGER_NAME]["Id"] == str(config_of(MANAGER))


def test_damaged_content_does_not_reach_the_engine(tmp_path: Path, fake: FakeEngine) -> None:
    source = make_bundle(tmp_path / "bundle").path
    layer = Manifest.parse(MANAGER.manifests[MANAGER.root.digest]).blobs[-1].digest
    path = source / "blobs/sha256" / layer.encoded
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    done = mirror("load", source, "--image", MANAGER_NAME, "--engine", fake.address)
    assert done.code == 4
    assert f"blob {layer}: expected {layer}, found sha256:" in done.err
    assert fake.loaded == []


def test_no_engine(bundle: Path, tmp_path: Path) -> None:
    done = mirror("load", bundle, "--all", "--engine", f"unix://{tmp_path}/nothing.sock")
    assert done.code == 10
    assert "nothing listens there" in done.err
    assert "hint: start it: systemctl start docker" in done.err


def wanted(tree: Tree) -> Wanted:
    return Wanted(name="some:1", root=tree.root, source=MemoryStore(tree))


def test_the_first_image_for_the_platform_is_taken() -> None:
    arm = images.image(images.layer("arm"), architecture="arm64")
    first, second = (images.image(images.layer("amd"), author=author) for author in "ab")
    tree = images.index(images.index(arm), images.index(first, arm), second)
    assert for_platform(wanted(tree), AMD64).descriptor == first.root
    assert for_platform(wanted(arm), AMD64).descriptor == arm.root  # there is nothing to choose


def test_no_image_for_the_platform() -> None:
    arm = images.image(images.layer("arm"), architecture="arm64")
    with pytest.raises(NotFound, match=r"none for linux/amd64.*; it is made for linux/arm64"):
        for_platform(wanted(images.index(arm, images.about(arm))), AMD64)


def test_what_is_no_image_of_layers() -> None:
    with pytest.raises(IntegrityError, match="0 layers are here, its configuration lists none"):
        for_platform(wanted(images.about(MANAGER)), AMD64)
