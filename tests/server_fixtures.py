"""Fixtures over `tests.servers`, for modules with `pytest_plugins = ["tests.server_fixtures"]`.

No test imports this module itself: pytest does, and wants to be the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Certificate, Registry, certificate, docker_registry


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for localhost, the same for the whole run."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def other_tls(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Another one, of a CA that has nothing to do with the first."""
    return certificate(tmp_path_factory.mktemp("other-tls"))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty docker-registry that speaks plain HTTP and lets everybody in."""
    with docker_registry(tmp_path / "docker-registry") as server:
        yield server
