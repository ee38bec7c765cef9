"""One small archive of each form, made once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.sample_archives import Sample, write_all


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sample]:
    """The samples by their file names; not to be changed."""
    made = write_all(tmp_path_factory.mktemp("samples"), size=200_000)
    return {sample.path.name: sample for sample in made}


@pytest.fixture
def application(samples: Mapping[str, Sample]) -> Path:
    """An application's archive of format `docker`."""
    return samples["harness.airgap"].path


@pytest.fixture
def docker_archive(samples: Mapping[str, Sample]) -> Path:
    """An application's archive of format `docker-archive`."""
    return samples["harness-docker-archive.airgap"].path


@pytest.fixture
def module(samples: Mapping[str, Sample]) -> Path:
    """A docker-save archive of several images."""
    return samples["platform_images.tgz"].path
