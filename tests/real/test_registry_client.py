"""The registry client against Debian's docker-registry, and skopeo's view of the result."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.fakes.tokens import TokenServer, token_server
from tests.processes import free_port, run
from tests.servers import Certificate, Registry, docker_registry
from tests.tools import need
from tests.transfer import images
from tests.transfer.images import Tree
from tests.transfer.memory import MemoryStore
from tests.transfer.registry.support import AT_ONCE, Content, descriptor, noise
from transfer.copy import copy
from transfer.delivery import ImageCopy, Outcome
from transfer.descriptor import OCI_LAYER_GZIP, Descriptor
from transfer.digest import Digest, Readable, read_verified
from transfer.errors import AccessDenied, DigestMismatch, InvalidInput, Unavailable
from transfer.registry import Credentials, RegistryClient, RetryPolicy

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real

ANN = Credentials("ann", "secret-7")
KINDS = images.every_kind()


@pytest.fixture(params=["anonymous", "tls and htpasswd", "tls and token"])
def served(
    request: pytest.FixtureRequest, tmp_path: Path, tls: Certificate
) -> Iterator[tuple[Registry, Certificate | None]]:
    tokens: AbstractContextManager[TokenServer | None] = nullcontext()
    if request.param == "tls and token":
        tokens = token_server(tmp_path / "tokens", users={ANN.username: ANN.password})
    used = None if request.param == "anonymous" else tls
    htpasswd = (ANN.username, ANN.password) if "htpasswd" in request.param else None
    with (
        tokens as server,
        docker_registry(tmp_path / "r", tls=used, htpasswd=htpasswd, token=server) as registry,
    ):
        yield registry, used


def connect(
    registry: Registry,
    tls: Certificate | None = None,
    *,
    credentials: Credentials | None = None,
    retry: RetryPolicy = AT_ONCE,
) -> RegistryClient:
    return RegistryClient.connect(
        registry.host,
        plain_http=tls is None,
        ca_file=tls.ca if tls else None,
        credentials=credentials,
        retry=retry,
    )


def pulled(registry: Registry, tls: Certificate | None, reference: str, folder: Path) -> Path:
    """What skopeo makes of an image, with all its platforms, in a folder."""
    options = ["--all", f"--src-tls-verify={'true' if tls else 'false'}"]
    if tls:
        certificates = folder.parent / "certificates"
        certificates.mkdir(exist_ok=True)
        (certificates / "ca.crt").write_bytes(tls.ca.read_bytes())
        options += ["--src-cert-dir", str(certificates)]
        options += ["--src-creds", f"{ANN.username}:{ANN.password}"]
    source = f"docker://{registry.host}/{reference}"
    run([need("skopeo"), "--insecure-policy", "copy", *options, source, f"dir:{folder}"])
    return folder


def test_every_kind_of_image_goes_there_and_comes_back(
    served: tuple[Registry, Certificate | None], tmp_path: Path
) -> None:
    registry, tls = served
    with connect(registry, tls, credentials=ANN) as client:
        client.ping()
        wanted = [
            ImageCopy(root=tree.root, source=MemoryStore(tree), target=target, name="v1")
            for name, tree in KINDS.items()
            for target in [client.repository(f"harness/{name.lower().replace(' ', '-')}")]
        ]
        done = copy(wanted, jobs=2)
        done.raise_for_failures()
        assert done.blobs_mounted > 0
        for image, tree in zip(wanted, KINDS.values(), strict=True):
            assert image.target.resolve("v1") == tree.root
            read_back(client, image, tree)
        uploads = registry.count("PUT"), registry.count("POST")
        again = copy(wanted, jobs=2)
    assert {delivery.outcome for delivery in again.deliveries} == {Outcome.PRESENT}
    assert (registry.count("PUT"), registry.count("POST")) == uploads
    for name, tree in KINDS.items():
        if "nested" in name:
            continue  # skopeo does not follow an index in an index
        slug = name.lower().replace(" ", "-")
        folder = pulled(registry, tls, f"harness/{slug}:v1", tmp_path / slug)
        assert (folder / "manifest.json").read_bytes() == tree.manifests[tree.root.digest]


def read_back(client: RegistryClient, image: ImageCopy, tree: Tree) -> None:
    """Every manifest and blob, by its digest."""
    repository = client.repository(image.target.description.partition("/")[2])
    assert repository.tags() == ["v1"]
    for digest, raw in tree.manifests.items():
        assert repository.get_manifest(str(digest)).raw == raw
    for digest, raw in tree.blobs.items():
        blob = Descriptor(media_type=OCI_LAYER_GZIP, digest=digest, size=len(raw))
        assert repository.has_blob(blob)
        with repository.open(blob) as stream:
            assert read_verified(stream, digest, len(raw), "blob") == raw


def test_a_wrong_authority(tmp_path: Path, tls: Certificate, other_tls: Certificate) -> None:
    with (
        docker_registry(tmp_path / "r", tls=tls) as registry,
        connect(registry, other_tls) as client,
        pytest.raises(AccessDenied, match="certificate is not trusted"),
    ):
        client.ping()


def test_http_to_a_registry_that_has_https(tmp_path: Path, tls: Certificate) -> None:
    with (
        docker_registry(tmp_path / "r", tls=tls) as registry,
        connect(registry) as client,
        pytest.raises(InvalidInput) as caught,
    ):
        client.ping()
    assert "leave --plain-http" in (caught.value.hint or "")


@pytest.mark.parametrize("credentials", [None, Credentials("ann", "wrong")])
def test_a_registry_that_lets_nobody_in(
    tmp_path: Path, tls: Certificate, credentials: Credentials | None
) -> None:
    with (
        docker_registry(tmp_path / "r", tls=tls, htpasswd=("ann", "secret-7")) as registry,
        connect(registry, tls, credentials=credentials) as client,
        pytest.raises(AccessDenied, match="answered 401"),
    ):
        client.ping()


def test_who_may_pull_may_not_push(tmp_path: Path) -> None:
    content = Content(noise(1000))
    with (
        token_server(tmp_path / "t", anonymous=frozenset({"pull"})) as tokens,
        docker_registry(tmp_path / "r", token=tokens) as registry,
        connect(registry) as client,
    ):
        repository = client.repository("a/b")
        assert not repository.has_blob(content.blob)
        with pytest.raises(AccessDenied, match="answered 401") as caught:
            repository.push_blob(content.blob, content.open)
    assert f"no credentials for {registry.host}" in (caught.value.hint or "")
    assert content.opened == 0


def test_a_registry_that_is_read_only(tmp_path: Path) -> None:
    content = Content(noise(1000))
    with (
        docker_registry(tmp_path / "r", readonly=True) as registry,
        connect(registry) as client,
        pytest.raises(AccessDenied, match="answered 405") as caught,
    ):
        client.repository("a/b").push_blob(content.blob, content.open)
    assert "read-only" in (caught.value.hint or "")


def test_wrong_content_leaves_nothing_behind(registry: Registry) -> None:
    right = noise(3_000_000)
    content = Content(right[:-1] + b"?", promised=right)
    with connect(registry) as client:
        repository = client.repository("a/b")
        with pytest.raises(DigestMismatch, match="test content"):
            repository.push_blob(content.blob, content.open)
        assert not repository.has_blob(content.blob)
    assert not registry.blob(str(content.blob.digest)).exists()
    assert not registry.blob(str(descriptor(content.content).digest)).exists()


def test_a_registry_that_comes_back_is_found(tmp_path: Path) -> None:
    content, port = Content(noise(100_000)), free_port()
    with ExitStack() as stack:

        def start(_: float) -> None:
            stack.enter_context(docker_registry(tmp_path / "r", port=port))

        retry = RetryPolicy(attempts=2, sleep=start)
        client = stack.enter_context(
            RegistryClient.connect(f"127.0.0.1:{port}", plain_http=True, retry=retry)
        )
        client.repository("a").push_blob(content.blob, content.open)
        assert client.repository("a").has_blob(content.blob)


def test_a_registry_that_ends_in_the_middle(registry: Registry) -> None:
    content = noise(8_000_000)

    @contextmanager
    def fatal() -> Iterator[Readable]:
        with Content(content).open() as stream:

            class Killer:
                left = 4

                def read(self, size: int = -1, /) -> bytes:
                    self.left -= 1
                    if not self.left:
                        registry.process.kill()
                        registry.process.wait()
                    return stream.read(size)

            yield Killer()

    with (
        connect(registry) as client,
        pytest.raises(Unavailable, match=r"upload of blob .*\(tried 3 times\)"),
    ):
        client.repository("a").push_blob(descriptor(content), fatal)


class Endless:
    """Blocks made as they are read: nothing of them is kept."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._block = noise(1 << 18)

    def read(self, size: int = -1, /) -> bytes:
        count = min(size, self._left, len(self._block))
        self._left -= count
        return self._block[:count]


def test_memory_does_not_grow_with_the_blob(registry: Registry) -> None:
    size = 64 << 20
    blob = Descriptor(media_type=OCI_LAYER_GZIP, digest=_digest_of(Endless(size)), size=size)
    with connect(registry) as client:
        repository = client.repository("a")
        client.ping()  # what is made once is made now
        tracemalloc.start()
        try:
            repository.push_blob(blob, lambda: nullcontext(Endless(size)))
            with repository.open(blob) as stream:
                assert _digest_of(stream) == blob.digest
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert registry.blob(str(blob.digest)).stat().st_size == size
    assert peak < 8 << 20


def _digest_of(stream: Readable) -> Digest:
    found = hashlib.sha256()
    while block := stream.read(1 << 20):
        found.update(block)
    return Digest("sha256", found.hexdigest())
