"""A probe that is broken off, at each of its requests and in every way: nothing is left behind."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import ClassVar

import pytest

from mirror.probe import Probe
from tests.fakes.faulty import FOREVER, Action, Exchange, close_after, status
from tests.fakes.registry import FakeRegistry, RegistryApi, Stored, digest_of
from tests.transfer.registry.support import connect
from tests.transfer.registry.test_interrupted import CtrlC
from transfer.descriptor import OCI_MANIFEST
from transfer.errors import TransferError

CONFIG = "sha256:" + "1" * 64
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
REQUESTS = range(36)
"""More than a probe sends."""


class CredulousApi(RegistryApi):
    """Takes whatever comes under whatever digest it is told, and deletes it on demand."""

    def _put_blobs_uploads(self, repository: str, session: str) -> None:
        if self.path.endswith("=sha256%3Anone"):
            return super()._put_blobs_uploads(repository, session)
        self.read_body()
        self.held.open_uploads.discard(session)
        self.held.blobs[repository, self.path.rpartition("=")[2].replace("%3A", ":")] = b"?"
        return self.answer(201)

    def _put_manifests(self, repository: str, name: str) -> None:
        raw = self.read_body()
        stored = Stored(self.headers["Content-Type"], raw)
        self.held.manifests[repository, digest_of(raw)] = stored
        self.held.manifests[repository, name] = stored
        self.answer(201)

    def _delete_blobs(self, repository: str, digest: str) -> None:
        self.answer(202 if self.held.blobs.pop((repository, digest), None) else 404)

    def _delete_manifests(self, repository: str, name: str) -> None:
        self.answer(202 if self.held.manifests.pop((repository, name), None) else 404)


@dataclass(slots=True)
class Credulous(FakeRegistry):
    """The registry of it."""

    handler: ClassVar[type[Exchange]] = CredulousApi


@pytest.fixture(params=[FakeRegistry, Credulous])
def registry(request: pytest.FixtureRequest) -> Iterator[FakeRegistry]:
    """A registry with an image to look at, which is to stay as it is."""
    with request.param() as fake:
        fake.manifests["harness/there", CONFIG] = Stored(
            OCI_MANIFEST, b'{"config": {"digest": "%s"}}' % CONFIG.encode()
        )
        fake.tags["harness/there", "1"] = CONFIG
        fake.blobs["harness/there", CONFIG] = b"{}"
        yield fake


def contents(fake: FakeRegistry) -> tuple[object, ...]:
    return dict(fake.blobs), dict(fake.manifests), dict(fake.tags), set(fake.open_uploads)


def registry_does_nothing_else(fake: FakeRegistry) -> None:
    """Forget what it was told to do before."""
    fake._faults.clear()  # noqa: SLF001 - one registry for many probes


def at(fake: FakeRegistry, number: int, action: Action, *, spares: str = "") -> list[str]:
    """Do something at the request with this number; the methods of those that it was done to."""
    registry_does_nothing_else(fake)
    count, hit = itertools.count(), list[str]()

    def act(exchange: Exchange) -> bool:
        if exchange.path.startswith("/v2/_catalog"):
            exchange.answer(200, body=b'{"repositories": ["harness/there"]}')
            return True
        if next(count) != number or exchange.command == spares:
            return False
        hit.append(exchange.command)
        return action(exchange)

    for method in METHODS:
        fake.fail(method, "", FOREVER, act)
    return hit


def probe(fake: FakeRegistry) -> None:
    with connect(fake) as client:
        Probe(client, "harness/airgap-probe").run()


def serve_and_hang_up(exchange: Exchange) -> bool:
    """Do it, and lose the answer."""
    exchange.close_connection = True
    exchange.wfile = BytesIO()
    exchange.serve()
    return True


FAULTS: dict[str, Callable[[FakeRegistry], Action]] = {
    "broken": lambda _: status(500),
    "busy": lambda _: status(429),
    "hangs-up": lambda _: close_after(0),
    "denied": lambda _: status(401),
    "moved": lambda fake: status(307, {"Location": f"http://{fake.host}/v2/elsewhere"}),
    "moved-by-a-proxy": lambda _: status(302, {"Location": "http://127.0.0.1:9/login?next=/v2/"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_a_request_meets(registry: FakeRegistry, fault: str) -> None:
    before = contents(registry)
    for number in REQUESTS:
        hit = at(registry, number, FAULTS[fault](registry))
        try:
            probe(registry)
        except TransferError:
            assert number == 0, "what one question meets does not stop the others"
        assert contents(registry) == before, (number, hit)
    assert hit == [], "a request of each number was hit"


def test_an_answer_that_is_lost(registry: FakeRegistry) -> None:
    """But for that of a POST, which alone tells where an upload is."""
    before = contents(registry)
    for number in REQUESTS:
        at(registry, number, serve_and_hang_up, spares="POST")
        try:
            probe(registry)
        except TransferError:
            assert number == 0
        assert contents(registry) == before, number


def test_ctrl_c_at_each_request(registry: FakeRegistry) -> None:
    """Its answer comes, and tells what was begun, when nobody waits for it any more."""
    before = contents(registry)
    for number in REQUESTS:
        with CtrlC() as ctrl_c:

            def press(_: Exchange, ctrl_c: CtrlC = ctrl_c) -> bool:
                ctrl_c.press()
                return False

            hit = at(registry, number, press)
            try:
                probe(registry)
            except KeyboardInterrupt:
                assert hit
            else:
                assert not hit
        assert contents(registry) == before, (number, hit)
    assert hit == []
