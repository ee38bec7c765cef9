"""What the toolkit needs is read from its lock, and decided for machines that are elsewhere."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bundler.spec.values import Toolkit
from bundler.toolkit.carry import own_requirements
from bundler.toolkit.markers import applies
from bundler.toolkit.requirements import BUILD_ONLY, INSTALLER, Requirement, parse_requirements
from bundler.toolkit.target import Target, targets
from transfer.digest import Digest
from transfer.errors import InvalidInput

PROJECT = Path(__file__).parents[3]
ONE, TWO = Digest("sha256", "1" * 64), Digest("sha256", "2" * 64)
OLD = Target(platform="linux/amd64", python="3.11")
NEW = Target(platform="linux/arm64", python="3.14")
LOCK = f"""\
# written by a program
click==8.5.1 \\
    --hash={TWO} \\
    --hash={ONE}
    # via harness-airgap
pip==26.3 --hash={ONE}
setuptools==84.2.1 --hash={ONE}
typing-extensions==4.16.0 ; python_full_version < '3.13' \\
    --hash={ONE}
"""


def test_a_lock_is_read_without_what_only_a_build_needs() -> None:
    found = {needed.name: needed for needed in parse_requirements(LOCK)}
    assert found.keys() == {"click", "pip", "typing-extensions"}
    assert found["click"].digests == {ONE, TWO}
    assert found["click"].marker == ""
    assert found["typing-extensions"].marker == "python_full_version < '3.13'"
    assert found["typing-extensions"].version == "4.16.0"


def test_a_line_is_written_as_it_is_read() -> None:
    for needed in parse_requirements(LOCK):
        assert parse_requirements(needed.line()) == (needed,)
    (marked,) = (needed for needed in parse_requirements(LOCK) if needed.marker)
    assert "python" not in marked.line(marked=False)


def test_fewer_files_will_do() -> None:
    (click, *_) = parse_requirements(LOCK)
    assert click.among([TWO, Digest("sha256", "3" * 64)]).digests == {TWO}


@pytest.mark.parametrize("line", ["click", "click>=8 --hash=sha256:" + "1" * 64, "click==8.5.1"])
def test_what_is_not_pinned_with_a_hash_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="not a pinned version with hashes"):
        parse_requirements(line)


def test_what_the_running_toolkit_needs_can_be_decided_for_every_machine() -> None:
    requirements = own_requirements()
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    named = {entry.partition(">")[0] for entry in project["project"]["dependencies"]}
    for target in (OLD, NEW):
        needed = {found.name for found in requirements if target.needs(found)}
        assert named | {INSTALLER} <= needed
        assert "colorama" not in needed  # of Windows alone


def test_what_a_site_does_not_get_is_what_the_project_builds_with() -> None:
    groups = tomllib.loads((PROJECT / "pyproject.toml").read_text())["dependency-groups"]
    assert {entry.partition(">")[0] for entry in groups["build"]} == BUILD_ONLY
    assert [entry.partition(">")[0] for entry in groups["site"]] == [INSTALLER]


def test_the_lock_beside_the_project_is_the_one_that_is_carried() -> None:
    carried = PROJECT / "bundler/toolkit/requirements.lock"
    assert (PROJECT / "requirements.lock").read_bytes() == carried.read_bytes()


@pytest.mark.parametrize(
    ("marker", "old", "new"),
    [
        ("python_full_version < '3.13'", True, False),
        ("python_version >= '3.9'", True, True),
        ("'3.12' <= python_version", False, True),
        ("sys_platform == 'win32'", False, False),
        ("sys_platform != 'win32' and platform_machine == 'aarch64'", False, True),
        ("python_version < '3.12' or (os_name == 'posix' and python_version == '3.14')",)
        + 2 * (True,),
        ("platform_python_implementation == 'PyPy'", False, False),
        ("python_full_version < '3.11.4'", True, False),  # some 3.11 may need it
        ("python_full_version >= '3.14.2'", False, True),
    ],
)
def test_a_marker_is_decided_for_the_site(marker: str, old: bool, new: bool) -> None:  # noqa: FBT001
    needed = Requirement(name="x", version="1", marker=marker, digests=frozenset({ONE}))
    assert (OLD.needs(needed), NEW.needs(needed)) == (old, new)


@pytest.mark.parametrize(
    "marker",
    [
        "extra == 'engine'",  # no such name where nothing is extra
        "python_version ~= '3.11'",
        "python_version",
        "python_version < 3",
        "python_version < 'three'",
        "'3' < python_version < '4'",
        "not python_version < '3'",
        "'2' in python_version",
        "__import__('os')",
    ],
)
def test_a_marker_of_another_kind_is_refused(marker: str) -> None:
    with pytest.raises(InvalidInput, match="not understood"):
        applies(marker, {"python_version": "3.11"})


def test_machines_are_named_once_and_in_order() -> None:
    wanted = Toolkit(platforms=("linux/arm64", "linux/amd64") * 2, python=("3.12", "3.11", "3.12"))
    assert list(map(str, targets(wanted))) == [
        "Python 3.11 on linux/amd64",
        "Python 3.12 on linux/amd64",
        "Python 3.11 on linux/arm64",
        "Python 3.12 on linux/arm64",
    ]


def test_every_machine_that_nothing_can_be_carried_for_is_told() -> None:
    wanted = Toolkit(
        platforms=("linux/amd64", "darwin/arm64"), python=("3.10", "3.11", "4.0", "3.11.7")
    )
    with pytest.raises(InvalidInput) as refused:
        targets(wanted)
    assert [fault.message.partition(":")[0] for fault in refused.value.faults] == [
        "toolkit.platforms[1]",
        "toolkit.python[0]",
        "toolkit.python[2]",
        "toolkit.python[3]",
    ]


def test_the_best_wheel_of_a_machine_is_asked_for_first() -> None:
    assert OLD.tags[0] == "manylinux_2_28_x86_64"
    assert "manylinux_2_29_x86_64" not in OLD.tags
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(NEW.tags)
