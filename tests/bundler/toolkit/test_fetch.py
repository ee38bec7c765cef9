"""Wheels come from the cache where a lock names them, and from an index only where they must."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.toolkit.fetch import Wheel, Wheels
from bundler.toolkit.pip import WHEELS
from bundler.toolkit.requirements import Requirement
from bundler.toolkit.shelf import Shelf
from bundler.toolkit.target import Target
from tests.bundler.toolkit.test_pip import environ, needed
from tests.fakes.index import PackageIndex, wheel
from transfer.digest import Digest
from transfer.errors import Incomplete, InvalidInput, NotFound, StorageError, TransferError

AMD64 = Target(platform="linux/amd64", python="3.11")
ARM64 = Target(platform="linux/arm64", python="3.13")
PURE = wheel("pure")
FOR_OLD = wheel("old")
BUILT_AMD64 = wheel("built", tag="cp311-cp311-manylinux_2_17_x86_64")
BUILT_ARM64 = wheel("built", tag="cp313-cp313-manylinux_2_17_aarch64")
FILES = dict((PURE, FOR_OLD, BUILT_AMD64, BUILT_ARM64))
REQUIREMENTS = (
    needed(BUILT_AMD64, BUILT_ARM64),
    needed(FOR_OLD, marker="python_full_version < '3.13'"),
    needed(PURE),
)


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with PackageIndex(files=dict(FILES)) as server:
        yield server


@pytest.fixture
def wheels(index: PackageIndex, tmp_path: Path) -> Wheels:
    settings = environ(tmp_path, index.url, PIP_NO_CACHE_DIR="1")
    return Wheels(shelf=Shelf(tmp_path / "cache"), environ=settings)


def place(wheels: Wheels, found: Wheel) -> Path:
    """Where the cache has a wheel."""
    return wheels.shelf.cache / "sha256" / found.digest.encoded


def names(found: tuple[Wheel, ...]) -> dict[str, Digest]:
    return {wheel.file_name: wheel.digest for wheel in found}


def test_each_machine_gets_its_own(wheels: Wheels) -> None:
    assert names(wheels.fetch([AMD64], REQUIREMENTS)).keys() == FILES.keys() - {BUILT_ARM64[0]}
    assert names(wheels.fetch([ARM64], REQUIREMENTS)).keys() == {BUILT_ARM64[0], PURE[0]}


def test_all_are_in_the_cache_afterwards_and_nothing_else(wheels: Wheels) -> None:
    found = wheels.fetch([AMD64, ARM64], REQUIREMENTS)
    assert names(found) == {name: Digest.of(content) for name, content in FILES.items()}
    for each in found:
        assert each.content == FILES[each.file_name]
        assert place(wheels, each).read_bytes() == each.content
    assert {path.name for path in wheels.shelf.cache.iterdir()} == {"sha256", "toolkit.lock"}


def test_what_a_killed_one_left_is_not_taken(wheels: Wheels) -> None:
    left = wheels.shelf.cache / "toolkit" / WHEELS / "evil-1.0-py3-none-any.whl"
    left.parent.mkdir(parents=True)
    left.touch()
    wheels.fetch([AMD64], REQUIREMENTS)
    assert not left.exists()


def test_two_at_once_do_not_disturb_each_other(wheels: Wheels) -> None:
    with ThreadPoolExecutor(2) as pool:
        started = [pool.submit(wheels.fetch, [AMD64], REQUIREMENTS) for _ in range(2)]
        first, second = (each.result() for each in started)
    assert first == second


def test_a_cache_that_cannot_be_written(wheels: Wheels) -> None:
    wheels.shelf.cache.write_text("a file")
    with pytest.raises(StorageError, match="cache"):
        wheels.fetch([AMD64], REQUIREMENTS)


def test_what_is_locked_and_in_the_cache_is_asked_of_nobody(
    wheels: Wheels, index: PackageIndex
) -> None:
    found = wheels.fetch([AMD64, ARM64], REQUIREMENTS)
    with index.away():
        assert wheels.fetch_locked([AMD64, ARM64], REQUIREMENTS, names(found)) == found


def test_what_is_used_is_not_the_oldest(wheels: Wheels) -> None:
    found = wheels.fetch([AMD64], REQUIREMENTS)
    for each in found:
        os.utime(place(wheels, each), (0, 0))
    wheels.fetch_locked([AMD64], REQUIREMENTS, names(found))
    assert all(place(wheels, each).stat().st_mtime for each in found)


def test_what_the_cache_has_lost_is_fetched_again(wheels: Wheels, index: PackageIndex) -> None:
    found = wheels.fetch([AMD64, ARM64], REQUIREMENTS)
    place(wheels, found[0]).unlink()
    place(wheels, found[1]).write_bytes(b"damaged")
    assert wheels.fetch_locked([AMD64, ARM64], REQUIREMENTS, names(found)) == found
    assert all(place(wheels, each).read_bytes() == each.content for each in found)


def test_no_other_wheel_is_taken_than_the_locked_one(wheels: Wheels, index: PackageIndex) -> None:
    locked = names(wheels.fetch([AMD64], REQUIREMENTS))
    better = wheel("built", tag="cp311-cp311-manylinux_2_28_x86_64")
    index.files[better[0]] = better[1]
    known = (needed(BUILT_AMD64, BUILT_ARM64, better), *REQUIREMENTS[1:])
    assert better[0] in names(wheels.fetch([AMD64], known))

    (wheels.shelf.cache / "sha256" / locked[BUILT_AMD64[0]].encoded).unlink()
    assert names(wheels.fetch_locked([AMD64], known, locked)) == locked


def test_a_locked_wheel_that_is_gone_is_told(wheels: Wheels, index: PackageIndex) -> None:
    found = wheels.fetch([AMD64], REQUIREMENTS)
    (gone,) = (each for each in found if each.file_name == PURE[0])
    place(wheels, gone).unlink()
    del index.files[PURE[0]]
    with pytest.raises(NotFound, match=r"pure==1\.0"):
        wheels.fetch_locked([AMD64], REQUIREMENTS, names(found))


def test_a_lock_of_another_version_of_the_toolkit_is_refused(wheels: Wheels) -> None:
    locked = names(wheels.fetch([AMD64], REQUIREMENTS))
    newer = needed(wheel("pure", version="2.0"), version="2.0")
    with pytest.raises(InvalidInput, match="another version of the toolkit") as refused:
        wheels.fetch_locked([AMD64], (*REQUIREMENTS[:2], newer), locked)
    told = [fault.message for fault in refused.value.faults]
    assert any(line.startswith(f"{PURE[0]}: in the lock") for line in told)
    assert "pure 2.0: needed, and not in the lock" in told


def test_what_only_other_machines_need_may_be_missing_in_a_lock(wheels: Wheels) -> None:
    locked = names(wheels.fetch([ARM64], REQUIREMENTS))
    assert names(wheels.fetch_locked([ARM64], REQUIREMENTS, locked)) == locked


def test_what_is_missing_for_each_machine_is_told_at_once(
    wheels: Wheels, index: PackageIndex
) -> None:
    index.files = {PURE[0]: PURE[1], BUILT_ARM64[0]: BUILT_ARM64[1]}
    with pytest.raises(NotFound, match=r"old==1\.0"):
        wheels.fetch([AMD64, ARM64], REQUIREMENTS[1:])
    with pytest.raises(NotFound) as told:
        wheels.fetch([AMD64, replace(ARM64, python="3.12")], REQUIREMENTS[1:])
    assert [fault.message[:35] for fault in told.value.faults] == [
        "wheels for Python 3.11 on linux/amd",
        "wheels for Python 3.12 on linux/arm",
    ]


def test_a_fault_of_each_kind_is_told(wheels: Wheels, index: PackageIndex) -> None:
    damaged = Requirement(
        name="pure", version="1.0", marker="", digests=frozenset({Digest("sha256", "1" * 64)})
    )
    strange = replace(damaged, marker="extra == 'x'")
    with pytest.raises(TransferError, match="not understood"):
        wheels.fetch([AMD64], [strange])
    del index.files[BUILT_ARM64[0]]
    only_old = replace(damaged, marker="python_version < '3.12'")
    with pytest.raises(Incomplete, match="wheels could not be had") as told:
        wheels.fetch([AMD64, ARM64], [only_old, needed(BUILT_AMD64, BUILT_ARM64)])
    assert [fault.exit_code for fault in told.value.faults] == [4, 5]
