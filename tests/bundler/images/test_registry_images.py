"""Images of registries: as they are, some platforms of them, and again from a lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.images import Found
from bundler.sources.protocol import Evidence
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
from tests.fakes.registry import FakeRegistry
from tests.transfer import images
from tests.transfer.images import Tree
from transfer.contents import ImageRecord
from transfer.descriptor import Manifest
from transfer.digest import Digest
from transfer.errors import DigestMismatch, InvalidInput, NotFound

THREE = {platform: single(platform, "shared") for platform in (AMD, ARM, S390)}
PATH = "harness/delegate"


def found(fake: FakeRegistry, folder: Path, name: str, *platforms: str) -> Found:
    """What an entry gives, and all of it delivered."""
    with finder(folder) as images_:
        result = images_.resolve(wanted(f"{fake.host}/{name}", *platforms), None, ())
        delivered(result)
        return result


def again(fake: FakeRegistry, folder: Path, before: Found, *platforms: str) -> Found:
    """The same from the lock that it led to."""
    with finder(folder) as images_:
        entry = wanted(before.record.name, *platforms)
        result = images_.resolve(entry, before.record, before.notes)
        delivered(result)
        return result


@pytest.mark.parametrize("docker", [False, True])
def test_without_platforms_an_image_is_what_its_name_stands_for(
    tmp_path: Path, *, docker: bool
) -> None:
    tree = multiple(THREE, docker=docker, attested=True)
    with FakeRegistry() as fake:
        hold(fake, PATH, tree, "v1")
        result = found(fake, tmp_path, f"{PATH}:v1")
        assert result.record == ImageRecord(name=f"{fake.host}/{PATH}:v1", root=tree.root)
        assert result.evidence == Evidence.REGISTRY
        assert result.notes == ()


def test_what_is_not_there(tmp_path: Path) -> None:
    with FakeRegistry() as fake:
        for platforms in ((), (AMD,)):
            with pytest.raises(NotFound, match=f"image {fake.host}/{PATH}:v9: not there") as caught:
                found(fake, tmp_path, f"{PATH}:v9", *platforms)
            assert "docker login" in (caught.value.hint or "")


@pytest.mark.parametrize("docker", [False, True])
def test_one_platform_has_the_name_of_all(tmp_path: Path, *, docker: bool) -> None:
    trees = {platform: single(platform, docker=docker) for platform in (AMD, ARM)}
    tree = multiple(trees, docker=docker)
    with FakeRegistry() as fake:
        hold(fake, PATH, tree, "v1")
        result = found(fake, tmp_path, f"{PATH}:v1", ARM)
        assert result.record == ImageRecord(name=f"{fake.host}/{PATH}:v1", root=trees[ARM].root)
        assert result.notes == (f"chosen from: {tree.root.digest}",)
        wrong = [str(digest) for digest in trees[AMD].blobs]
        assert not any(digest in seen.path for digest in wrong for seen in fake.requests)


def test_several_platforms_are_delivered_below_an_index_that_no_registry_holds(
    tmp_path: Path,
) -> None:
    tree, told = multiple(THREE, attested=True), Told()
    with FakeRegistry() as fake:
        hold(fake, PATH, tree, "v1")
        with finder(tmp_path, told=told) as images_:
            entry = wanted(f"{fake.host}/{PATH}:v1", S390, AMD)
            result = images_.resolve(entry, None, ())
            store = delivered(result)
    root = result.record.root
    index = Manifest.parse(store.manifests[root.digest])
    assert [child.digest for child in index.manifests] == [
        THREE[AMD].root.digest,
        THREE[S390].root.digest,
    ]
    assert set(store.manifests) == {root.digest, *(child.digest for child in index.manifests)}
    assert (PATH, str(root.digest)) not in fake.manifests
    (line,) = told.lines
    assert line.endswith("v1: left out: 3 manifests without a platform (attestations)")


def test_every_platform_is_the_original_with_its_attestations(tmp_path: Path) -> None:
    tree = multiple(THREE, attested=True)
    with FakeRegistry() as fake:
        hold(fake, PATH, tree, "v1")
        result = found(fake, tmp_path, f"{PATH}:v1", AMD, S390, ARM)
    assert result.record.root == tree.root
    assert result.notes == ()


def test_an_image_of_one_platform_alone(tmp_path: Path) -> None:
    tree = single(ARM)
    with FakeRegistry() as fake:
        hold(fake, PATH, tree, "v1")
        assert found(fake, tmp_path, f"{PATH}:v1", f"{ARM}/v8").record.root == tree.root
        with pytest.raises(NotFound, match=f"not there for {AMD}; it has {ARM}"):
            found(fake, tmp_path, f"{PATH}:v1", ARM, AMD)


@pytest.mark.parametrize("config", [b"{}", b"[1]", b"no JSON", b'{"os": "", "architecture": 7}'])
def test_an_image_that_does_not_say_its_platform(tmp_path: Path, config: bytes) -> None:
    with FakeRegistry() as fake:
        hold(fake, PATH, images.from_blobs(config, b"layer"), "v1")
        with pytest.raises(NotFound, match="it has no platform that it names"):
            found(fake, tmp_path, f"{PATH}:v1", AMD)


def by_digest(tree: Tree) -> str:
    return f"{PATH}@{tree.root.digest}"


def test_a_digest_is_not_exchanged_for_another_behind_ones_back(tmp_path: Path) -> None:
    tree = multiple(THREE)
    with FakeRegistry() as fake:
        hold(fake, PATH, tree)
        with pytest.raises(InvalidInput, match="named by the digest of all") as caught:
            found(fake, tmp_path, by_digest(tree), ARM)
        pinned = f"{fake.host}/{PATH}@{THREE[ARM].root.digest}"
        assert f"write {pinned} without platforms:" in (caught.value.hint or "")
        assert found(fake, tmp_path, pinned.partition("/")[2]).record.root == THREE[ARM].root
        with pytest.raises(InvalidInput) as caught:
            found(fake, tmp_path, by_digest(tree), ARM, AMD)
        assert "by its tag" in (caught.value.hint or "")


def test_platforms_that_leave_a_digest_as_it_is(tmp_path: Path) -> None:
    tree = multiple(THREE)
    with FakeRegistry() as fake:
        hold(fake, PATH, tree)
        assert found(fake, tmp_path, by_digest(tree), AMD, ARM, S390).record.root == tree.root
        assert found(fake, tmp_path, by_digest(THREE[AMD]), AMD).record.root == THREE[AMD].root


@pytest.mark.parametrize("platforms", [(), (AMD,), (AMD, S390), (AMD, S390, ARM)])
def test_a_lock_gives_the_same_after_the_tag_has_moved(
    tmp_path: Path, platforms: tuple[str, ...]
) -> None:
    tree = multiple(THREE, attested=True)
    with FakeRegistry() as fake:
        hold(fake, PATH, tree, "v1")
        before = found(fake, tmp_path, f"{PATH}:v1", *platforms)
        hold(fake, PATH, single(ARM, "new"), "v1")
        assert again(fake, tmp_path, before, *platforms)[1:] == before[1:]


def test_a_locked_image_is_not_asked_for_by_its_tag(tmp_path: Path) -> None:
    with FakeRegistry() as fake:
        hold(fake, PATH, multiple(THREE), "v1")
        before = found(fake, tmp_path, f"{PATH}:v1", AMD, S390)
        fake.requests.clear()
        again(fake, tmp_path, before, AMD, S390)
        assert not fake.count("GET", "v1") + fake.count("HEAD", "v1")


def test_a_tag_that_now_means_more_platforms_still_gives_the_same_choice(tmp_path: Path) -> None:
    with FakeRegistry() as fake:
        hold(fake, PATH, multiple({AMD: THREE[AMD], S390: THREE[S390], ARM: THREE[ARM]}), "v1")
        before = found(fake, tmp_path, f"{PATH}:v1", AMD, S390)
        fake.manifests.clear()  # the first index was deleted
        more = {AMD: THREE[AMD], ARM: single(ARM, "new"), S390: THREE[S390]}
        hold(fake, PATH, multiple(more), "v1")
        assert again(fake, tmp_path, before, AMD, S390).record == before.record


def test_a_locked_choice_that_cannot_be_made_again(tmp_path: Path) -> None:
    with FakeRegistry() as fake:
        hold(fake, PATH, multiple(THREE), "v1")
        before = found(fake, tmp_path, f"{PATH}:v1", AMD, S390)
        fake.manifests.clear()
        with pytest.raises(DigestMismatch, match="cannot be had again") as caught:
            again(fake, tmp_path, before, AMD, S390)
        assert str(before.record.root.digest) in caught.value.message
        assert "lock --update" in (caught.value.hint or "")
        others = {AMD: single(AMD, "new"), ARM: THREE[ARM], S390: THREE[S390]}
        hold(fake, PATH, multiple(others), "v1")
        with pytest.raises(DigestMismatch) as caught:
            again(fake, tmp_path, before, AMD, S390)
        assert "v1 gives sha256:" in caught.value.faults[1].message


def test_a_lock_that_was_changed_by_hand(tmp_path: Path) -> None:
    with FakeRegistry() as fake:
        hold(fake, PATH, multiple(THREE), "v1")
        before = found(fake, tmp_path, f"{PATH}:v1", AMD, S390)
        with pytest.raises(InvalidInput, match="note 'chosen from' of the lock: not a digest"):
            again(fake, tmp_path, before._replace(notes=("chosen from: x",)), AMD, S390)
        made_up = before._replace(notes=(f"chosen from: {Digest.of(b'x')}",))
        fake.tags.clear()
        with pytest.raises(DigestMismatch):
            again(fake, tmp_path, made_up, AMD, S390)
