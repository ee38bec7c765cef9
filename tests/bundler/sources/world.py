"""What the tests of sources stand on: sources to ask, and errors that hold no secret."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
import requests

from bundler.sources.asking import Asker
from bundler.sources.protocol import FileSource
from bundler.sources.sources import Sources
from bundler.spec.origin import Origin, PortalRelease, ReleaseAsset
from bundler.spec.values import Input, Portal, Secret
from tests.fakes.vendor import LICENSE_ID, PASSWORD, Vendor
from transfer.digest import Digest
from transfer.errors import TransferError
from transfer.http.retry import RetryPolicy
from transfer.http.transport import Transport
from transfer.progress import Silent

TOKEN = "ghp_secret-token"
SECRETS = (LICENSE_ID, PASSWORD, TOKEN, "secret-signature")
NOW = 1_795_000_000.0
"""In November 2026."""

_Error = TypeVar("_Error", bound=TransferError)


class Heard(Silent):
    """Remembers the lines that a person would see."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@dataclass(slots=True)
class World:
    """A spec's folder and environment; its fields may be changed before sources are made."""

    folder: Path
    vendor: Vendor
    transport: Transport
    environ: dict[str, str] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)
    pauses: list[float] = field(default_factory=list)
    """Seconds that a policy would have waited."""
    now: float = NOW
    portal: Portal = field(init=False)

    def __post_init__(self) -> None:
        """The vendor's own settings."""
        self.environ |= self.vendor.portal.environment
        self.environ["GITHUB_API_URL"] = f"http://{self.vendor.github.host}"
        self.portal = Portal(
            api=self.vendor.portal.api,
            license_id=Secret(variable="HARNESS_LICENSE_ID"),
            password=Secret(variable="HARNESS_PORTAL_PASSWORD"),
        )

    def sources(self) -> Sources:
        """The sources of a run; nothing really waits."""
        retry = RetryPolicy(attempts=3, sleep=self.pauses.append, random=lambda: 0.0)
        return Sources(
            Asker(self.transport, retry, self.heard),
            folder=self.folder,
            environ=self.environ,
            portal=self.portal,
            now=lambda: self.now,
        )

    def source(self, origin: Origin, sha256: Digest | None = None) -> FileSource:
        """The source of an entry in a run of its own."""
        return self.sources().source_for(wanted(origin, sha256))

    def asset(self, name: str, tag: str = "v1.131.4") -> ReleaseAsset:
        """A file of a release of KOTS."""
        repository = self.vendor.github.repository
        return ReleaseAsset(repository=repository, tag=tag, file_name=name)

    def download(self, source: FileSource) -> bytes:
        """The bytes, as anybody would fetch them who has nothing but the location."""
        location = source.locate()
        answer = requests.get(location.url, headers=dict(location.headers), timeout=60)
        answer.raise_for_status()
        return answer.content


def wanted(origin: Origin, sha256: Digest | None = None) -> Input:
    """An entry of a spec."""
    return Input(entry="files[0]", origin=origin, sha256=sha256)


def release(**which: object) -> PortalRelease:
    """A release of the application `harness` in the portal."""
    return PortalRelease(slug="harness", **which)  # type: ignore[arg-type]


def refused(kind: type[_Error], ask: Callable[[], object]) -> _Error:
    """The error of just this kind that `ask` ends with; nothing in it is secret."""
    with pytest.raises(kind) as caught:
        ask()
    assert type(caught.value) is kind
    told = "\n".join((*_texts(caught.value), *traceback.format_exception(caught.value)))
    for secret in SECRETS:
        assert secret not in told
    return caught.value


def _texts(error: TransferError) -> Iterator[str]:
    yield from (str(error), repr(error), error.hint or "")
    for fault in error.faults:
        yield from _texts(fault)
