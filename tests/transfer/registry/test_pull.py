from __future__ import annotations

import pytest

from tests.fakes.faulty import FOREVER, Exchange, close_after, header, status
from tests.fakes.registry import FakeRegistry, Stored
from tests.servers import Certificate
from tests.transfer import images
from tests.transfer.images import Tree
from tests.transfer.registry.support import connect, descriptor, noise
from transfer.descriptor import ACCEPTED_TYPES, Descriptor
from transfer.errors import (
    AccessDenied,
    DigestMismatch,
    IntegrityError,
    InvalidInput,
    NotFound,
    SizeMismatch,
    Unavailable,
)
from transfer.registry import Credentials, RegistryClient, RegistryRepository

pytest_plugins = ["tests.server_fixtures"]

CONTENT = noise(1_000_000)
KINDS = images.every_kind()


def hold(fake: FakeRegistry, tree: Tree, tag: str = "v1") -> str:
    """Put a tree into the fake; return its root's digest."""
    for digest, raw in tree.blobs.items():
        fake.blobs["a/b", str(digest)] = raw
    for digest, raw in tree.manifests.items():
        media_type = tree.root.media_type
        fake.manifests["a/b", str(digest)] = Stored(media_type, raw)
    fake.tags["a/b", tag] = str(tree.root.digest)
    return str(tree.root.digest)


@pytest.mark.parametrize("tree", KINDS.values(), ids=KINDS)
def test_a_tag_and_a_digest_resolve(
    fake: FakeRegistry, repository: RegistryRepository, tree: Tree
) -> None:
    digest = hold(fake, tree)
    assert repository.resolve("v1") == tree.root
    assert repository.resolve(digest) == tree.root
    assert [seen.method for seen in fake.requests] == ["HEAD", "HEAD"]


def test_every_kind_of_manifest_is_asked_for(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    hold(fake, KINDS["OCI image"])
    repository.resolve("v1")
    repository.get_manifest("v1")
    for seen in fake.requests:
        assert seen.headers["accept"] == ", ".join(ACCEPTED_TYPES)
        assert seen.headers["accept-encoding"] == "identity"


def test_what_is_not_there_resolves_to_nothing(repository: RegistryRepository) -> None:
    assert repository.resolve("v1") is None
    assert repository.resolve(str(descriptor(b"x").digest)) is None


@pytest.mark.parametrize("name", ["Docker-Content-Digest", "Content-Type"])
def test_a_registry_that_does_not_say_it_all_is_asked_for_the_content(
    fake: FakeRegistry, repository: RegistryRepository, name: str
) -> None:
    tree = KINDS["Docker index"]
    hold(fake, tree)
    fake.fail("HEAD", "manifests", 1, header(name, None))
    fake.fail("GET", "manifests", 1, header(name, None))
    assert repository.resolve("v1") == tree.root
    assert fake.count("GET") == 1


def test_where_head_does_not_say_it_all_it_is_not_asked_again(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    for path in ("a/b", "a/c"):
        assert client.repository(path).resolve("v1") is None
    tree = KINDS["OCI image"]
    hold(fake, tree)
    fake.requests.clear()
    fake.fail("HEAD", "manifests", FOREVER, header("Docker-Content-Digest", None))
    assert client.repository("a/b").resolve("v1") == tree.root
    assert client.repository("a/b").resolve("v1") == tree.root
    assert client.repository("a/c").resolve("v1") is None
    assert [seen.method for seen in fake.requests] == ["HEAD", "GET", "GET", "GET"]


def test_content_that_went_between_two_questions(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    hold(fake, KINDS["OCI image"])
    fake.fail("HEAD", "manifests", 1, header("Docker-Content-Digest", None))
    fake.fail("GET", "manifests", 1, status(404))
    assert repository.resolve("v1") is None


def test_what_cannot_be_carried_still_resolves(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    raw, media_type = b"{}", "application/vnd.docker.distribution.manifest.v1+prettyjws"
    digest = str(descriptor(raw).digest)
    fake.manifests["a/b", digest] = Stored(media_type, raw)
    fake.tags["a/b", "old"] = digest
    found = repository.resolve("old")
    assert found == Descriptor(media_type=media_type, digest=descriptor(raw).digest, size=2)


def test_another_digest_than_the_one_asked_for(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    digest = hold(fake, KINDS["OCI image"])
    other = str(descriptor(b"other").digest)
    fake.fail("HEAD", "manifests", 1, header("Docker-Content-Digest", other))
    with pytest.raises(DigestMismatch, match=f"says it is {other}, expected {digest}"):
        repository.resolve(digest)


@pytest.mark.parametrize("tree", KINDS.values(), ids=KINDS)
def test_a_manifest_keeps_its_bytes(
    fake: FakeRegistry, repository: RegistryRepository, tree: Tree
) -> None:
    digest = hold(fake, tree)
    for name in ("v1", digest):
        manifest = repository.get_manifest(name)
        assert manifest.raw == tree.manifests[tree.root.digest]
        assert manifest.descriptor == tree.root


@pytest.mark.parametrize("tagged", [True, False])
def test_a_changed_manifest_is_found_out(
    fake: FakeRegistry, repository: RegistryRepository, *, tagged: bool
) -> None:
    digest = hold(fake, KINDS["OCI image"])
    stored = fake.manifests["a/b", digest]
    fake.manifests["a/b", digest] = Stored(stored.media_type, stored.raw + b" ")
    with pytest.raises(DigestMismatch):
        repository.get_manifest("v1" if tagged else digest)


def test_a_manifest_that_is_not_there(repository: RegistryRepository) -> None:
    with pytest.raises(NotFound, match=r"a/b: manifest v1: answered 404"):
        repository.get_manifest("v1")


def test_a_manifest_that_is_too_large(fake: FakeRegistry, repository: RegistryRepository) -> None:
    fake.fail("GET", "manifests", 1, status(200, body=b" " * 5_000_000))
    with pytest.raises(IntegrityError, match="more than a manifest may have"):
        repository.get_manifest("v1")


def test_a_cut_manifest_is_asked_for_again(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    tree = KINDS["OCI index"]
    hold(fake, tree)
    fake.fail("GET", "manifests", 1, close_after(20))
    assert repository.get_manifest("v1").descriptor == tree.root
    assert fake.count("GET") == 2


def test_a_manifest_is_opened_like_a_blob(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    tree = KINDS["Docker image"]
    hold(fake, tree)
    with repository.open(tree.root) as stream:
        assert stream.read() == tree.manifests[tree.root.digest]
    (seen,) = fake.requests
    assert seen.path == f"/v2/a/b/manifests/{tree.root.digest}"
    assert seen.headers["accept"] == tree.root.media_type


@pytest.fixture
def blob(fake: FakeRegistry) -> Descriptor:
    found = descriptor(CONTENT)
    fake.blobs["a/b", str(found.digest)] = CONTENT
    return found


def read(repository: RegistryRepository, blob: Descriptor) -> bytes:
    with repository.open(blob) as stream:
        return b"".join(iter(lambda: stream.read(70_000), b""))


def test_a_blob_is_read(
    fake: FakeRegistry, repository: RegistryRepository, blob: Descriptor
) -> None:
    assert read(repository, blob) == CONTENT
    assert read(repository, blob) == CONTENT
    assert fake.connections == 1


def test_a_blob_that_is_not_there_is_known_when_it_is_opened(
    repository: RegistryRepository,
) -> None:
    missing = descriptor(b"missing")
    with (
        pytest.raises(NotFound, match=f"blob {missing.digest}: answered 404"),
        repository.open(missing),
    ):
        pytest.fail("was opened")


def test_a_broken_download_goes_on_where_it_stopped(
    fake: FakeRegistry, repository: RegistryRepository, blob: Descriptor
) -> None:
    fake.fail("GET", "/blobs/", 1, close_after(300_000))
    fake.fail("GET", "/blobs/", 1, status(503))
    assert read(repository, blob) == CONTENT
    ranges = [seen.headers.get("range") for seen in fake.requests]
    assert ranges == [None, "bytes=300000-", "bytes=300000-"]


def whole(exchange: Exchange) -> bool:
    """A registry that knows no ranges."""
    del exchange.headers["Range"]
    return False


def test_a_broken_download_where_there_are_no_ranges(
    fake: FakeRegistry, repository: RegistryRepository, blob: Descriptor
) -> None:
    fake.fail("GET", "/blobs/", 1, close_after(300_000))
    fake.fail("GET", "/blobs/", 1, whole)
    assert read(repository, blob) == CONTENT


def test_a_download_that_breaks_for_ever(
    fake: FakeRegistry, repository: RegistryRepository, blob: Descriptor
) -> None:
    fake.fail("GET", "/blobs/", FOREVER, close_after(0))
    with pytest.raises(Unavailable, match=r"in the middle of its answer \(tried 3 times\)"):
        read(repository, blob)


def test_a_redirect_is_followed_without_credentials(fake: FakeRegistry, blob: Descriptor) -> None:
    credentials = Credentials("ann", "secret")
    fake.authorization = credentials.basic()
    with FakeRegistry() as bucket, connect(fake, credentials=credentials) as client:
        client.ping()
        bucket.fail("GET", "/bucket", 1, status(200, body=CONTENT))
        to = status(307, {"Location": f"http://{bucket.host}/bucket/x?signature=1"})
        fake.fail("GET", "/blobs/", 1, to)
        assert read(client.repository("a/b"), blob) == CONTENT
        assert fake.requests[-1].authorized
        (seen,) = bucket.requests
        assert not seen.authorized
        assert seen.path == "/bucket/x?signature=1"


def test_a_redirect_on_the_same_host_keeps_the_credentials(
    fake: FakeRegistry, blob: Descriptor
) -> None:
    credentials = Credentials("ann", "secret")
    fake.authorization = credentials.basic()
    with connect(fake, credentials=credentials) as client:
        client.ping()
        location = f"/v2/a/b/blobs/{blob.digest}?moved"
        fake.fail("GET", "/blobs/", 1, status(302, {"Location": location}))
        assert read(client.repository("a/b"), blob) == CONTENT


def test_a_401_of_another_host_is_not_answered_with_our_credentials(fake: FakeRegistry) -> None:
    with FakeRegistry() as bucket:
        bucket.authorization = "Basic something else"
        to = status(307, {"Location": f"http://{bucket.host}/v2/a/b/blobs/x"})
        fake.fail("HEAD", "/blobs/", FOREVER, to)
        with (
            connect(fake, credentials=Credentials("ann", "secret")) as client,
            pytest.raises(AccessDenied, match="answered 401"),
        ):
            client.repository("a/b").has_blob(descriptor(CONTENT))
        assert [seen.authorized for seen in bucket.requests] == [False]


def test_redirects_in_a_circle(
    fake: FakeRegistry, repository: RegistryRepository, blob: Descriptor
) -> None:
    to = status(307, {"Location": f"/v2/a/b/blobs/{blob.digest}?signature=1"})
    fake.fail("GET", "/blobs/", FOREVER, to)
    with pytest.raises(InvalidInput, match=r"redirected 5 times, last to http.*[0-9a-f]$"):
        read(repository, blob)


def test_a_redirect_from_https_to_http_is_refused(tls: Certificate) -> None:
    with FakeRegistry(tls=tls) as fake, FakeRegistry() as plain, connect(fake) as client:
        fake.fail("GET", "manifests", 1, status(307, {"Location": f"http://{plain.host}/x"}))
        with pytest.raises(InvalidInput, match="from HTTPS to http://"):
            client.repository("a/b").get_manifest("v1")
        assert not plain.requests


def test_a_blob_is_there_or_not(
    fake: FakeRegistry, repository: RegistryRepository, blob: Descriptor
) -> None:
    assert repository.has_blob(blob)
    assert not repository.has_blob(descriptor(b"missing"))
    assert [seen.method for seen in fake.requests] == ["HEAD", "HEAD"]


def test_a_blob_of_another_size(
    fake: FakeRegistry, repository: RegistryRepository, blob: Descriptor
) -> None:
    fake.blobs["a/b", str(blob.digest)] = CONTENT[:-1]
    with pytest.raises(SizeMismatch, match="holds 999999 bytes, expected 1000000"):
        repository.has_blob(blob)


def test_a_registry_that_does_not_say_the_size(
    fake: FakeRegistry, repository: RegistryRepository, blob: Descriptor
) -> None:
    fake.fail("HEAD", "/blobs/", 1, header("Content-Length", None))
    assert repository.has_blob(blob)


def test_all_tags_page_by_page(fake: FakeRegistry, repository: RegistryRepository) -> None:
    fake.tags.update({("a/b", f"v{n:04}"): "sha256:0" for n in range(2500)})
    fake.tags["other", "x"] = "sha256:0"
    assert repository.tags() == [f"v{n:04}" for n in range(2500)]
    assert fake.count("GET", "tags/list") == 3


def test_a_repository_that_does_not_exist_has_no_tags(repository: RegistryRepository) -> None:
    assert repository.tags() == []


def test_a_repository_without_tags_may_say_null(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    fake.fail("GET", "tags", 1, status(200, body=b'{"name": "a/b", "tags": null}'))
    assert repository.tags() == []


def test_a_list_of_tags_that_never_ends(fake: FakeRegistry, repository: RegistryRepository) -> None:
    fake.tags["a/b", "v1"] = "sha256:0"
    link = '<http://{host}/v2/a/b/tags/list?n=1000>; rel="next"'
    fake.fail("GET", "tags", FOREVER, header("Link", link))
    assert set(repository.tags()) == {"v1"}


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"tags": 7}'])
def test_what_is_no_list_of_tags(
    fake: FakeRegistry, repository: RegistryRepository, body: bytes
) -> None:
    fake.fail("GET", "tags", 1, status(200, body=body))
    with pytest.raises(InvalidInput, match="not a list of tags"):
        repository.tags()
