"""Sources over everything that a vendor has on the network, here on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundler.sources.world import World
from tests.fakes.vendor import Vendor
from transfer.http.transport import Transport
from transfer.http.trust import load_trust


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """GitHub, the portal and their storage, with nothing in them."""
    with Vendor() as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, vendor: Vendor) -> Iterator[World]:
    """A spec's folder and environment, and the sources that a spec in it has."""
    transport = Transport(load_trust(), {})
    try:
        yield World(folder=tmp_path, vendor=vendor, transport=transport)
    finally:
        transport.close()
