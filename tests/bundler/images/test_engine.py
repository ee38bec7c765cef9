"""Images that exist in a local engine alone: saved once, proven, and the same every time."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bundler.downloads.cache import Cache, name_of
from bundler.downloads.upkeep import look, prove, prune
from bundler.images import Found
from bundler.sources.protocol import Evidence
from tests.bundler.images.scene import Told, delivered, finder, wanted
from tests.disks import small_disk
from tests.engines import FakeEngine, Saved, fake_engine
from transfer.archive.compress import COMPRESSOR
from transfer.descriptor import DOCKER_MANIFEST, Manifest
from transfer.digest import Digest
from transfer.errors import (
    Conflict,
    CorruptArchive,
    DigestMismatch,
    InvalidInput,
    NotFound,
    StorageError,
    ToolError,
)
from transfer.progress import SILENT

NAME = "localhost/harness/agent:v1"
IMAGE = Saved.of("base", "extra", size=200_000)


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    with fake_engine() as found:
        yield found


def found(engine: FakeEngine, cache: Path, name: str = NAME, told: Told | None = None) -> Found:
    """What an entry gives, and all of it delivered."""
    with finder(cache, told=told) as images:
        result = images.resolve(wanted(name, engine=engine.address), None, ())
        delivered(result)
        return result


def again(engine: FakeEngine, cache: Path, before: Found) -> Found:
    """The same from the lock that it led to."""
    with finder(cache) as images:
        entry = wanted(before.record.name, engine=engine.address)
        result = images.resolve(entry, before.record, before.notes)
        delivered(result)
        return result


def kept(cache: Path) -> list[Path]:
    """Everything in a cache that is or becomes a saved image."""
    return [path for folder in ("sha256", "partial") for path in (cache / folder).glob("*")]


def test_an_image_is_saved_by_its_id_and_ends_with_a_manifest(
    engine: FakeEngine, tmp_path: Path
) -> None:
    image_id, told = engine.hold(NAME, IMAGE), Told()
    with finder(tmp_path, told=told) as images:
        result = images.resolve(wanted(NAME, engine=engine.address), None, ())
        store = delivered(result)
    manifest = Manifest.parse(store.manifests[result.record.root.digest])
    assert result.record.name == NAME
    assert result.record.root.media_type == DOCKER_MANIFEST
    assert manifest.blobs[0].digest == image_id
    layers = [gzip.decompress(store.blobs[layer.digest]) for layer in manifest.blobs[1:]]
    assert tuple(layers) == IMAGE.layers
    assert result.evidence == Evidence.IMAGE_ID
    assert result.notes == (f"image id: {image_id}", f"compressor: {COMPRESSOR}")
    assert engine.asked.count(f"{image_id}/get") == 1
    assert f"{NAME}/get" not in engine.asked
    assert told.bytes > len(IMAGE.tar())


def test_a_saved_image_is_not_saved_again(engine: FakeEngine, tmp_path: Path) -> None:
    image_id = engine.hold(NAME, IMAGE)
    first = found(engine, tmp_path)
    (path,) = kept(tmp_path)
    assert Digest.of(path.read_bytes()).encoded == path.name
    assert found(engine, tmp_path)[1:] == first[1:]
    assert engine.asked.count(f"{image_id}/get") == 1


def test_two_caches_give_the_same_bytes(engine: FakeEngine, tmp_path: Path) -> None:
    engine.hold(NAME, IMAGE)
    one, two = found(engine, tmp_path / "one"), found(engine, tmp_path / "two")
    assert one[1:] == two[1:]


def test_a_locked_image_needs_no_engine_as_long_as_the_cache_has_it(
    engine: FakeEngine, tmp_path: Path
) -> None:
    engine.hold(NAME, IMAGE)
    before = found(engine, tmp_path)
    engine.asked.clear()
    engine.status = 500
    assert again(engine, tmp_path, before)[1:] == before[1:]
    assert not engine.asked


def test_a_locked_image_is_asked_for_by_its_id(engine: FakeEngine, tmp_path: Path) -> None:
    engine.hold(NAME, IMAGE)
    before = found(engine, tmp_path / "one")
    engine.hold(NAME, Saved.of("newer"))
    assert again(engine, tmp_path / "two", before)[1:] == before[1:]
    assert found(engine, tmp_path / "two").record.root != before.record.root


def test_a_locked_image_that_is_nowhere_any_more(engine: FakeEngine, tmp_path: Path) -> None:
    image_id = engine.hold(NAME, IMAGE)
    before = found(engine, tmp_path / "one")
    engine.images.clear()
    engine.hold(NAME, Saved.of("newer"))
    with pytest.raises(NotFound, match=f"the lock wants image id {image_id}") as caught:
        again(engine, tmp_path / "two", before)
    assert "lock --update" in (caught.value.hint or "")


def test_a_lock_that_says_something_else(engine: FakeEngine, tmp_path: Path) -> None:
    engine.hold(NAME, IMAGE)
    engine.hold("other:v1", Saved.of("other"))
    engine.images["docker.io/library/other:v1"] = engine.images["other:v1"]
    before, other = found(engine, tmp_path), found(engine, tmp_path, "other:v1")
    mixed = before._replace(record=other.record)
    with pytest.raises(DigestMismatch, match=f"the lock has {other.record.root.digest}, found"):
        again(engine, tmp_path, mixed)
    elsewhere = (before.notes[0], "compressor: zlib 1.3 level 6")
    with pytest.raises(InvalidInput, match=r"locked with zlib 1\.3 level 6, and this host has"):
        again(engine, tmp_path, mixed._replace(notes=elsewhere))
    with pytest.raises(InvalidInput, match="does not say its image id"):
        again(engine, tmp_path, before._replace(notes=()))


def test_what_the_engine_does_not_have(engine: FakeEngine, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=f"engine {engine.address}: image {NAME}: not there") as e:
        found(engine, tmp_path)
    assert "podman images" in (e.value.hint or "")
    assert not any(tmp_path.iterdir())


def test_an_image_by_digest_is_refused(engine: FakeEngine, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be had by digest"):
        found(engine, tmp_path, f"localhost/harness/agent@{Digest.of(b'x')}")
    assert not engine.asked


def test_an_image_that_moves_while_it_is_saved(engine: FakeEngine, tmp_path: Path) -> None:
    first = engine.hold(NAME, IMAGE)
    answers = [engine.images[NAME]]
    second = engine.hold(NAME, Saved.of("newer"))
    answers.append(engine.images[NAME])

    class Moving(dict[str, dict[str, Any]]):
        def __getitem__(self, name: str) -> dict[str, Any]:
            return answers.pop(0) if name == NAME else super().__getitem__(name)

    engine.images = Moving(engine.images)
    with pytest.raises(Conflict, match=f"was moved from {first} to {second} while it was saved"):
        found(engine, tmp_path)


def test_an_engine_that_saves_another_image(engine: FakeEngine, tmp_path: Path) -> None:
    image_id, other = engine.hold(NAME, IMAGE), Saved.of("other")
    engine.archives[str(image_id)] = other.tar()
    with pytest.raises(DigestMismatch, match=f"was asked for {image_id} and saved {other.id}"):
        found(engine, tmp_path)
    assert kept(tmp_path) == []


@pytest.mark.parametrize("tags", [(), ("other.example/agent:v7", "agent:v8")])
def test_an_image_has_the_name_of_the_spec_whatever_is_saved_with_it(
    engine: FakeEngine, tmp_path: Path, tags: tuple[str, ...]
) -> None:
    image_id = engine.hold(NAME, IMAGE)
    engine.archives[str(image_id)] = IMAGE.tar(*tags)
    assert found(engine, tmp_path).record.name == NAME


def test_an_id_that_is_that_of_a_manifest(engine: FakeEngine, tmp_path: Path) -> None:
    """As Docker has it where it keeps images in containerd."""
    image_id = engine.hold(NAME, IMAGE, image_id=Digest.of(b"a manifest"))
    engine.archives[str(image_id)] = IMAGE.tar(folder="blobs/sha256/")
    before = found(engine, tmp_path)
    assert before.notes[0] == f"image id: {image_id}"
    assert again(engine, tmp_path, before)[1:] == before[1:]
    other = engine.hold("docker.io/library/other:v1", IMAGE, image_id=Digest.of(b"another"))
    engine.archives[str(other)] = Saved.of("other").tar(folder="blobs/sha256/")
    with pytest.raises(DigestMismatch, match=f"was asked for {other} and saved"):
        found(engine, tmp_path, "other:v1")


@pytest.mark.parametrize("cut", [1, 100_000])
def test_an_engine_that_breaks_off(engine: FakeEngine, tmp_path: Path, cut: int) -> None:
    engine.hold(NAME, IMAGE)
    engine.cut = cut
    with pytest.raises(ToolError, match=f"engine {engine.address}: saving image"):
        found(engine, tmp_path)
    assert kept(tmp_path) == []
    engine.cut = None
    assert found(engine, tmp_path).record.name == NAME


def test_an_engine_that_ends_early_and_says_it_is_done(engine: FakeEngine, tmp_path: Path) -> None:
    image_id = engine.hold(NAME, IMAGE)
    engine.archives[str(image_id)] = IMAGE.tar()[:-20_000]
    with pytest.raises(CorruptArchive, match="is damaged, and is removed") as caught:
        found(engine, tmp_path)
    assert "bytes before it should" in str(caught.value.faults)
    assert kept(tmp_path) == []


def test_a_cache_that_was_damaged(engine: FakeEngine, tmp_path: Path) -> None:
    engine.hold(NAME, IMAGE)
    before = found(engine, tmp_path)
    (path,) = kept(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptArchive, match="is removed from the cache") as caught:
        again(engine, tmp_path, before)
    assert "run the same command again" in (caught.value.hint or "")
    assert again(engine, tmp_path, before)[1:] == before[1:]


def test_what_a_killed_process_left_is_no_hindrance(engine: FakeEngine, tmp_path: Path) -> None:
    image_id = engine.hold(NAME, IMAGE)
    (tmp_path / "partial").mkdir()
    part = tmp_path / "partial" / name_of(f"engine image {image_id}")
    part.write_bytes(b"half of something")
    found(engine, tmp_path)
    assert [path.parent.name for path in kept(tmp_path)] == ["sha256"]


def test_the_cache_shows_proves_and_tidies_saved_images(engine: FakeEngine, tmp_path: Path) -> None:
    engine.hold(NAME, IMAGE)
    cache = Cache(tmp_path)
    with finder(tmp_path) as images:
        images.resolve(wanted(NAME, engine=engine.address), None, ())
        (shown,) = look(cache)
        assert shown.in_use
        assert prune(cache, lambda _: True) == ([], [shown])
    (shown,) = prove(cache, SILENT)
    assert (shown.file_name, shown.in_use) == (NAME, False)
    prune(cache, lambda _: True)
    assert kept(tmp_path) == []
    assert found(engine, tmp_path).record.name == NAME


def test_two_builds_at_once_save_an_image_once(engine: FakeEngine, tmp_path: Path) -> None:
    image_id = engine.hold(NAME, IMAGE)
    with ThreadPoolExecutor(4) as pool:
        roots = set(pool.map(lambda _: found(engine, tmp_path).record.root.digest, range(4)))
    assert len(roots) == 1
    assert engine.asked.count(f"{image_id}/get") == 1
    assert [path.parent.name for path in kept(tmp_path)] == ["sha256"]


def test_a_disk_without_room_is_known_before_the_first_byte(
    engine: FakeEngine, tmp_path: Path
) -> None:
    image_id = engine.hold(NAME, IMAGE)
    engine.images[NAME]["Size"] = 1 << 60
    with pytest.raises(
        StorageError, match=rf"cache {tmp_path}: .* are needed for image .* are free"
    ):
        found(engine, tmp_path)
    assert f"{image_id}/get" not in engine.asked
    assert kept(tmp_path) == []


def test_a_disk_that_fills_up(engine: FakeEngine, tmp_path: Path) -> None:
    noise = Saved.of(os.urandom(3_000_000).hex())
    engine.hold(NAME, noise)
    engine.images[NAME]["Size"] = 1
    with small_disk(tmp_path / "disk", "1m") as disk:
        with pytest.raises(StorageError, match="No space left on device") as caught:
            found(engine, disk)
        assert f"cache {disk}" in caught.value.message
        assert kept(disk) == []


def test_a_cache_that_cannot_be_written(engine: FakeEngine, tmp_path: Path) -> None:
    engine.hold(NAME, IMAGE)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"cache .*/file: "):
        found(engine, tmp_path / "file")


def test_nothing_is_left_in_the_temporary_folder(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    engine.hold(NAME, IMAGE)
    found(engine, tmp_path / "cache")
    assert not any((tmp_path / "tmp").iterdir())


def test_the_engine_that_the_environment_names(engine: FakeEngine, tmp_path: Path) -> None:
    engine.hold(NAME, IMAGE)
    with finder(tmp_path, environ={"DOCKER_HOST": engine.address}) as images:
        result = images.resolve(wanted(NAME, engine=""), None, ())
        assert delivered(result).resolve(NAME) == result.record.root
