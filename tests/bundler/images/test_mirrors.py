"""Mirrors: asked first, believed only by digest, and never a reason to fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.images import Found, Mirror
from tests.bundler.images.scene import (
    AMD,
    ARM,
    S390,
    Told,
    delivered,
    finder,
    hold,
    multiple,
    single,
    wanted,
)
from tests.fakes.faulty import FOREVER, close_after, status
from tests.fakes.registry import FakeRegistry
from tests.transfer import images
from tests.transfer.images import Tree
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    InvalidInput,
    NotFound,
    Unavailable,
)
from transfer.reference import Repository

PATH = "harness/delegate"
AT_MIRROR = f"hub/{PATH}"
IMAGE = images.image(images.layer("one", size=900_000), images.layer("two"))


@pytest.fixture
def own() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def mirror() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


def pulled(
    own: FakeRegistry,
    mirror: FakeRegistry,
    folder: Path,
    *platforms: str,
    told: Told | None = None,
    tree: Tree = IMAGE,
) -> Found:
    """What comes of the tag v1, all of it delivered."""
    with finder(folder, f"{own.host}={mirror.host}/hub", told=told) as found:
        result = found.resolve(wanted(f"{own.host}/{PATH}:v1", *platforms), None, ())
        store = delivered(result)
        assert set(store.blobs) <= set(tree.blobs)
    assert result.record.name == f"{own.host}/{PATH}:v1"
    assert mirror.host not in f"{result.notes}"
    return result


def test_a_mirror_that_has_everything_is_the_only_one_asked(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    hold(own, PATH, IMAGE, "v1")
    hold(mirror, AT_MIRROR, IMAGE, "v1")
    assert pulled(own, mirror, tmp_path).record.root == IMAGE.root
    assert not own.requests
    assert mirror.requests


def test_platforms_are_chosen_at_a_mirror_too(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    tree = multiple({platform: single(platform) for platform in (AMD, ARM, S390)})
    hold(own, PATH, tree, "v1")
    direct = pulled(own, mirror, tmp_path, AMD, ARM, tree=tree)
    hold(mirror, AT_MIRROR, tree, "v1")
    own.requests.clear()
    assert pulled(own, mirror, tmp_path, AMD, ARM, tree=tree).record == direct.record
    assert not own.requests


def test_what_a_mirror_does_not_have_comes_from_the_registry(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    hold(own, PATH, IMAGE, "v1")
    told = Told()
    assert pulled(own, mirror, tmp_path, told=told).record.root == IMAGE.root
    assert pulled(own, mirror, tmp_path, AMD).record.root == IMAGE.root
    assert mirror.requests
    assert not told.lines


def test_blobs_that_a_mirror_lacks_come_from_the_registry(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    hold(own, PATH, IMAGE, "v1")
    hold(mirror, AT_MIRROR, IMAGE, "v1")
    gone = max(mirror.blobs, key=lambda key: len(mirror.blobs[key]))
    del mirror.blobs[gone]
    pulled(own, mirror, tmp_path)
    assert own.count("GET", "/blobs/") == 1
    assert not own.count("GET", "/manifests/") + own.count("HEAD")


def test_a_mirror_that_is_down_is_given_up_once_and_for_all(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    hold(own, PATH, IMAGE, "v1")
    mirror.fail("HEAD", "", FOREVER, status(503))
    mirror.fail("GET", "", FOREVER, status(503))
    told = Told()
    assert pulled(own, mirror, tmp_path, told=told).record.root == IMAGE.root
    assert len(mirror.requests) == 3  # as often as it is tried
    (line,) = [line for line in told.lines if line.startswith("mirror ")]
    assert line.startswith(f"mirror {mirror.host} is not asked any more: ")


def test_a_mirror_where_nobody_listens(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    hold(own, PATH, IMAGE, "v1")
    with mirror.away():
        assert pulled(own, mirror, tmp_path).record.root == IMAGE.root


def test_a_mirror_that_breaks_off_in_the_middle(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    noise = images.from_blobs(b"{}", bytes(range(256)) * 8000)
    hold(own, PATH, noise, "v1")
    hold(mirror, AT_MIRROR, noise, "v1")
    layer = max(noise.blobs, key=lambda digest: len(noise.blobs[digest]))
    mirror.fail("GET", str(layer), 1, close_after(300_000))
    mirror.fail("GET", str(layer), FOREVER, status(503))
    assert pulled(own, mirror, tmp_path, tree=noise).record.root == noise.root
    assert own.count("GET", str(layer)) == 1


def test_wrong_bytes_of_a_mirror_are_never_kept(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    hold(own, PATH, IMAGE, "v1")
    hold(mirror, AT_MIRROR, IMAGE, "v1")
    key = max(mirror.blobs, key=lambda key: len(mirror.blobs[key]))
    mirror.blobs[key] = bytes(reversed(mirror.blobs[key]))
    with pytest.raises(DigestMismatch) as caught:
        pulled(own, mirror, tmp_path)
    (fault,) = caught.value.faults
    assert f"mirror {mirror.host}/{AT_MIRROR}" in fault.message


def test_a_mirror_that_lets_us_not_in_is_said(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    hold(own, PATH, IMAGE, "v1")
    mirror.authorization = "Basic another"
    with pytest.raises(AccessDenied, match=f"{mirror.host}/hub"):
        pulled(own, mirror, tmp_path)


def test_where_both_fail_it_is_the_registry_that_is_told_of(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match=f"image {own.host}/{PATH}:v1: not there"):
        pulled(own, mirror, tmp_path)
    own.fail("HEAD", "", FOREVER, status(503))
    with pytest.raises(Unavailable, match=f"{own.host}/{PATH}"):
        pulled(own, mirror, tmp_path)


def test_a_lock_made_without_mirrors_is_built_with_one(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    tree = multiple({platform: single(platform) for platform in (AMD, ARM, S390)})
    hold(own, PATH, tree, "v1")
    entry = wanted(f"{own.host}/{PATH}:v1", AMD, ARM)
    with finder(tmp_path) as direct:
        _, record, _, notes = direct.resolve(entry, None, ())
    hold(mirror, AT_MIRROR, tree)
    own.requests.clear()
    with finder(tmp_path, f"{own.host}={mirror.host}/hub") as mirrored:
        delivered(mirrored.resolve(entry, record, notes))
    assert not own.requests


def test_mirrors_are_asked_in_their_order_and_only_for_their_registry(
    own: FakeRegistry, mirror: FakeRegistry, tmp_path: Path
) -> None:
    with FakeRegistry() as second:
        hold(second, PATH, IMAGE, "v1")
        options = [f"{own.host}={mirror.host}", f"{own.host}={second.host}", "other.example=a.b"]
        with finder(tmp_path, *options) as found:
            delivered(found.resolve(wanted(f"{own.host}/{PATH}:v1"), None, ()))
            assert mirror.requests
            asked = len(mirror.requests)
            delivered(found.resolve(wanted(f"{second.host}/{PATH}:v1"), None, ()))
        assert len(mirror.requests) == asked
    assert not own.requests


@pytest.mark.parametrize(
    ("text", "registry", "endpoint"),
    [
        ("docker.io=mirror.example:5000/hub", "docker.io", ("mirror.example:5000", "hub")),
        ("index.docker.io=mirror.example", "docker.io", ("mirror.example", "")),
        ("127.0.0.1:5000=localhost/a/b", "127.0.0.1:5000", ("localhost", "a/b")),
    ],
)
def test_how_a_mirror_is_written(text: str, registry: str, endpoint: tuple[str, str]) -> None:
    assert Mirror.parse(text) == Mirror(registry=registry, endpoint=Repository(*endpoint))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "docker.io",
        "docker.io=",
        "=mirror.example",
        "docker.io/harness=mirror.example",
        "hub=mirror.example",
        "docker.io=https://mirror.example",
        "docker.io=mirror.example/",
        "docker.io=ann:secret-7@mirror.example",
        "ann:secret-7@docker.io=mirror.example",
    ],
)
def test_what_is_no_mirror(text: str) -> None:
    with pytest.raises(InvalidInput, match="--mirror: ") as caught:
        Mirror.parse(text)
    assert "docker.io=mirror.example/hub" in (caught.value.hint or "")
    assert "secret-7" not in f"{caught.value} {caught.value.__cause__}"
