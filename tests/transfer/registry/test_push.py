from __future__ import annotations

import io

import pytest

from tests.fakes.faulty import forget, header, status
from tests.fakes.registry import FakeRegistry
from tests.transfer import images
from tests.transfer.memory import MemoryStore
from tests.transfer.registry.support import Content, connect, descriptor, noise
from transfer.descriptor import Manifest
from transfer.errors import DigestMismatch, IntegrityError, InvalidInput, NotFound
from transfer.registry import RegistryClient, RegistryRepository
from transfer.registry.body import Upload

CONTENT = noise(700_000)
UPLOADS = r"/blobs/uploads/"


def held(fake: FakeRegistry, content: bytes) -> bool:
    return fake.blobs.get(("a/b", str(descriptor(content).digest))) == content


def test_a_blob_is_sent_once_and_whole(fake: FakeRegistry, repository: RegistryRepository) -> None:
    content = Content(CONTENT)
    repository.push_blob(content.blob, content.open)
    assert held(fake, CONTENT)
    assert [seen.method for seen in fake.requests] == ["POST", "PUT"]
    put = fake.requests[-1].headers
    assert put["content-length"] == "700000"
    assert put["content-type"] == "application/octet-stream"
    assert "transfer-encoding" not in put
    assert content.opened == 1


def test_a_blob_is_read_in_large_blocks(repository: RegistryRepository) -> None:
    content = Content(CONTENT)
    repository.push_blob(content.blob, content.open)
    assert max(content.reads) == 256 * 1024
    assert len(content.reads) <= 5  # three blocks, the check for trailing bytes, the end


def test_a_body_can_be_iterated() -> None:
    body = Upload(io.BytesIO(CONTENT), len(CONTENT), "test")
    assert b"".join(body) == CONTENT
    assert body.complete


def test_an_empty_blob(fake: FakeRegistry, repository: RegistryRepository) -> None:
    content = Content(b"")
    repository.push_blob(content.blob, content.open)
    assert held(fake, b"")
    assert fake.requests[-1].headers["content-length"] == "0"
    assert "transfer-encoding" not in fake.requests[-1].headers


def test_an_empty_blob_is_verified_too(fake: FakeRegistry, repository: RegistryRepository) -> None:
    content = Content(b"not empty", promised=b"")
    with pytest.raises(IntegrityError):
        repository.push_blob(content.blob, content.open)
    assert not fake.blobs


@pytest.mark.parametrize(
    "location",
    [
        "/v2/a/b/blobs/uploads/upload-1?_state=x%2By&z",
        "http://{host}/v2/a/b/blobs/uploads/upload-1",
        "upload-1",
    ],
)
def test_the_location_is_followed_as_it_is(
    fake: FakeRegistry, repository: RegistryRepository, location: str
) -> None:
    fake.fail("POST", UPLOADS, 1, header("Location", location))
    content = Content(CONTENT)
    repository.push_blob(content.blob, content.open)
    assert held(fake, CONTENT)
    path = fake.requests[-1].path
    assert path.startswith("/v2/a/b/blobs/uploads/upload-1?")
    assert path.endswith(f"digest=sha256%3A{content.blob.digest.encoded}")
    assert ("?_state=x%2By&z&digest=" in path) == ("_state" in location)


@pytest.mark.parametrize("location", [None, "", "ftp://{host}/x"])
def test_a_registry_that_does_not_say_where_to_send(
    fake: FakeRegistry, repository: RegistryRepository, location: str | None
) -> None:
    fake.fail("POST", UPLOADS, 1, header("Location", location))
    content = Content(CONTENT)
    with pytest.raises(InvalidInput, match="does not say where"):
        repository.push_blob(content.blob, content.open)
    assert content.opened == 0


def test_wrong_content_is_refused_before_its_end(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    content = Content(CONTENT, promised=CONTENT[:-1] + b"?")
    with pytest.raises(DigestMismatch, match="test content: expected"):
        repository.push_blob(content.blob, content.open)
    assert content.opened == 1
    assert fake.count("PUT") == 1
    assert not fake.blobs
    assert not fake.open_uploads


@pytest.mark.parametrize("wrong", [CONTENT[:-1], CONTENT + b"!"], ids=["short", "trailing"])
def test_content_of_the_wrong_size_is_refused(
    fake: FakeRegistry, repository: RegistryRepository, wrong: bytes
) -> None:
    content = Content(wrong, promised=CONTENT)
    with pytest.raises(IntegrityError, match="test content: "):
        repository.push_blob(content.blob, content.open)
    assert not fake.blobs


def test_a_registry_that_stored_another_digest(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    other = str(descriptor(b"other").digest)
    fake.fail("PUT", UPLOADS, 1, header("Docker-Content-Digest", other))
    content = Content(CONTENT)
    with pytest.raises(DigestMismatch, match=f"says it is {other}, expected {content.blob.digest}"):
        repository.push_blob(content.blob, content.open)
    assert fake.count("PUT") == 1


def test_a_registry_that_does_not_repeat_the_digest(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    fake.fail("PUT", UPLOADS, 1, header("Docker-Content-Digest", None))
    content = Content(CONTENT)
    repository.push_blob(content.blob, content.open)
    assert held(fake, CONTENT)


def test_a_blob_that_is_acknowledged_and_forgotten_is_not_there(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    fake.fail("PUT", UPLOADS, 1, forget)
    content = Content(CONTENT)
    repository.push_blob(content.blob, content.open)
    assert not repository.has_blob(content.blob)


def test_another_success_is_not_taken_for_created(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    fake.fail("PUT", UPLOADS, 1, status(202))
    content = Content(CONTENT)
    with pytest.raises(InvalidInput, match="answered 202 Accepted"):
        repository.push_blob(content.blob, content.open)


def test_a_blob_is_mounted_without_sending_it(
    fake: FakeRegistry, client: RegistryClient, repository: RegistryRepository
) -> None:
    content = Content(CONTENT)
    origin = client.repository("other/place")
    origin.push_blob(content.blob, content.open)
    assert repository.mount_blob(content.blob, origin)
    assert held(fake, CONTENT)
    assert fake.count("PUT") == 1


def test_a_registry_that_rather_wants_an_upload(
    fake: FakeRegistry, client: RegistryClient, repository: RegistryRepository
) -> None:
    content = Content(CONTENT)
    assert not repository.mount_blob(content.blob, client.repository("other/place"))
    repository.push_blob(content.blob, content.open)
    assert held(fake, CONTENT)
    assert [seen.method for seen in fake.requests] == ["POST", "PUT"], (
        "the upload it opened is used"
    )
    assert not fake.open_uploads


@pytest.mark.parametrize("code", [401, 403, 404, 405, 400])
def test_a_mount_that_is_refused_is_no_failure(
    fake: FakeRegistry, client: RegistryClient, repository: RegistryRepository, code: int
) -> None:
    fake.fail("POST", r"mount=", 1, status(code))
    assert not repository.mount_blob(descriptor(CONTENT), client.repository("other/place"))


def test_a_mount_under_another_digest_is_found_out(
    fake: FakeRegistry, client: RegistryClient, repository: RegistryRepository
) -> None:
    other = str(descriptor(b"other").digest)
    fake.fail("POST", r"mount=", 1, status(201, {"Docker-Content-Digest": other}))
    with pytest.raises(DigestMismatch):
        repository.mount_blob(descriptor(CONTENT), client.repository("other/place"))


def test_nothing_is_mounted_from_another_registry(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    with connect(fake) as other:
        assert not repository.mount_blob(descriptor(CONTENT), other.repository("a/c"))
    assert not repository.mount_blob(descriptor(CONTENT), MemoryStore())
    assert not fake.requests


def pushed(fake: FakeRegistry, repository: RegistryRepository, tree: images.Tree) -> Manifest:
    for digest, raw in tree.blobs.items():
        fake.blobs["a/b", str(digest)] = raw
    return Manifest.parse(tree.manifests[tree.root.digest])


@pytest.mark.parametrize("docker", [False, True], ids=["OCI", "Docker"])
@pytest.mark.parametrize("tagged", [False, True], ids=["digest", "tag"])
def test_a_manifest_arrives_byte_for_byte(
    fake: FakeRegistry, repository: RegistryRepository, *, docker: bool, tagged: bool
) -> None:
    tree = images.image(images.layer("x"), docker=docker)
    manifest = pushed(fake, repository, tree)
    digest = str(tree.root.digest)
    repository.push_manifest(manifest, "v1" if tagged else digest)
    stored = fake.manifests["a/b", digest]
    assert (stored.raw, stored.media_type) == (manifest.raw, tree.root.media_type)
    assert fake.tags == ({("a/b", "v1"): digest} if tagged else {})


def test_a_manifest_stored_under_another_digest(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    manifest = pushed(fake, repository, images.image(images.layer("x")))
    fake.fail("PUT", "manifests", 1, header("Docker-Content-Digest", str(descriptor(b"x").digest)))
    with pytest.raises(DigestMismatch):
        repository.push_manifest(manifest, "v1")


def test_a_manifest_whose_blobs_are_not_there(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    tree = images.image(images.layer("x"))
    manifest = Manifest.parse(tree.manifests[tree.root.digest])
    with pytest.raises(NotFound, match=r"manifest v1: answered 404 .*MANIFEST_BLOB_UNKNOWN"):
        repository.push_manifest(manifest, "v1")
    assert not fake.tags


def test_one_connection_serves_for_everything(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    tree = images.image(images.layer("x"), images.layer("y"))
    manifest = Manifest.parse(tree.manifests[tree.root.digest])
    for raw in tree.blobs.values():
        content = Content(raw)
        assert not repository.has_blob(descriptor(raw))
        repository.push_blob(content.blob, content.open)
    assert repository.resolve("v1") is None
    repository.push_manifest(manifest, "v1")
    assert repository.resolve("v1") == tree.root
    assert repository.tags() == ["v1"]
    assert fake.connections == 1


def test_a_repository_is_the_same_object_each_time(client: RegistryClient) -> None:
    assert client.repository("a/b") is client.repository("a/b")
    assert len({client.repository("a/b"), client.repository("a/c")}) == 2
    assert client.repository("a/b").description == f"{client.host}/a/b"
