"""A second reader of a registry, all the while: no tag it sees may name incomplete content."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.real.judges import repositories
from tests.servers import Registry

ACCEPT = ", ".join(
    f"application/vnd.{kind}"
    for kind in (
        "docker.distribution.manifest.v2+json",
        "docker.distribution.manifest.list.v2+json",
        "oci.image.manifest.v1+json",
        "oci.image.index.v1+json",
    )
)
_PAUSE = 0.05
"""Seconds between two looks: most tags come at the end, one soon after the other."""
_ALL = 100
"""One look in so many is at all tags again."""


class Away(Exception):
    """The registry does not answer just now."""


@dataclass(slots=True)
class Witness:
    """Looks at the tags of a registry again and again; its `faults` should stay empty."""

    registry: Registry
    faults: list[str] = field(default_factory=list)
    looks: int = 0
    """How often tags were listed."""
    seen: dict[str, int] = field(default_factory=dict)
    """The look at which each `repository:tag` was seen complete first."""

    def look(self, *, everywhere: bool = False) -> None:
        """List the tags, and see that what each names is there.

        Args:
            everywhere: Again where it was complete before, too.

        Raises:
            Away: the registry does not answer.
        """
        self.looks += 1
        for repository in self._tagged():
            if not everywhere and any(tag.startswith(f"{repository}:") for tag in self.seen):
                continue
            for tag in self._list(f"/v2/{repository}/tags/list", "tags"):
                if self._stands(repository, tag):
                    self._manifest(repository, tag, f"{repository}:{tag}")
                    self.seen.setdefault(f"{repository}:{tag}", self.looks)

    def _tagged(self) -> list[str]:
        """The repositories with a tag; to ask each of them often would be what all wait for."""
        place = repositories(self.registry)
        names = (path.relative_to(place) for path in place.glob("*/*"))
        return [str(name) for name in names if (place / name / "_manifests/tags").is_dir()]

    def _list(self, path: str, key: str) -> list[str]:
        status, raw = self._get("GET", path)
        return list(json.loads(raw)[key] or []) if status == http.HTTPStatus.OK else []

    def _stands(self, repository: str, tag: str) -> bool:
        """Whether a tag that is listed names something already, or still.

        docker-registry makes a tag's folder before it writes the digest into it.
        """
        status, raw = self._get("GET", f"/v2/{repository}/manifests/{tag}")
        return status == http.HTTPStatus.OK or b"evision" in raw

    def _manifest(self, repository: str, name: str, tag: str) -> None:
        status, raw = self._get("GET", f"/v2/{repository}/manifests/{name}")
        if status != http.HTTPStatus.OK:
            self.faults.append(f"{tag}: manifest {name} answers {status} {raw.decode()}")
            return
        if ":" in name and name != f"sha256:{sha256(raw).hexdigest()}":
            self.faults.append(f"{tag}: manifest {name} has other content")
        manifest: dict[str, Any] = json.loads(raw)
        for child in manifest.get("manifests", ()):
            self._manifest(repository, child["digest"], tag)
        for blob in (*manifest.get("layers", ()), *filter(None, [manifest.get("config")])):
            status, _ = self._get("HEAD", f"/v2/{repository}/blobs/{blob['digest']}")
            if status != http.HTTPStatus.OK:
                self.faults.append(f"{tag}: blob {blob['digest']} answers {status}")

    def _get(self, method: str, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.registry.host, timeout=30)
        try:
            connection.request(method, path, headers={"Accept": ACCEPT})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Away(str(error)) from error
        finally:
            connection.close()


@contextmanager
def watching(registry: Registry) -> Iterator[Witness]:
    """A witness that looks as long as the body runs, and once more after it."""
    witness, done = Witness(registry), threading.Event()

    def watch() -> None:
        while not done.wait(_PAUSE):
            try:
                witness.look(everywhere=witness.looks % _ALL == 0)
            except Away:
                continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield witness
    finally:
        done.set()
        thread.join()
    witness.look(everywhere=True)
