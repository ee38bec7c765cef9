"""Bundles made for a test, the command line run in this process, and what registries hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from mirror.cli import main
from mirror.push import Pushed, push
from mirror.target import RegistryAccess, open_destinations
from tests.fakes.registry import FakeRegistry
from tests.servers import Registry
from tests.transfer.bundles import fill
from tests.transfer.images import Tree, image, index, layer
from transfer.bundle import Bundle, BundleWriter
from transfer.contents import (
    ArchiveFormat,
    ArchiveKind,
    ArchiveRecord,
    Contents,
    ImageRecord,
    ReleaseRecord,
)
from transfer.descriptor import Manifest
from transfer.digest import Digest
from transfer.progress import SILENT, Progress
from transfer.registry import RetryPolicy
from transfer.relocate import relocate
from transfer.sources import images_of, open_sources

BASE = layer("base", size=50_000)
MANAGER = image(BASE, layer("manager"))
UI = index(
    image(BASE, layer("ui"), docker=True),
    image(layer("ui arm64"), docker=True, author="arm"),
    docker=True,
)
MONGO = image(layer("mongo"))
SMTP = image(BASE, layer("smtp"))
APPLICATION = {
    "docker.io/harness/manager:79915": MANAGER,
    "quay.io/harness/ui:79915": UI,
    f"docker.io/library/mongo@{MONGO.root.digest}": MONGO,
}
MODULE = {"harness/smtp:1": SMTP}
DESTINATIONS = {
    "manager:79915": MANAGER,
    "ui:79915": UI,
    f"mongo@{MONGO.root.digest}": MONGO,
    "harness/smtp:1": SMTP,
}
"""Below the endpoint."""


def make_bundle(
    path: Path,
    application: Mapping[str, Tree] = APPLICATION,
    module: Mapping[str, Tree] = MODULE,
) -> Bundle:
    """A bundle with one application's archive, and one module's."""
    archives = (
        _archive("app.airgap", ArchiveKind.APPLICATION, application),
        _archive("module_images.tgz", ArchiveKind.IMAGES, module),
    )
    contents = Contents(name="harness", version="2026.11", archives=archives)
    with BundleWriter.create(path) as writer:
        fill(writer, {**application, **module})
        return writer.finish(contents)


def _archive(name: str, kind: ArchiveKind, images: Mapping[str, Tree]) -> ArchiveRecord:
    return ArchiveRecord(
        kind=kind,
        file_name=name,
        size=1,
        digest=Digest.of(name.encode()),
        format=ArchiveFormat.DOCKER,
        release=ReleaseRecord(app_slug="harness", version_label="79915"),
        slim=None,
        compressor=None,
        images=tuple(ImageRecord(name=n, root=tree.root) for n, tree in images.items()),
    )


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """What it wrote to stdout."""
        return json.loads(self.out)


def mirror(*words: str | Path, stdin: str = "", env: Mapping[str, str] | None = None) -> Ran:
    """Run `airgap-mirror` in this process."""
    ran = CliRunner().invoke(main, list(map(str, words)), input=stdin, env=dict(env or {}))
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return Ran(ran.exit_code, ran.stdout, ran.stderr)


def writes(registry: Registry, since: int = 0) -> list[str]:
    """The requests that changed something, or tried to."""
    return [
        f"{request.method} {request.path}"
        for request in registry.requests()[since:]
        if request.method not in {"GET", "HEAD"}
    ]


def held(registry: Registry, path: str) -> dict[str, str]:
    """Tags of a repository and the digests they stand for, read from a real registry's disk."""
    tags = registry.storage / "docker/registry/v2/repositories" / path / "_manifests/tags"
    if not tags.is_dir():
        return {}
    return {tag.name: (tag / "current/link").read_text() for tag in tags.iterdir()}


def complete(registry: Registry, digest: Digest) -> bool:
    """Whether a manifest and everything below it is on a real registry's disk."""
    file = registry.blob(str(digest))
    if not file.exists():
        return False
    value = json.loads(file.read_bytes())
    below = [*value.get("manifests", [])]
    blobs = [value["config"], *value["layers"]] if "config" in value else []
    return all(complete(registry, Digest.parse(child["digest"])) for child in below) and all(
        registry.blob(blob["digest"]).exists()
        and registry.blob(blob["digest"]).stat().st_size == blob["size"]
        for blob in blobs
    )


def push_at_once(
    bundle: Path,
    host: str,
    *,
    jobs: int = 2,
    said: Progress = SILENT,
    access: RegistryAccess | None = None,
) -> Pushed:
    """Push as the command does, except that pauses before retries take no time."""
    access = access or RegistryAccess(plain_http=True)
    access = replace(access, retry=RetryPolicy(sleep=lambda _: None))
    with (
        open_destinations(f"{host}/harness", access, writing=True, progress=said) as destinations,
        open_sources([bundle]) as sources,
    ):
        plan = relocate(images_of(sources), destinations.endpoint)
        return push(
            sources, plan, destinations, jobs=jobs, clock=lambda: datetime.now(UTC), progress=said
        )


def half_named(registry: FakeRegistry) -> list[str]:
    """Every tag of a registry in memory whose content is not all there."""
    return [
        f"{repository}:{tag}"
        for (repository, tag), digest in list(registry.tags.items())
        if not _whole(registry, repository, digest)
    ]


def _whole(registry: FakeRegistry, repository: str, digest: str) -> bool:
    stored = registry.manifests.get((repository, digest))
    if stored is None:
        return False
    manifest = Manifest.parse(stored.raw)
    return all((repository, str(blob.digest)) in registry.blobs for blob in manifest.blobs) and all(
        _whole(registry, repository, str(child.digest)) for child in manifest.manifests
    )
