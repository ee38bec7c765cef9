"""`kill -9` and Ctrl-C at chosen moments of a push, and the same command once more.

That the middle of a blob is such a moment is shown by `tests.test_bad_input`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.faulty import FOREVER, Exchange
from tests.fakes.registry import FakeRegistry
from tests.mirror.supply import DESTINATIONS, half_named, make_bundle, mirror
from tests.processes import PATIENCE

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


@dataclass(slots=True)
class Moment:
    """One request at which the registry stands still, until it is let go."""

    number: int = 0
    """So many requests of the kind pass first."""
    afterwards: bool = False
    """Stand still when the request was served, before the client hears of it."""
    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    _seen: int = 0

    def __call__(self, exchange: Exchange) -> bool:
        self._seen += 1
        if self._seen != self.number + 1:
            return False
        if self.afterwards:
            answer = exchange.answer
            exchange.answer = lambda *args: (self._stand(), answer(*args))  # type: ignore[method-assign,func-returns-value,assignment]
            return False
        self._stand()
        return False

    def _stand(self) -> None:
        self.reached.set()
        self.over.wait(PATIENCE)


@contextmanager
def pushing(bundle: Path, registry: FakeRegistry) -> Iterator[subprocess.Popen[str]]:
    """A push as its user starts it; a shell that runs us may have made us deaf to Ctrl-C."""
    target = ["--to", f"{registry.host}/harness", "--plain-http", "--jobs", "1"]
    process = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "mirror", "push", bundle, *target],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


MOMENTS: dict[str, tuple[str, str, Callable[[], Moment]]] = {
    "first-question": ("GET", "^/v2/$", Moment),
    "before-any-blob": ("POST", "/uploads/", Moment),
    "third-upload": ("POST", "/uploads/", lambda: Moment(2)),
    "blob-stored-unheard": ("PUT", "/uploads/", lambda: Moment(1, afterwards=True)),
    "mounting": ("POST", "mount=", Moment),
    "child-manifest": ("PUT", "/ui/manifests/sha256", lambda: Moment(1)),
    "child-stored-unheard": ("PUT", "/ui/manifests/sha256", lambda: Moment(afterwards=True)),
    "asking-once-more": ("HEAD", "/smtp/manifests/1$", lambda: Moment(1)),
    "before-the-tag": ("PUT", "/ui/manifests/79915", Moment),
    "tag-stored-unheard": ("PUT", "/manager/manifests/79915", lambda: Moment(afterwards=True)),
    "reading-back": ("GET", "/smtp/manifests/1$", Moment),
}


@pytest.mark.parametrize(("method", "pattern", "make"), MOMENTS.values(), ids=MOMENTS)
def test_killed_and_continued(
    bundle: Path, method: str, pattern: str, make: Callable[[], Moment]
) -> None:
    with FakeRegistry() as registry:
        moment = make()
        registry.fail(method, pattern, FOREVER, moment)
        with pushing(bundle, registry) as process:
            assert moment.reached.wait(PATIENCE)
            assert half_named(registry) == []
            process.kill()
            process.wait()
        moment.over.set()
        continues(bundle, registry)


def continues(bundle: Path, registry: FakeRegistry) -> None:
    """The same command sends what is missing and nothing else, and ends with everything."""
    assert half_named(registry) == []
    before, asked = set(registry.blobs), len(registry.requests)
    again = mirror("push", bundle, "--to", f"{registry.host}/harness", "--plain-http")
    assert again.code == 0, again.err
    sent_twice = {
        (repository, digest)
        for request in registry.requests[asked:]
        for repository, digest in before
        if request.method == "PUT" and f"/{repository}/blobs/" in request.path
        if digest.replace(":", "%3A") in request.path or digest in request.path
    }
    assert sent_twice == set()
    assert half_named(registry) == []
    tags = {f"{path.removeprefix('harness/')}:{tag}" for path, tag in registry.tags}
    assert tags == {name for name in DESTINATIONS if "@" not in name}
    assert mirror("audit", bundle, "--to", f"{registry.host}/harness", "--plain-http").code == 0


def test_ctrl_c_before_a_tag_ends_at_once_and_continues(bundle: Path) -> None:
    with FakeRegistry() as registry:
        moment = Moment()
        registry.fail("PUT", "/ui/manifests/79915", FOREVER, moment)
        with pushing(bundle, registry) as process:
            assert moment.reached.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=PATIENCE)  # the registry still stands still
            assert process.returncode == 130
            assert "interrupted; run the same command again to continue" in said
            assert "Traceback" not in said
        moment.over.set()
        continues(bundle, registry)
