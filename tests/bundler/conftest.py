"""Sample archives, a spec over them, and the command line as its users call it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts.sample_archives import (
    OLD_RELEASE,
    write_application,
    write_console,
    write_docker_archive_application,
    write_module,
)
from tests.bundler.commands import Workplace

SIZE = 200_000


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one archive of each kind; nobody changes it."""
    folder = tmp_path_factory.mktemp("samples")
    write_console(folder / "kotsadm.tar.gz", size=SIZE)
    write_application(folder / "harness.airgap", size=SIZE)
    write_application(folder / "harness-ng.airgap", "harness-ng", size=SIZE)
    write_docker_archive_application(folder / "harness-old.airgap", size=SIZE, release=OLD_RELEASE)
    write_module(folder / "platform_images.tgz", size=SIZE)
    (folder / "kots_linux_amd64.tar.gz").write_bytes(b"the plugin")
    (folder / "configvalues.yaml").write_bytes(b"hostname: harness.example\n")
    return folder


@pytest.fixture
def workplace(tmp_path: Path, samples: Path) -> Workplace:
    """A folder with the samples in it, to write specs and build bundles in."""
    shutil.copytree(samples, tmp_path / "downloads")
    return Workplace(tmp_path)
