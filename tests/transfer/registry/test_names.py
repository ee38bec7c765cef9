"""Names that change, or cannot be read, while a push is under way: none is moved unasked."""

from __future__ import annotations

import pytest

from tests.fakes.faulty import FOREVER, Action, Exchange, status
from tests.fakes.registry import FakeRegistry, Stored, digest_of
from tests.transfer.images import Tree, image, index, layer
from tests.transfer.memory import MemoryStore, Watch
from tests.transfer.registry.support import AT_ONCE, connect
from transfer.copy import copy
from transfer.delivery import Delivery, ImageCopy, Outcome
from transfer.descriptor import OCI_MANIFEST
from transfer.errors import Conflict, IntegrityError, Unavailable
from transfer.registry import RegistryClient

TREE = index(image(layer("wanted", size=3000)))
OTHER = b'{"schemaVersion": 2, "layers": []}'
TAG = "/manifests/1$"
QUESTIONS = 2 * AT_ONCE.attempts
"""Requests until a name is given up: HEAD and GET in each attempt."""


@pytest.fixture
def held(fake: FakeRegistry) -> str:
    """The digest that a name of the registry stands for, which is not ours."""
    take_name(fake)
    return fake.tags["a/b", "1"]


def take_name(fake: FakeRegistry) -> None:
    """What another push does."""
    fake.manifests["a/b", digest_of(OTHER)] = Stored(OCI_MANIFEST, OTHER)
    fake.tags["a/b", "1"] = digest_of(OTHER)


def push(
    client: RegistryClient, *, overwrite: bool = False, tree: Tree = TREE, said: Watch | None = None
) -> Delivery:
    wanted = ImageCopy(
        root=tree.root, source=MemoryStore(tree), target=client.repository("a/b"), name="1"
    )
    done = copy([wanted], jobs=2, overwrite=overwrite, progress=said or Watch())
    return done.deliveries[0]


def failing(fake: FakeRegistry, action: Action, times: int) -> None:
    for method in ("HEAD", "GET"):
        fake.fail(method, TAG, times, action)


def test_a_name_that_could_not_be_read_for_a_while_is_not_moved(
    fake: FakeRegistry, client: RegistryClient, held: str
) -> None:
    failing(fake, status(500), AT_ONCE.attempts)
    failed = push(client)
    assert isinstance(failed.error, Conflict), failed
    assert failed.error.message.endswith(f"a/b:1: holds {held} by now, expected {TREE.root.digest}")
    assert "--overwrite" in (failed.error.hint or "")
    assert fake.tags == {("a/b", "1"): held}
    assert push(client, overwrite=True).outcome is Outcome.COPIED


def test_a_name_that_cannot_be_read_at_all_is_written_and_that_is_said(
    fake: FakeRegistry, client: RegistryClient, held: str
) -> None:
    failing(fake, status(500), 2 * AT_ONCE.attempts)
    said = Watch()
    assert push(client, said=said).outcome is Outcome.COPIED
    assert said.lines == [
        f"{fake.host}/a/b:1: cannot be read, each time it is asked for; it is written anew"
    ]
    assert fake.tags["a/b", "1"] == str(TREE.root.digest) != held


@pytest.mark.parametrize("code", [502, 503, 429])
def test_a_name_whose_registry_is_away_is_not_written(
    fake: FakeRegistry, client: RegistryClient, held: str, code: int
) -> None:
    failing(fake, status(code), AT_ONCE.attempts)
    assert isinstance(push(client).error, Unavailable)
    assert fake.tags == {("a/b", "1"): held}


def test_a_name_that_somebody_else_takes_meanwhile_is_not_moved(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    def meanwhile(_: Exchange) -> bool:
        take_name(fake)
        return False

    fake.fail("PUT", "/blobs/uploads/", 1, meanwhile)
    failed = push(client)
    assert isinstance(failed.error, Conflict), failed
    assert fake.tags == {("a/b", "1"): digest_of(OTHER)}


def test_a_name_that_somebody_else_gives_to_the_same_image_is_right(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    def meanwhile(_: Exchange) -> bool:
        with connect(fake) as other:
            assert push(other).outcome is Outcome.COPIED
        return False

    fake.fail("PUT", "/blobs/uploads/", 1, meanwhile)
    assert push(client).outcome is Outcome.COPIED
    assert fake.tags == {("a/b", "1"): str(TREE.root.digest)}


def test_a_name_that_is_moved_right_after_it_was_written_is_found_out(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    def afterwards(exchange: Exchange) -> bool:
        exchange.serve()
        take_name(fake)
        return True

    fake.fail("PUT", TAG, 1, afterwards)
    failed = push(client)
    assert isinstance(failed.error, IntegrityError), failed
    assert f"read back {digest_of(OTHER)}" in failed.error.message


def answers(digest: str, raw: bytes) -> Action:
    """Answer to a question for a manifest with bytes that nobody sent."""

    def act(exchange: Exchange) -> bool:
        exchange.answer(200, {"Docker-Content-Digest": digest, "Content-Type": OCI_MANIFEST}, raw)
        return True

    return act


@pytest.mark.parametrize("honest", [True, False], ids=["and-says-so", "and-does-not-say-so"])
@pytest.mark.parametrize("pattern", [TAG, "/manifests/sha256:"])
def test_a_registry_that_keeps_other_bytes_than_it_was_sent(
    fake: FakeRegistry, client: RegistryClient, pattern: str, *, honest: bool
) -> None:
    child = next(iter(TREE.manifests.keys() - {TREE.root.digest}))
    sent = TREE.root.digest if pattern == TAG else child
    told = digest_of(OTHER) if honest else str(sent)

    def afterwards(exchange: Exchange) -> bool:
        for method in ("HEAD", "GET"):
            fake.fail(method, pattern, FOREVER, answers(told, OTHER))
        exchange.serve()
        return True

    fake.fail("PUT", pattern, 1, afterwards)
    failed = push(client)
    assert isinstance(failed.error, IntegrityError), failed
    assert bool(fake.tags) == (pattern == TAG), "a child that is wrong keeps its parent away"
