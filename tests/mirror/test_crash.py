"""What a registry's crash leaves half written is told by an audit, and mended by a push.

docker-registry makes a file and then writes it: where it was ended between the two, it answers
500 to whoever asks for that thing, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mirror.audit import Audit, Finding, audit
from mirror.push import Pushed, push
from mirror.target import Destinations, RegistryAccess, open_destinations
from tests.fakes.faulty import FOREVER, status
from tests.fakes.registry import FakeRegistry
from tests.mirror.supply import DESTINATIONS, MANAGER, UI, make_bundle
from tests.servers import Registry
from transfer.delivery import Outcome
from transfer.descriptor import Manifest
from transfer.errors import Unavailable
from transfer.registry import RetryPolicy
from transfer.relocate import RelocationPlan, relocate
from transfer.sources import OpenSource, images_of, open_sources

pytest_plugins = ["tests.server_fixtures"]

LAYER = Manifest.parse(MANAGER.manifests[MANAGER.root.digest]).blobs[1]
CHILD = Manifest.parse(UI.manifests[UI.root.digest]).manifests[1]
LEFT = {
    "tag": "manager/_manifests/tags/79915/current/link",
    "layer": f"manager/_layers/sha256/{LAYER.digest.encoded}/link",
    "revision": f"manager/_manifests/revisions/sha256/{MANAGER.root.digest.encoded}/link",
    "child": f"ui/_manifests/revisions/sha256/{CHILD.digest.encoded}/link",
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


@contextmanager
def opened(
    bundle: Path, host: str
) -> Iterator[tuple[tuple[OpenSource, ...], RelocationPlan, Destinations]]:
    retry = RetryPolicy(attempts=2, sleep=lambda _: None)
    access = RegistryAccess(plain_http=True, retry=retry)
    with (
        open_destinations(f"{host}/harness", access, writing=True) as destinations,
        open_sources([bundle]) as sources,
    ):
        yield sources, relocate(images_of(sources), destinations.endpoint), destinations


def audited(bundle: Path, host: str) -> Audit:
    with opened(bundle, host) as (_, plan, destinations):
        return audit(plan, destinations, jobs=2)


def pushed(bundle: Path, host: str, *, repair: bool = False) -> Pushed:
    with opened(bundle, host) as (sources, plan, destinations):
        now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
        return push(sources, plan, destinations, jobs=2, clock=now, repair=repair)


@pytest.mark.real
@pytest.mark.parametrize("what", LEFT)
def test_what_a_crash_left_is_told_and_mended(bundle: Path, registry: Registry, what: str) -> None:
    pushed(bundle, registry.host)
    (registry.storage / "docker/registry/v2/repositories/harness" / LEFT[what]).write_bytes(b"")
    found = audited(bundle, registry.host)
    assert found.count(Finding.HELD) == len(DESTINATIONS) - 1
    (fault,) = found.faults()
    assert "answered 500 Internal Server Error" in fault.message
    assert "(tried 2 times)" in fault.message
    mended = pushed(bundle, registry.host, repair=True)
    assert mended.count(Outcome.FAILED) == 0, mended.copied
    assert audited(bundle, registry.host).count(Finding.HELD) == len(DESTINATIONS)


@pytest.mark.real
def test_a_name_that_a_crash_left_is_written_without_being_asked_for(
    bundle: Path, registry: Registry
) -> None:
    pushed(bundle, registry.host)
    (registry.storage / "docker/registry/v2/repositories/harness" / LEFT["tag"]).write_bytes(b"")
    assert pushed(bundle, registry.host).count(Outcome.COPIED) == 1
    assert audited(bundle, registry.host).count(Finding.HELD) == len(DESTINATIONS)


def test_a_registry_that_fails_at_everything_is_down(bundle: Path) -> None:
    with FakeRegistry() as fake:
        for method in ("HEAD", "GET", "POST"):
            fake.fail(method, "/harness/", FOREVER, status(500))
        done = pushed(bundle, fake.host)
        assert done.count(Outcome.FAILED) == len(DESTINATIONS)
        errors = [delivery.error for delivery in done.copied.deliveries]
        assert any(isinstance(error, Unavailable) for error in errors)
        assert not fake.blobs
        told = [fault.message for fault in audited(bundle, fake.host).faults()]
        assert len(told) == len(DESTINATIONS)
        assert all("answered 500" in message for message in told)


def test_a_name_that_only_a_question_without_content_fails_at_is_read(bundle: Path) -> None:
    with FakeRegistry() as fake:
        pushed(bundle, fake.host)
        before = dict(fake.tags)
        fake.fail("HEAD", "/manifests/", FOREVER, status(500))
        again = pushed(bundle, fake.host)
        assert again.count(Outcome.PRESENT) == len(DESTINATIONS)
    assert fake.tags == before
