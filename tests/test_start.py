"""What a push of a bundle does not load: starting takes as long as the shortest of its runs.

What is loaded before a command is known can not be left by Ctrl-C without a traceback either.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.transfer.bundles import make_bundle

PROJECT = Path(__file__).parents[1]
NOT_LOADED = {
    "bundler",
    "docker",
    "mirror.cli.kots",
    "mirror.cli.serve",
    "mirror.deploy",
    "mirror.serve",
    "mirror.site",
    "oras",
    "tarfile",
    "tqdm",
    "transfer.archive",
    "transfer.kots",
    "transfer.yamlfile",
    "yaml",
    "zlib_ng",
}
"""Each takes some milliseconds to load, together as many as the whole rest."""

TOLD = """\
import sys
from {program}.cli import main
code = main({arguments!r}, standalone_mode=False)
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def modules_of(*arguments: str, program: str = "mirror") -> set[str]:
    """The modules that a run of `airgap-mirror`, or the other one, has loaded when it ends."""
    code = TOLD.format(program=program, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    make_bundle(tmp_path / "bundle")
    return str(tmp_path / "bundle")


def test_a_push_of_a_bundle_starts_without_what_it_does_not_need(
    bundle: str, tmp_path: Path
) -> None:
    loaded = modules_of("push", bundle, "--to", f"oci:{tmp_path / 'store'}", "--quiet")
    assert "mirror.push" in loaded
    assert loaded & NOT_LOADED == set()


def test_help_of_one_command_loads_no_other() -> None:
    loaded = modules_of("push", "--help")
    assert "mirror.cli.images" in loaded
    assert loaded & NOT_LOADED == set()


def test_help_of_the_bundler_does_not_load_what_makes_bundles() -> None:
    loaded = modules_of("verify", "--help", program="bundler")
    assert "bundler.cli.sources" in loaded
    assert loaded & {"bundler.build", "bundler.downloads", "docker", "tqdm", "yaml"} == set()


def test_the_collector_works_on_and_leaves_what_was_loaded_alone() -> None:
    code = (
        "import gc; from mirror.cli import main; main(['push', '--help'], standalone_mode=False); "
        "assert gc.isenabled(); assert gc.get_freeze_count() > 10_000"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
