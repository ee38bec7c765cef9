"""A fake registry, and a client that does not wait between its attempts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.registry import FakeRegistry
from tests.transfer.registry.support import connect
from transfer.registry import RegistryClient, RegistryRepository


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def client(fake: FakeRegistry) -> Iterator[RegistryClient]:
    with connect(fake) as client:
        yield client


@pytest.fixture
def repository(client: RegistryClient) -> RegistryRepository:
    return client.repository("a/b")
