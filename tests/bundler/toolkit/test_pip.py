"""Wheels come by way of the real pip, from an index that this test is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from bundler.toolkit import pip
from bundler.toolkit.requirements import Requirement
from bundler.toolkit.target import Target
from tests.disks import small_disk
from tests.fakes.faulty import FOREVER, close_after
from tests.fakes.index import LOGIN, PackageIndex, wheel
from tests.processes import free_port
from transfer.digest import Digest
from transfer.errors import DigestMismatch, NotFound, StorageError, TransferError, Unavailable

PROJECT = Path(__file__).parents[3]
TARGET = Target(platform="linux/arm64", python="3.13")
PURE = wheel("pure")
BUILT = wheel("built", tag="cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64")
OTHERS = (
    wheel("built", tag="cp313-cp313-manylinux_2_17_x86_64"),
    wheel("built", tag="cp312-cp312-manylinux_2_17_aarch64"),
    wheel("built", tag="cp313-cp313-manylinux_2_34_aarch64"),
    wheel("built", version="2.0"),
)


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with PackageIndex(files=dict((PURE, BUILT, *OTHERS))) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def environ(folder: Path, url: str = "", **more: str) -> dict[str, str]:
    """What pip runs in: none of this host's configuration, and an index."""
    cleared = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder.parent),
        "PIP_CONFIG_FILE": "/dev/null",
    }
    return {**cleared, "PIP_INDEX_URL": url, "PIP_RETRIES": "1", **more}


def needed(*files: tuple[str, bytes], version: str = "1.0", marker: str = "") -> Requirement:
    """A requirement that these files may be."""
    return Requirement(
        name=files[0][0].partition("-")[0],
        version=version,
        marker=marker,
        digests=frozenset(Digest.of(content) for _, content in files),
    )


def brought(folder: Path) -> Mapping[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / pip.WHEELS).iterdir()}


def test_the_wheels_that_fit_the_machine_are_fetched(index: PackageIndex, folder: Path) -> None:
    for_others = "python_version < '3'"  # pip would decide it for the Python that runs it
    wanted = [needed(PURE, marker=for_others), needed(BUILT, *OTHERS)]
    pip.download(wanted, TARGET, folder, environ(folder, index.url))
    assert brought(folder) == dict([PURE, BUILT])


def test_another_file_than_the_pinned_one_is_not_taken(index: PackageIndex, folder: Path) -> None:
    index.files[f"built-1.0-1-{BUILT[0].partition('-1.0-')[2]}"] = b"a later build"
    pip.download([needed(BUILT)], TARGET, folder, environ(folder, index.url))
    assert brought(folder) == dict([BUILT])


def test_a_wheel_that_is_there_is_not_fetched_again(index: PackageIndex, folder: Path) -> None:
    settings = environ(folder, index.url, PIP_NO_CACHE_DIR="1")
    for machine in (TARGET, Target(platform="linux/amd64", python="3.11")):
        pip.download([needed(PURE)], machine, folder, settings)
    assert index.count("GET", "/files/pure") == 1


def test_an_index_may_ask_for_a_password(index: PackageIndex, folder: Path) -> None:
    index.private = True
    pip.download([needed(PURE)], TARGET, folder, environ(folder, index.url))
    assert brought(folder) == dict([PURE])


def test_a_folder_of_wheels_will_do_as_an_index(folder: Path) -> None:
    house = folder.parent / "house"
    house.mkdir()
    (house / PURE[0]).write_bytes(PURE[1])
    settings = environ(folder, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(house))
    pip.download([needed(PURE)], TARGET, folder, settings)
    assert brought(folder) == dict([PURE])


def test_what_asks_for_a_virtual_environment_is_not_in_the_way(
    index: PackageIndex, folder: Path
) -> None:
    settings = environ(folder, index.url, PIP_REQUIRE_VIRTUALENV="1")
    base = Path(sys.base_prefix) / "bin" / Path(sys.executable).name
    script = (
        "import os, pathlib, sys; from bundler.toolkit import pip; "
        "from tests.bundler.toolkit.test_pip import *; "
        "pip.download([needed(PURE)], TARGET, pathlib.Path(sys.argv[1]), os.environ)"
    )
    path = os.pathsep.join([str(PROJECT), *(entry for entry in sys.path if "packages" in entry)])
    subprocess.run([base, "-c", script, folder], check=True, env={**settings, "PYTHONPATH": path})
    assert brought(folder) == dict([PURE])


@pytest.mark.parametrize("wanted", [needed(OTHERS[0]), needed(PURE, version="3.0")])
def test_what_the_index_does_not_have(
    index: PackageIndex, folder: Path, wanted: Requirement
) -> None:
    index.files = {PURE[0]: PURE[1], "other-1.0-py3-none-any.whl": b""}
    with pytest.raises(NotFound, match=rf"Python 3\.13 on linux/arm64: .*{wanted.name}==") as told:
        pip.download([wanted], TARGET, folder, environ(folder, index.url))
    assert "pip download pip" in str(told.value.hint)


@pytest.mark.parametrize("marked", [True, False])
def test_a_file_with_another_hash_is_refused(
    index: PackageIndex,
    folder: Path,
    marked: bool,  # noqa: FBT001
) -> None:
    index.files[PURE[0]] = wheel("pure", tag="py2.py3-none-any")[1]
    index.marked = marked
    with pytest.raises(DigestMismatch, match="pip ended with exit code 1"):
        pip.download([needed(PURE)], TARGET, folder, environ(folder, index.url))


def test_a_broken_download_is_no_success(index: PackageIndex, folder: Path) -> None:
    index.fail("GET", "/files/", FOREVER, close_after(100))
    with pytest.raises(TransferError):  # of which kind depends on pip's version
        pip.download([needed(PURE)], TARGET, folder, environ(folder, index.url))
    assert not any((folder / pip.WHEELS).glob("*"))


def test_an_index_that_does_not_answer(folder: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/simple/"
    with pytest.raises(Unavailable, match=r"exit code 1 \(Connection refused\): ERROR: ") as told:
        pip.download([needed(PURE)], TARGET, folder, environ(folder, url))
    assert "WARNING" not in told.value.message
    assert str(told.value.hint).startswith("the package index does not answer")


def test_a_password_in_the_address_is_never_repeated(folder: Path) -> None:
    url = f"http://{':'.join(LOGIN)}@127.0.0.1:{free_port()}/simple?token=geheim"
    with pytest.raises(Unavailable) as told:
        pip.download([needed(PURE)], TARGET, folder, environ(folder, url))
    for secret in (*LOGIN, "geheim"):
        assert secret not in told.value.message


def test_a_disk_that_is_too_small(index: PackageIndex, tmp_path: Path) -> None:
    index.files["large-1.0-py3-none-any.whl"] = content = os.urandom(3 << 20)
    wanted = needed(("large-1.0-py3-none-any.whl", content))
    with small_disk(tmp_path / "disk", "2m") as disk, pytest.raises(StorageError):
        pip.download([wanted], TARGET, disk, environ(disk, index.url))


def test_a_python_without_pip_is_told(folder: Path) -> None:
    bare = folder.parent / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    libraries = folder.parent / "libraries"
    libraries.mkdir()
    (libraries / "yaml").symlink_to(Path(str(yaml.__file__)).parent)
    script = (
        "import pathlib, os, sys; from bundler.toolkit import pip; "
        "from bundler.toolkit.target import Target; "
        "pip.download([], Target(platform='linux/amd64', python='3.11'), "
        "pathlib.Path(sys.argv[1]), os.environ)"
    )
    done = subprocess.run(
        [bare / "bin/python", "-c", script, folder],
        env={"PYTHONPATH": f"{PROJECT}:{libraries}"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "NotFound: wheels for Python 3.11 on linux/amd64" in done.stderr
    assert "No module named pip" in done.stderr
