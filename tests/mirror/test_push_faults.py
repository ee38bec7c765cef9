"""Registries that refuse, break or lie, each with its exit code and message, without waiting.

The commonest of them stand in `tests.test_bad_input`, at the command line.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.faulty import FOREVER, Action, Exchange, close_after, forget, header, status
from tests.fakes.registry import FakeRegistry
from tests.mirror.supply import BASE, DESTINATIONS, half_named, make_bundle, mirror, push_at_once
from tests.transfer.memory import Watch
from transfer.console import describe
from transfer.delivery import Outcome
from transfer.digest import Digest
from transfer.errors import TransferError

SHARED = str(Digest.of(BASE.raw))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


@dataclass(frozen=True, slots=True)
class Row:
    """A registry's fault that lasts, and how a push ends."""

    name: str
    method: str
    pattern: str
    action: Action
    code: int
    message: str


@dataclass(slots=True)
class Lasting:
    """A fault that goes on until it is mended."""

    action: Action
    mended: bool = False

    def __call__(self, exchange: Exchange) -> bool:
        return not self.mended and self.action(exchange)


LASTING = [
    Row("403", "GET", r"^/v2/$", status(403), 6, "403"),
    Row("no-registry", "GET", r"^/v2/$", status(404), 3, "not a container registry"),
    Row("asked-403", "HEAD", "/manifests/", status(403), 6, "403 Forbidden"),
    Row("read-only", "POST", "/uploads/", status(405), 6, "405 Method Not Allowed"),
    Row("full", "PUT", "/uploads/", status(507), 9, "507"),
    Row("too-large", "PUT", "/uploads/", status(413), 9, "413"),
    Row("500-for-ever", "PUT", "/uploads/", status(500), 7, "500 Internal Server Error"),
    Row("503-for-ever", "POST", "/uploads/", status(503), 7, "tried 5 times"),
    Row("429-for-ever", "HEAD", "/blobs/", status(429, {"Retry-After": "1"}), 7, "429"),
    Row("closes", "PUT", "/uploads/", close_after(100), 7, "tried 5 times"),
    Row("forgets-manifests", "PUT", "/manifests/", forget, 4, "read back nothing"),
    Row(
        "changes-manifests",
        "PUT",
        "/manifests/",
        header("Docker-Content-Digest", f"sha256:{'0' * 64}"),
        4,
        "0000",
    ),
    Row("tag-is-locked", "PUT", "/manifests/79915|/manifests/1", status(409), 11, "409 Conflict"),
]


@pytest.mark.parametrize("row", LASTING, ids=lambda row: row.name)
def test_a_fault_that_lasts(bundle: Path, row: Row) -> None:
    with FakeRegistry() as registry:
        fault = Lasting(row.action)
        registry.fail(row.method, row.pattern, FOREVER, fault)
        with pytest.raises(TransferError) as caught:
            push_at_once(bundle, registry.host).copied.raise_for_failures()
        assert (caught.value.exit_code, row.message in describe(caught.value)) == (row.code, True)
        assert registry.host in describe(caught.value)
        assert "hint: " in describe(caught.value)
        assert half_named(registry) == []

        fault.mended = True
        pushed = push_at_once(bundle, registry.host)
        pushed.copied.raise_for_failures()
        assert half_named(registry) == []


PASSING = [
    Row("503-once", "HEAD", "/manifests/", status(503), 1, "503"),
    Row("500-at-the-end", "PUT", "/manifests/", status(500), 3, "500"),
    Row("busy-at-the-door", "GET", r"^/v2/$", status(503), 2, "503"),
]


@pytest.mark.parametrize("row", PASSING, ids=lambda row: row.name)
def test_a_fault_that_passes(bundle: Path, row: Row) -> None:
    said = Watch()
    with FakeRegistry() as registry:
        registry.fail(row.method, row.pattern, row.code, row.action)
        pushed = push_at_once(bundle, registry.host, jobs=1, said=said)
        pushed.copied.raise_for_failures()
        assert pushed.count(Outcome.COPIED) == len(DESTINATIONS)
        assert len(said.lines) == row.code
        assert all(row.message in line for line in said.lines)
        assert half_named(registry) == []


def test_one_image_fails_and_the_others_arrive(bundle: Path) -> None:
    with FakeRegistry() as registry:
        fault = Lasting(status(403))
        registry.fail("POST", "/harness/ui/", FOREVER, fault)
        ran = mirror("push", bundle, "--to", f"{registry.host}/harness", "--plain-http")
        assert ran.code == 11
        assert "4 images: 3 copied, 0 present, 1 failed" in ran.out
        assert "1 of 4 images were not delivered" in ran.err
        assert f"{registry.host}/harness/ui" in ran.err
        assert "run the same command" in ran.err
        fault.mended = True
        again = mirror("push", bundle, "--to", f"{registry.host}/harness", "--plain-http")
        assert again.code == 0
        assert "4 images: 1 copied, 3 present, 0 failed" in again.out


@pytest.mark.parametrize(("fails", "code"), [(True, 11), (False, 9)])
def test_a_receipt_that_cannot_be_written_hides_no_failure(
    bundle: Path, tmp_path: Path, *, fails: bool, code: int
) -> None:
    receipt = tmp_path / "receipt.json"

    def take_its_place(_: Exchange) -> bool:
        receipt.mkdir()
        return False

    with FakeRegistry() as registry:
        registry.fail("PUT", "/manager/manifests/79915", 1, take_its_place)
        if fails:
            registry.fail("PUT", "/mongo/manifests/", FOREVER, status(403))
        to = ("--to", f"{registry.host}/harness", "--plain-http")
        done = mirror("push", bundle, *to, "--receipt", receipt)
        assert done.code == code, done.err
        assert f"receipt {receipt}: " in done.err
        assert ("answered 403 Forbidden" in done.err) == fails
        receipt.rmdir()
        again = mirror("push", bundle, *to, "--receipt", receipt)
        assert (again.code, receipt.is_file()) == (11 if fails else 0, True)
