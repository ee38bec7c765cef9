"""Each habit on the page about registries: a scripted registry that has it, and how a push ends.

`tests.transfer.registry` shows the same habits closer by.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mirror.target import RegistryAccess
from tests.fakes.faulty import FOREVER, Action, Exchange, forget, header, rewrite, status
from tests.fakes.owners import FakeHarbor
from tests.fakes.registry import FakeRegistry, keep
from tests.fakes.tokens import token_server
from tests.mirror.supply import half_named, make_bundle, push_at_once
from tests.transfer.images import image, index, layer
from transfer.console import describe
from transfer.errors import TransferError
from transfer.habits import Habits
from transfer.registry import Credentials

PAGE = (Path(__file__).parents[2] / "docs/registries.md").read_text(encoding="utf-8")
MIB = 1024 * 1024
ANN = Credentials("ann", "secret-7")
LARGE = layer(hashlib.shake_128(b"large").hexdigest(3 * MIB))  # that much, compressed
IMAGES = {
    "docker.io/harness/manager:79915": image(LARGE, layer("manager")),
    "docker.io/harness/ui:79915": index(image(LARGE, layer("ui"), docker=True), docker=True),
}
UPLOADS = r"/blobs/uploads/"
MANY = ("GET", "HEAD", "POST", "PUT", "PATCH")

Script = Callable[[FakeRegistry], AbstractContextManager[None] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A habit, a registry that has it, and how a push ends there."""

    habit: str
    script: Script
    code: int = 0
    """The exit code; 0 where the push delivers everything."""
    said: str = ""
    """What the error says, as a pattern."""
    access: RegistryAccess = field(default_factory=lambda: RegistryAccess(plain_http=True))
    harbor: bool = False


def fails(method: str, pattern: str, action: Action, times: int = FOREVER) -> Script:
    """The registry does this to such requests."""
    return lambda registry: registry.fail(method, pattern, times, action)


def all_of(*scripts: Script) -> Script:
    def script(registry: FakeRegistry) -> None:
        for one in scripts:
            one(registry)

    return script


def larger_than(limit: int, action: Action) -> Action:
    """For bodies of more bytes only."""

    def act(exchange: Exchange) -> bool:
        return int(exchange.headers.get("Content-Length") or 0) > limit and action(exchange)

    return act


def too_small(exchange: Exchange) -> bool:
    """Take no piece below 2 MiB, except one that is the last."""
    start, _, end = exchange.headers["Content-Range"].partition("-")
    is_last = int(end) + 1 == len(LARGE.raw) or int(end) < MIB
    return int(end) - int(start) + 1 < 2 * MIB and not is_last and status(416)(exchange)


def without_host(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}"


def one_host_more(registry: FakeRegistry) -> Iterator[None]:
    """Uploads go on at a storage of its own, which must not hear of passwords."""
    registry.authorization = ANN.basic()

    def store(exchange: Exchange) -> bool:
        path, _, query = exchange.path.partition("?")
        digest = query.rpartition("digest=")[2].replace("%3A", ":")
        registry.blobs[path.split("/v2/")[1].split("/blobs/")[0], digest] = exchange.read_body()
        registry.open_uploads.discard(path.rpartition("/")[2])
        exchange.answer(201)
        return True

    with FakeRegistry() as storage:
        storage.fail("PUT", UPLOADS, FOREVER, store)
        elsewhere = rewrite("Location", lambda told: told.replace(registry.host, storage.host))
        registry.fail("POST", UPLOADS, FOREVER, elsewhere)
        yield
        assert storage.requests
        assert not any(seen.authorized for seen in storage.requests)


def ending_tokens(folder: Path) -> Script:
    """Tokens that are good for no body: the registry asks for another one after each."""

    @contextmanager
    def script(registry: FakeRegistry) -> Iterator[None]:
        with token_server(folder, users={"ann": "secret-7"}) as tokens:
            asked = {"WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="s"'}
            registry.fail("GET", "^/v2/$", 1, status(401, asked))
            registry.fail("PUT", UPLOADS, 2, status(401, asked))
            yield
            assert len(tokens.issued) > 3

    return script


def settles_late() -> Action:
    """What was stored shows up at the third question."""
    asked = Counter[str]()

    def act(exchange: Exchange) -> bool:
        registry = exchange.server.owner
        assert isinstance(registry, FakeRegistry)
        path, _, digest = exchange.path.removeprefix("/v2/").rpartition("/blobs/")
        if (path, digest) not in registry.blobs:
            return False
        asked[exchange.path] += 1
        return asked[exchange.path] < 3 and status(404)(exchange)

    return act


def speak_http_1_0(exchange: Exchange) -> bool:
    """A connection for each request, and no body of unknown length."""
    exchange.protocol_version = "HTTP/1.0"
    exchange.close_connection = True
    return "Transfer-Encoding" in exchange.headers and status(411)(exchange)


def open_instead(exchange: Exchange) -> bool:
    """Open an upload, whatever there is to mount."""
    exchange.path = exchange.path.partition("?")[0]
    return False


OWNER = RegistryAccess(plain_http=True, credentials=ANN, create_missing=True)
IN_PIECES = RegistryAccess(plain_http=True, habits=Habits(whole=False))
LOGIN = RegistryAccess(plain_http=True, credentials=ANN)
OVER = "usage of 9 GiB will exceed the configured upper limit of 8 GiB"
CASES = (
    Case(
        habit="project-first",
        script=lambda _: None,
        harbor=True,
        code=5,
        said="project harness does not exist, and a push does not create it",
    ),
    Case(habit="project-first", script=lambda _: None, harbor=True, access=OWNER),
    Case(
        habit="repository-first",
        script=fails("POST", UPLOADS, status(404, error=("NAME_UNKNOWN", "no such repository"))),
        code=5,
        said="repository harness/(ui|manager) does not exist",
    ),
    *(
        Case(habit="mount-refused", script=fails("POST", "mount=", status(code)))
        for code in (401, 404, 405)
    ),
    Case(
        habit="mount-refused",  # by an upload instead
        script=fails("POST", "mount=", open_instead),
    ),
    Case(
        habit="tags-immutable",
        script=fails("PUT", "/manifests/79915", status(412, error=("PRECONDITION", "immutable"))),
        code=8,
        said="forbids to change this tag",
    ),
    Case(habit="whole-refused", script=fails("PUT", UPLOADS, larger_than(0, status(405)))),
    Case(habit="chunks-refused", script=fails("PATCH", UPLOADS, status(501)), access=IN_PIECES),
    Case(
        habit="chunk-minimum",
        script=all_of(
            fails("POST", UPLOADS, header("OCI-Chunk-Min-Length", str(2 * MIB))),
            fails("PATCH", UPLOADS, too_small),
        ),
        access=IN_PIECES,
    ),
    Case(
        habit="body-limit",
        script=all_of(
            *(fails(method, UPLOADS, larger_than(MIB, status(413))) for method in ("PUT", "PATCH"))
        ),
    ),
    Case(
        habit="layer-maximum",
        script=all_of(*(fails(method, UPLOADS, status(413)) for method in ("PUT", "PATCH"))),
        code=9,
        said=r"answered 413 .*; the blob has \d+ bytes",
    ),
    Case(
        habit="location-relative",
        script=fails("POST", UPLOADS, rewrite("Location", without_host)),
    ),
    Case(habit="location-elsewhere", script=contextmanager(one_host_more), access=LOGIN),
    *(
        Case(habit="head-incomplete", script=fails("HEAD", "", header(name, None)))
        for name in ("Content-Length", "Docker-Content-Digest")
    ),
    Case(
        habit="types-refused",
        script=fails("PUT", "/manifests/", status(415)),
        code=3,
        said=r"answered 415 .*; its type is application/vnd",
    ),
    Case(
        habit="rate-limit",
        script=all_of(
            *(fails(method, "", status(429, {"Retry-After": "7"}), 2) for method in MANY)
        ),
    ),
    Case(habit="token-expires", script=lambda _: None, access=LOGIN),
    Case(
        habit="http-1.0",
        script=all_of(*(fails(method, "", speak_http_1_0) for method in MANY)),
    ),
    Case(
        habit="blob-lost",
        script=fails("PUT", UPLOADS, forget),
        code=4,
        said="acknowledged blob sha256:[0-9a-f]+ but does not have it",
    ),
    Case(
        habit="quota-exceeded",
        script=fails("PUT", UPLOADS, status(403, error=("DENIED", OVER))),
        code=9,
        said="raise its quota",
    ),
    Case(
        habit="settles-late",
        script=fails("HEAD", "/blobs/", settles_late()),
    ),
    Case(
        habit="read-only",
        script=fails("POST", UPLOADS, status(405)),
        code=6,
        said="read-only or in maintenance",
    ),
    Case(habit="upload-broken", script=fails("PUT", UPLOADS, larger_than(MIB, keep(MIB)))),
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle", IMAGES, {}).path


def named(case: Case) -> str:
    return f"{case.habit}-{CASES.index(case)}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_push_to_a_registry_with_a_habit(case: Case, bundle: Path, tmp_path: Path) -> None:
    script = ending_tokens(tmp_path) if case.habit == "token-expires" else case.script
    with FakeHarbor(owner=ANN.basic()) if case.harbor else FakeRegistry() as registry:
        running = script(registry)
        if running is None:
            ends(case, bundle, registry)
        else:
            with running:
                ends(case, bundle, registry)
        assert half_named(registry) == []


def ends(case: Case, bundle: Path, registry: FakeRegistry) -> None:
    """A push ends as the case says; once more, it finds everything there."""
    if case.code:
        with pytest.raises(TransferError) as caught:
            push_at_once(bundle, registry.host, access=case.access).copied.raise_for_failures()
        told = describe(caught.value)
        assert (caught.value.exit_code, bool(re.search(case.said, told))) == (case.code, True), told
        assert "hint: " in told
        assert "secret-7" not in told
        return
    push_at_once(bundle, registry.host, access=case.access).copied.raise_for_failures()
    assert {repository for repository, _ in registry.tags} == {"harness/manager", "harness/ui"}
    assert not registry.open_uploads


def test_the_page_has_a_row_for_each_habit() -> None:
    section = PAGE.partition("\n## Habits\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z0-9.-]+)` \|(?: [^|]+ \|){3}$", section, re.MULTILINE)
    assert rows == list(dict.fromkeys(case.habit for case in CASES))
