"""A cache that is tidied while builds write into it: what they have just noted stays."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bundler.downloads.cache import Cache, name_of
from bundler.downloads.remembered import Memory, recall, remember
from bundler.downloads.unconfirmed import note_unconfirmed
from bundler.downloads.upkeep import prune
from transfer.digest import Digest

ROUNDS = 150
DAY = 86400


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    found = Cache(tmp_path / "cache")
    for folder in (found.complete, found.partial, found.remembered, found.unconfirmed):
        folder.mkdir(parents=True)
    return found


def memory(content: bytes, identity: str = "vendor/1") -> Memory:
    return Memory(
        identity=identity, file_name="h.airgap", digest=Digest.of(content), size=len(content)
    )


def age(path: Path) -> None:
    then = path.stat().st_mtime - DAY
    os.utime(path, (then, then))


def tidy(cache: Cache) -> None:
    prune(cache, lambda _: False)


@contextmanager
def tidied_all_the_time(cache: Cache) -> Iterator[None]:
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            tidy(cache)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_what_was_remembered_just_now_waits_for_its_file(cache: Cache) -> None:
    """A build remembers first, and gives the file its name then."""
    remember(cache, memory(b"new"))
    tidy(cache)
    assert recall(cache, "vendor/1") == memory(b"new")


def test_what_was_remembered_long_ago_goes(cache: Cache) -> None:
    remember(cache, memory(b"old"))
    age(cache.remembered / f"{name_of('vendor/1')}.json")
    tidy(cache)
    assert list(cache.remembered.iterdir()) == []


def test_what_was_removed_is_not_remembered(cache: Cache) -> None:
    cache.path(Digest.of(b"x")).write_bytes(b"x")
    remember(cache, memory(b"x"))
    age(cache.remembered / f"{name_of('vendor/1')}.json")
    removed, _ = prune(cache, lambda _: True)
    assert len(removed) == 1
    assert list(cache.remembered.iterdir()) == []


def test_a_memory_that_is_renewed_while_it_is_looked_at(cache: Cache) -> None:
    path = cache.remembered / f"{name_of('vendor/1')}.json"
    for number in range(ROUNDS):
        new = memory(str(number).encode())
        with tidied_all_the_time(cache):
            remember(cache, memory(b"old"))
            with suppress(FileNotFoundError):
                age(path)
            remember(cache, new)
        assert recall(cache, "vendor/1") == new
    assert [entry.name for entry in cache.remembered.iterdir()] == [path.name]


def test_a_note_that_is_renewed_while_it_is_looked_at(cache: Cache) -> None:
    note = cache.note(Digest.of(b"x"))
    for _ in range(ROUNDS):
        with tidied_all_the_time(cache):
            note.write_text("of another boot")
            note_unconfirmed(note, "cache")
        assert [entry.name for entry in cache.unconfirmed.iterdir()] == [note.name]


@pytest.mark.parametrize("folder", ["remembered", "unconfirmed"])
def test_what_a_build_writes_right_now_stays_and_what_a_killed_one_left_goes(
    cache: Cache, folder: str
) -> None:
    now, left = (cache.root / folder / f"{'0' * 64}.{end}" for end in ("now", "left"))
    for path in (now, left):
        path.touch()
    age(left)
    tidy(cache)
    assert list((cache.root / folder).iterdir()) == [now]


def test_a_journal_of_a_part_that_is_there_stays(cache: Cache) -> None:
    part = cache.partial / ("0" * 64)
    left = cache.partial / f"{'1' * 64}.journal"
    for path in (part, part.with_name(f"{part.name}.journal"), left):
        path.write_text("x")
    tidy(cache)
    names = sorted(entry.name for entry in cache.partial.iterdir())
    assert names == [part.name, f"{part.name}.journal"]
