"""What `airgap-mirror preflight` finds out about a registry, a real one and one that misbehaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.faulty import status
from tests.fakes.registry import FakeRegistry
from tests.mirror.preflight_world import PASSWORD, Carried, Place, carried
from tests.servers import Certificate

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory, tls: Certificate) -> Iterator[Carried]:
    with carried(tmp_path_factory.mktemp("crossed"), tls) as found:
        yield found


@pytest.fixture
def place(tmp_path: Path, crossed: Carried) -> Place:
    return Place(tmp_path, crossed)


def test_images_that_are_not_there(place: Place, tls: Certificate) -> None:
    place.site["registry"]["endpoint"] = f"{place.carried.registry.host}/elsewhere"
    found, endpoint = place.findings(code=12), place.site["registry"]["endpoint"]
    assert found["images"] == [f"fail {endpoint}: holds 0, 14 missing / 14 images"]
    assert found["pull"][0].startswith("pass ")  # what is not there may be read


def test_a_registry_that_hesitates_is_asked_again(place: Place) -> None:
    with FakeRegistry() as registry:
        for path in ("/mongo/blobs/uploads/", "/dex/blobs/uploads/"):
            registry.fail("POST", path, times=1, action=status(503))
        place.site["registry"] = {"endpoint": f"{registry.host}/harness", "plainHttp": True}
        (push,) = place.findings(code=12)["push"]  # its images were never pushed
    assert "14 of 14 repositories take an upload" in push
    assert registry.open_uploads == set()


def test_a_registry_whose_certificate_does_not_hold(place: Place, other_tls: Certificate) -> None:
    place.site["registry"]["caFile"] = str(other_tls.ca)
    found = place.findings(code=12)
    assert "certificate" in found["registry"][0]
    assert found["push"] == ["fail dc-north: not asked: the registry lets nobody in / "]


def test_each_user_has_a_password_of_its_own(place: Place) -> None:
    place.write("pull-password", "wrong")
    found = place.findings(code=12)
    assert found["push"][0].startswith("pass ")
    assert "401" in found["pull"][0]
    place.write("pull-password", PASSWORD)
    place.environment["REGISTRY_PASSWORD"] = "wrong"
    found = place.findings(code=12)
    assert "401" in found["registry"][0]
    assert found["pull"][0].startswith("pass ")
