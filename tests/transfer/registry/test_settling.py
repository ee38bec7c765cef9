"""Registries that need a moment for what they took, that lose it, or that never move a tag."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.faulty import FOREVER, Action, close_after, forget, status
from tests.fakes.registry import FakeRegistry
from tests.transfer import images
from tests.transfer.memory import MemoryStore
from tests.transfer.registry.support import Content, connect, descriptor, noise
from transfer.copy import copy
from transfer.delivery import ImageCopy, Outcome
from transfer.descriptor import Manifest
from transfer.errors import (
    AccessDenied,
    Conflict,
    IntegrityError,
    InvalidInput,
    NotFound,
    StorageError,
)
from transfer.registry import RegistryClient, RegistryRepository, RetryPolicy

TREE = images.image(images.layer("x"), images.layer("y"))
MANIFEST = Manifest.parse(TREE.manifests[TREE.root.digest])
CONTENT = noise(1000)
NOT_YET = 3


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(fake: FakeRegistry, slept: list[float]) -> Iterator[RegistryClient]:
    """One that only notes how long it would wait."""
    retry = RetryPolicy(attempts=3, sleep=slept.append, random=lambda: 0.0)
    with connect(fake, retry=retry) as client:
        yield client


def with_blobs(fake: FakeRegistry) -> None:
    for digest, raw in TREE.blobs.items():
        fake.blobs["a/b", str(digest)] = raw


def copied(repository: RegistryRepository) -> Outcome | str:
    """How a copy of the image ends."""
    image = ImageCopy(root=TREE.root, source=MemoryStore(TREE), target=repository, name="v1")
    (delivery,) = copy([image], jobs=1).deliveries
    return type(delivery.error).__name__ if delivery.error else delivery.outcome


def test_a_blob_that_shows_up_late_is_waited_for(
    fake: FakeRegistry, repository: RegistryRepository, slept: list[float]
) -> None:
    content = Content(CONTENT)
    repository.push_blob(content.blob, content.open)
    fake.fail("HEAD", "/blobs/", NOT_YET, status(404))
    assert repository.has_blob(content.blob)
    assert slept == [0.1, 0.3, 1.0]


def test_a_tag_that_shows_up_late_is_waited_for(
    fake: FakeRegistry, repository: RegistryRepository, slept: list[float]
) -> None:
    with_blobs(fake)
    repository.push_manifest(MANIFEST, "v1")
    fake.fail("GET", "/manifests/", NOT_YET, status(404))
    assert repository.resolve("v1") == TREE.root
    assert len(slept) == NOT_YET


def test_a_tag_that_is_moved_late_is_waited_for(
    fake: FakeRegistry, repository: RegistryRepository, slept: list[float]
) -> None:
    with_blobs(fake)
    old = images.image(images.layer("x"), author="old")
    for digest, raw in old.blobs.items():
        fake.blobs["a/b", str(digest)] = raw
    repository.push_manifest(Manifest.parse(old.manifests[old.root.digest]), "v1")

    def still_the_old(exchange: object) -> bool:
        fake.tags["a/b", "v1"] = str(old.root.digest if len(slept) < NOT_YET else TREE.root.digest)
        return exchange is None

    repository.push_manifest(MANIFEST, "v1")
    fake.fail("GET", "/manifests/v1", FOREVER, still_the_old)
    assert repository.resolve("v1") == TREE.root
    assert len(slept) == NOT_YET


def test_a_manifest_that_comes_too_early_for_the_registry_is_sent_again(
    fake: FakeRegistry, repository: RegistryRepository, slept: list[float]
) -> None:
    fake.fail("PUT", "/manifests/", NOT_YET, status(404, error=("MANIFEST_BLOB_UNKNOWN", "?")))
    assert copied(repository) is Outcome.COPIED
    assert len(slept) == NOT_YET


def test_what_was_never_acknowledged_is_not_waited_for(
    repository: RegistryRepository, slept: list[float]
) -> None:
    assert not repository.has_blob(descriptor(CONTENT))
    assert repository.resolve("v1") is None
    assert slept == []


def test_what_does_not_show_up_is_lost_and_the_next_is_not_waited_for(
    fake: FakeRegistry, repository: RegistryRepository, slept: list[float]
) -> None:
    fake.fail("PUT", "/blobs/", FOREVER, forget)
    assert copied(repository) == IntegrityError.__name__
    waited = len(slept)
    assert waited == 5
    assert copied(repository) == IntegrityError.__name__
    assert len(slept) == waited


def test_a_registry_that_loses_what_is_below_a_manifest_is_told_so(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    fake.fail("PUT", "/manifests/", FOREVER, status(404, error=("MANIFEST_BLOB_UNKNOWN", "?")))
    with pytest.raises(NotFound, match="MANIFEST_BLOB_UNKNOWN") as caught:
        repository.push_manifest(MANIFEST, "v1")
    assert "does not know blobs that it acknowledged" in (caught.value.hint or "")


OF_ECR = (
    "The image tag 'v1' already exists in the 'a/b' repository and cannot be overwritten because "
    "the repository is immutable."
)
IMMUTABLE = {
    "409": status(409),
    "Harbor": status(412, error=("PRECONDITION", "'a/b:v1' configured as immutable")),
    "ECR": status(400, error=("TAG_INVALID", OF_ECR)),
    "Hub": status(403, error=("DENIED", "tag v1 is immutable")),
}


@pytest.mark.parametrize("action", IMMUTABLE.values(), ids=IMMUTABLE)
def test_a_tag_that_must_not_be_moved(
    fake: FakeRegistry, repository: RegistryRepository, action: Action
) -> None:
    with_blobs(fake)
    fake.fail("PUT", "/manifests/v1", FOREVER, action)
    with pytest.raises(Conflict) as caught:
        repository.push_manifest(MANIFEST, "v1")
    assert "forbids to change this tag" in (caught.value.hint or "")


@pytest.mark.parametrize("action", IMMUTABLE.values(), ids=IMMUTABLE)
def test_a_tag_that_must_not_be_moved_and_is_right_already(
    fake: FakeRegistry, repository: RegistryRepository, action: Action
) -> None:
    """The first PUT arrived, its answer did not, and the second is refused."""
    with_blobs(fake)
    repository.push_manifest(MANIFEST, "v1")
    fake.fail("PUT", "/manifests/v1", 1, close_after(FOREVER))
    fake.fail("PUT", "/manifests/v1", FOREVER, action)
    repository.push_manifest(MANIFEST, "v1")


def test_what_stands_at_an_immutable_tag_already_is_not_written_again(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    assert copied(repository) is Outcome.COPIED
    fake.fail("PUT", "", FOREVER, status(409))
    assert copied(repository) is Outcome.PRESENT


OF_HARBOR = (
    "adding 29.0 MiB of storage resource, which when updated to current usage of 152.4 MiB will "
    "exceed the configured upper limit of 10.0 MiB."
)
QUOTAS = {
    "Harbor": status(403, error=("DENIED", OF_HARBOR)),
    "Harbor 1": status(412, error=("PRECONDITION", "Quota exceeded when processing the request")),
    "Quay": status(403, error=("DENIED", "Quota has been exceeded on namespace")),
    "507": status(507),
}


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("action", QUOTAS.values(), ids=QUOTAS)
def test_a_quota_that_is_used_up(
    fake: FakeRegistry, repository: RegistryRepository, method: str, action: Action
) -> None:
    fake.fail(method, "/uploads/", FOREVER, action)
    content = Content(CONTENT)
    with pytest.raises(StorageError) as caught:
        repository.push_blob(content.blob, content.open)
    assert "quota" in (caught.value.hint or "")
    assert fake.count(method, "/uploads/") == 1
    assert not fake.open_uploads


PROHIBITED = "The system is in read only mode. Any modification is prohibited."
READ_ONLY = {
    "docker-registry": status(405, error=("UNSUPPORTED", "The operation is unsupported.")),
    "Harbor": status(403, error=("DENIED", PROHIBITED)),
}


@pytest.mark.parametrize("action", READ_ONLY.values(), ids=READ_ONLY)
def test_a_registry_that_is_read_only(
    fake: FakeRegistry, repository: RegistryRepository, action: Action
) -> None:
    fake.fail("POST", "/uploads/", FOREVER, action)
    content = Content(CONTENT)
    with pytest.raises(AccessDenied) as caught:
        repository.push_blob(content.blob, content.open)
    assert "read-only or in maintenance" in (caught.value.hint or "")


@pytest.mark.parametrize("code", [400, 415])
def test_a_type_of_manifest_that_is_not_taken_is_named(
    fake: FakeRegistry, repository: RegistryRepository, code: int
) -> None:
    with_blobs(fake)
    fake.fail("PUT", "/manifests/", 1, status(code, error=("MANIFEST_INVALID", "unknown type")))
    with pytest.raises(InvalidInput, match=r"its type is \S+manifest\.v1\+json$") as caught:
        repository.push_manifest(MANIFEST, "v1")
    assert "probe lists those it takes" in (caught.value.hint or "")
