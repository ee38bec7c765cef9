"""Our own wheel holds the code that runs, and is the same wherever that code lies."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import io
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from bundler.toolkit.carry import own_requirements
from bundler.toolkit.own import COMMANDS, NAME, WHEEL, own_wheel
from transfer import __version__

PROJECT = Path(__file__).parents[3]
INFO = f"harness_airgap-{__version__}.dist-info"
PACKAGES = ("transfer", "bundler", "mirror")


def read(wheel: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return read(own_wheel(own_requirements()))


def test_it_says_what_the_project_says(files: dict[str, bytes]) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert (NAME, __version__) == (project["name"], project["version"])
    assert project["scripts"] == COMMANDS
    said = message_from_bytes(files[f"{INFO}/METADATA"])
    assert said["Name"] == project["name"]
    assert said["Version"] == project["version"]
    assert said["Requires-Python"] == project["requires-python"]
    assert said["License"] == project["license"]


def test_it_requires_exactly_what_is_carried(files: dict[str, bytes]) -> None:
    required = message_from_bytes(files[f"{INFO}/METADATA"]).get_all("Requires-Dist")
    assert required
    names = {entry.partition("==")[0] for entry in required}
    assert all("==" in entry for entry in required)
    assert {"click", "requests", "oras", "typing-extensions"} <= names
    assert not {"pip", "setuptools"} & names


def test_its_record_is_right(files: dict[str, bytes]) -> None:
    rows = {row[0]: row[1:] for row in csv.reader(files[f"{INFO}/RECORD"].decode().splitlines())}
    assert rows.keys() == files.keys()
    assert rows.pop(f"{INFO}/RECORD") == ["", ""]
    for name, (digest, size) in rows.items():
        assert int(size) == len(files[name])
        value = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).decode()
        assert digest == f"sha256={value.rstrip('=')}"


def test_no_time_user_or_order_of_this_machine_is_in_it() -> None:
    with zipfile.ZipFile(io.BytesIO(own_wheel(own_requirements()))) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    code = [entry.filename for entry in entries if INFO not in entry.filename]
    assert code == sorted(code)


def test_what_setuptools_builds_holds_the_same_code(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    source = copy_of_the_project(tmp_path / "source")
    wheel = build(source, tmp_path / "built")
    built = read(wheel.read_bytes())
    assert wheel.name == WHEEL
    assert code_of(built) == code_of(files)


def test_the_same_code_elsewhere_gives_the_same_bytes(tmp_path: Path) -> None:
    source = copy_of_the_project(tmp_path / "other")
    (source / "transfer/__pycache__").mkdir(exist_ok=True)
    (source / "transfer/__pycache__/digest.cpython-311.pyc").write_bytes(b"a cache")
    (source / "mirror/.hidden").write_bytes(b"an editor's")
    for path in source.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (0, 0))
            path.chmod(0o600)
    assert own_wheel_of(source, tmp_path) == own_wheel(own_requirements())


def test_other_code_gives_other_bytes(tmp_path: Path) -> None:
    source = copy_of_the_project(tmp_path / "other")
    with (source / "mirror/push.py").open("a") as file:
        file.write("# changed\n")
    assert own_wheel_of(source, tmp_path) != own_wheel(own_requirements())


def code_of(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if ".dist-info/" not in name}


def copy_of_the_project(folder: Path) -> Path:
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, folder)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / package, folder / package, symlinks=True, ignore=ignored)
    return folder


def own_wheel_of(source: Path, folder: Path) -> bytes:
    """The wheel that the code in another folder makes of itself."""
    script = (
        "import pathlib, sys; from bundler.toolkit.carry import own_requirements; "
        "from bundler.toolkit.own import own_wheel; "
        "pathlib.Path(sys.argv[1]).write_bytes(own_wheel(own_requirements()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONHASHSEED": "1"}
    made = folder / "made.whl"
    subprocess.run([sys.executable, "-c", script, made], check=True, cwd=folder, env=environment)
    return made.read_bytes()


def build(source: Path, target: Path) -> Path:
    """What setuptools makes of a checkout."""
    found = importlib.metadata.version("setuptools")
    if int(found.partition(".")[0]) < 77:
        message = f"setuptools {found} cannot build this project: scripts/venv brings a newer one"
        if os.environ.get("AIRGAP_REQUIRE_REAL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", f"--wheel-dir={target}"]
    subprocess.run([*pip, *options, source], check=True, cwd=source)
    (wheel,) = target.glob("*.whl")
    return wheel
