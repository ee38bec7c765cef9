"""Uploads to a registry that fails in every way, for a while or for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.fakes.faulty import FOREVER, Action, close_after, forget, header, status
from tests.fakes.registry import FakeRegistry
from tests.servers import Certificate
from tests.transfer import images
from tests.transfer.memory import MemoryStore
from tests.transfer.registry.support import Content, connect, descriptor, noise
from transfer.copy import copy
from transfer.delivery import ImageCopy, Outcome
from transfer.descriptor import Manifest
from transfer.digest import Readable
from transfer.errors import (
    AccessDenied,
    Conflict,
    IntegrityError,
    InvalidInput,
    NotFound,
    StorageError,
    TransferError,
    Unavailable,
)
from transfer.registry import Credentials, RegistryRepository, RetryPolicy

pytest_plugins = ["tests.server_fixtures"]

CONTENT = noise(3_000_000)
UPLOADS = r"/blobs/uploads/"
ANN = Credentials("ann", "secret")

PASSING: dict[str, tuple[str, Action]] = {
    "500 to the POST": ("POST", status(500)),
    "503 to the PUT": ("PUT", status(503)),
    "503 before the body was read": ("PUT", status(503, unread=True)),
    "429": ("PUT", status(429, {"Retry-After": "1"})),
    "closed at the first byte": ("PUT", close_after(0)),
    "closed in the middle": ("PUT", close_after(1_500_000)),
    "closed instead of an answer": ("PUT", close_after(len(CONTENT))),
    "no answer to the POST": ("POST", close_after(0)),
}


@pytest.mark.parametrize("resumes", [True, False], ids=["resumes", "forgets"])
@pytest.mark.parametrize(("method", "action"), PASSING.values(), ids=PASSING)
def test_what_passes_is_tried_again(
    fake: FakeRegistry,
    repository: RegistryRepository,
    method: str,
    action: Action,
    *,
    resumes: bool,
) -> None:
    fake.fail(method, UPLOADS, 2, action)
    if not resumes:
        fake.fail("GET", UPLOADS, FOREVER, status(404))
    content = Content(CONTENT)
    repository.push_blob(content.blob, content.open)
    assert fake.blobs["a/b", str(content.blob.digest)] == CONTENT
    assert fake.count("POST") == (1 if method == "PUT" and resumes else 3)
    assert content.opened == (3 if method == "PUT" else 1)
    assert not fake.open_uploads


@pytest.mark.parametrize(("method", "action"), PASSING.values(), ids=PASSING)
def test_what_does_not_pass_is_given_up(
    fake: FakeRegistry, repository: RegistryRepository, method: str, action: Action
) -> None:
    fake.fail(method, UPLOADS, FOREVER, action)
    content = Content(CONTENT)
    with pytest.raises(Unavailable, match=r"upload of blob sha256:.*\(tried 3 times\)$") as caught:
        repository.push_blob(content.blob, content.open)
    assert caught.value.hint
    assert fake.count(method) == 3
    assert not fake.blobs
    assert not fake.open_uploads


def test_retry_after_is_what_the_pause_takes(fake: FakeRegistry) -> None:
    slept: list[float] = []
    retry = RetryPolicy(sleep=slept.append, random=lambda: 0.0)
    fake.fail("PUT", UPLOADS, 2, status(429, {"Retry-After": "7"}))
    content = Content(CONTENT)
    with connect(fake, retry=retry) as client:
        client.repository("a/b").push_blob(content.blob, content.open)
    assert slept == [7.0, 7.0]


def test_an_answer_before_all_was_sent_is_no_success(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    fake.fail("PUT", UPLOADS, FOREVER, status(201, unread=True))
    content = Content(noise(32_000_000))
    with pytest.raises(Unavailable):
        repository.push_blob(content.blob, content.open)


LASTING: dict[int, type[TransferError]] = {
    400: InvalidInput,
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    405: AccessDenied,
    409: Conflict,
    413: StorageError,
    507: StorageError,
}


OTHERWISE = (405, 413)
"""Of a whole blob these may mean that it has to come in pieces."""


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(("code", "kind"), LASTING.items())
def test_what_will_not_pass_is_not_tried_again(
    fake: FakeRegistry,
    repository: RegistryRepository,
    method: str,
    code: int,
    kind: type[TransferError],
) -> None:
    fake.fail(method, UPLOADS, FOREVER, status(code, error=("WHY", "because")))
    content = Content(CONTENT)
    what = "repository a/b does not" if (method, code) == ("POST", 404) else "/a/b: upload of"
    with pytest.raises(kind, match=rf"{what} .*answered {code} .*WHY: because") as caught:
        repository.push_blob(content.blob, content.open)
    assert caught.value.hint
    # The same in pieces may pass: what ends them is the PUT again.
    assert fake.count(method) == (2 if method == "PUT" and code in OTHERWISE else 1)
    assert not fake.open_uploads


def test_no_message_holds_the_state_of_an_upload(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    content = Content(CONTENT)
    for action in (status(500), status(400), close_after(10)):
        fake.fail("PUT", UPLOADS, 3, action)
        with pytest.raises(TransferError) as caught:
            repository.push_blob(content.blob, content.open)
        error: BaseException | None = caught.value
        while error is not None:
            assert "_state" not in f"{error} {getattr(error, 'hint', '')}"
            error = error.__cause__


def test_what_fails_on_the_other_side_comes_out_as_itself(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    def torn() -> AbstractContextManager[Readable]:
        raise NotFound("the bundle has no such blob")

    with pytest.raises(NotFound, match="the bundle has no such blob"):
        repository.push_blob(descriptor(CONTENT), torn)
    assert not fake.open_uploads


class BadDisk:
    """Content on a disk that cannot be read."""

    def read(self, _size: int = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


def test_a_disk_that_fails_is_not_taken_for_the_registry(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    @contextmanager
    def on_bad_disk() -> Iterator[Readable]:
        yield BadDisk()

    with pytest.raises(StorageError, match="cannot be read: Input/output error"):
        repository.push_blob(descriptor(CONTENT), on_bad_disk)
    assert fake.count("PUT") == 1


def test_credentials_stay_here_when_the_location_is_elsewhere(fake: FakeRegistry) -> None:
    with FakeRegistry() as elsewhere:
        fake.authorization = ANN.basic()
        elsewhere.fail("PUT", "/bucket", 1, status(201))
        target = f"http://{elsewhere.host}/bucket/7?signature=x"
        fake.fail("POST", UPLOADS, 2, header("Location", target))
        content = Content(CONTENT)
        with connect(fake, credentials=ANN) as client:
            client.repository("a/b").push_blob(content.blob, content.open)
        assert [seen.authorized for seen in fake.requests] == [False, True]
        (put,) = elsewhere.requests
        assert not put.authorized
        assert put.path == f"/bucket/7?signature=x&digest=sha256%3A{content.blob.digest.encoded}"


def test_an_upload_is_not_led_from_https_to_http(tls: Certificate) -> None:
    with FakeRegistry(tls=tls) as fake, FakeRegistry() as plain:
        fake.fail("POST", UPLOADS, 1, header("Location", f"http://{plain.host}/v2/x?_state=1"))
        content = Content(CONTENT)
        with (
            connect(fake) as client,
            pytest.raises(InvalidInput, match=r"from HTTPS to http://[0-9.:]+/v2/x$") as caught,
        ):
            client.repository("a/b").push_blob(content.blob, content.open)
        assert "X-Forwarded-Proto" in (caught.value.hint or "")
        assert not plain.requests


def test_a_manifest_is_tried_again_whole(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    tree = images.image(images.layer("x"))
    manifest = Manifest.parse(tree.manifests[tree.root.digest])
    for digest, raw in tree.blobs.items():
        fake.blobs["a/b", str(digest)] = raw
    fake.fail("PUT", "manifests", 1, status(502))
    fake.fail("PUT", "manifests", 1, close_after(20))
    repository.push_manifest(manifest, "v1")
    assert fake.manifests["a/b", str(tree.root.digest)].raw == manifest.raw


def test_a_registry_that_forgets_is_found_out_by_copy(
    fake: FakeRegistry, repository: RegistryRepository
) -> None:
    tree = images.image(images.layer("x"), images.layer("y"))
    fake.fail("PUT", UPLOADS, 1, forget)
    image = ImageCopy(root=tree.root, source=MemoryStore(tree), target=repository, name="v1")
    (delivery,) = copy([image], jobs=1).deliveries
    assert isinstance(delivery.error, IntegrityError)
    assert "acknowledged blob" in delivery.error.message
    assert not fake.tags
    (again,) = copy([image], jobs=1).deliveries
    assert again.outcome is Outcome.COPIED
