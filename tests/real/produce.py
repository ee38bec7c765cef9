"""The vendor's archives, made from real files in the way the vendor makes them.

KOTS's release copies each image with `skopeo copy --all` into a real registry, under its bare
base name; the registry's storage folder becomes `images/`, `airgap.yaml` is put beside it and
`tar -- *` packs both (KOTS: Makefile, scripts/create-airgap-file.go). The older format, one
docker-save tar for each image, is written by skopeo too.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from tests.processes import run
from tests.real.layers import MB, Layout
from tests.servers import docker_registry
from tests.tools import need

ENOUGH = 300 * MB
"""Compressed bytes of images that the archives hold at least."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image to make: the vendor's reference, what it is made of, its manifest's format."""

    name: str
    layers: tuple[str, ...]
    format: str = "v2s2"
    arm64: tuple[str, ...] = ()
    """Makes it an index over two platforms."""


LAYERS = {
    "console": 12 * MB,
    "kotsadm": 8 * MB,
    "migrations": 4 * MB,
    "dex": 6 * MB,
    "rqlite": 6 * MB,
    "minio": 6 * MB,
    "delegate": 30 * MB,
    "base": 70 * MB,
    "java": 130 * MB,
    "manager": 120 * MB,
    "ng-manager": 120 * MB,
    "pipeline": 110 * MB,
    "ingress": 100 * MB,
    "ingress-arm64": 90 * MB,
    "mongo": 110 * MB,
}

ADMIN_CONSOLE = (
    Wanted("kotsadm/kotsadm:v1.131.4", ("console", "kotsadm"), "oci"),
    Wanted("kotsadm/kotsadm-migrations:v1.131.4", ("console", "migrations"), "oci"),
    Wanted("kotsadm/dex:2.44.0", ("console", "dex"), "oci", arm64=("console", "dex")),
    Wanted("kotsadm/rqlite:10.2.7", ("rqlite",)),
    Wanted("replicated/local-volume-provider:0.6.15", ("console",)),
    Wanted("kotsadm/minio:RELEASE.2025-10-15T17-29-55Z", ("minio",), arm64=("console", "minio")),
)

FIRST_GEN = (
    Wanted("docker.io/harness/manager-signed:79915", ("base", "java", "manager")),
    Wanted("harness/ng-manager-signed:1.28.0", ("base", "java", "ng-manager"), "oci"),
    Wanted("quay.io/harness/pipeline-service-signed:1.60.2", ("base", "pipeline")),
    Wanted(
        "registry.k8s.io/ingress-nginx/controller:v1.11.2",
        ("base", "ingress"),
        "oci",
        arm64=("ingress-arm64",),
    ),
    Wanted("docker.io/bitnami/mongodb@", ("base", "mongo"), "oci"),
)

NEXT_GEN = (
    Wanted("docker.io/harness/ng-auth-ui-signed:1.22.1", ("base", "java")),
    Wanted("quay.io/harness/gateway-signed:2000284", ("base", "mongo")),
)

MODULE = Wanted("docker.io/harness/delegate:26.10.87100", ("console", "delegate"))


@dataclass(frozen=True, slots=True)
class Image:
    """One image of an archive."""

    name: str
    """As `savedImages` has it."""
    raw: Path | None = None
    """The bytes of its manifest in the first registry; none in the older format."""
    whole_path: bool = False
    """Helm charts of modules pull it by all of its path."""

    @property
    def destination(self) -> str:
        """Where it belongs below the registry's namespace; KOTS keeps the last component only."""
        _host, _, path = self.name.partition("/")
        return path if self.whole_path else path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Archive:
    """One of the vendor's files."""

    path: Path
    slug: str
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """What the vendor hands out."""

    admin_console: Archive
    first_gen: Archive
    """Format `docker`."""
    next_gen: Archive
    """Format `docker-archive`."""
    module: Archive
    """What `docker save` writes, packed."""

    @property
    def archives(self) -> tuple[Archive, ...]:
        """All of them, in the order of a spec."""
        return (self.admin_console, self.first_gen, self.next_gen, self.module)

    def save(self, file: Path) -> None:
        """Write down what was produced, for another process of the same test run."""
        value = [
            {
                "path": str(archive.path),
                "slug": archive.slug,
                "images": [
                    [image.name, str(image.raw or ""), image.whole_path] for image in archive.images
                ],
            }
            for archive in self.archives
        ]
        file.write_text(json.dumps(value))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote."""
        return cls(
            *(
                Archive(
                    Path(value["path"]),
                    value["slug"],
                    tuple(
                        Image(name, Path(raw) if raw else None, whole_path)
                        for name, raw, whole_path in value["images"]
                    ),
                )
                for value in json.loads(file.read_text())
            )
        )


def produce(folder: Path) -> Release:
    """Make the archives in `folder`."""
    work = folder / "work"
    work.mkdir(parents=True)
    layout = Layout(work / "layout", LAYERS)
    release = Release(
        admin_console=docker_format(
            folder / "kotsadm.tar.gz", "", layout, ADMIN_CONSOLE, compressor="gzip -1"
        ),
        first_gen=docker_format(folder / "harness-79915.airgap", "harness", layout, FIRST_GEN),
        next_gen=docker_archive_format(
            folder / "harness-ng-412.airgap", "harness-ng", layout, NEXT_GEN
        ),
        module=docker_save(folder / "delegate_images.tgz", layout, MODULE),
    )
    blobs = sum(blob.stat().st_size for blob in (layout.folder / "blobs/sha256").iterdir())
    assert blobs >= ENOUGH, f"only {blobs} bytes of images"
    shutil.rmtree(work)
    return release


def docker_format(
    path: Path,
    slug: str,
    layout: Layout,
    images: Sequence[Wanted],
    *,
    compressor: str = "pigz -1",
) -> Archive:
    """An archive whose `images/` is the storage folder of a registry."""
    with packed(path, compressor) as tree:
        made: list[Image] = []
        raws = path.parent / f"{path.name}.raw"
        raws.mkdir()
        with docker_registry(tree.parent / "first-registry") as registry:
            for number, wanted in enumerate(images):
                source, name = _source(layout, wanted)
                there = f"docker://{registry.host}/{name.rpartition('/')[2]}"
                source = f"oci:{layout.folder}:{source}"
                skopeo("copy", "--all", "--format", wanted.format, *_PLAIN, source, there)
                raw = raws / str(number)
                raw.write_text(skopeo("inspect", "--raw", "--tls-verify=false", there))
                made.append(Image(name, raw))
        registry.storage.rename(tree / "images")
        run(["find", tree / "images", "-type", "d", "-empty", "-delete"])
        _describe(tree, slug, "docker", [image.name for image in made])
    return Archive(path, slug, tuple(made))


def docker_archive_format(
    path: Path,
    slug: str,
    layout: Layout,
    images: Sequence[Wanted],
    *,
    compressor: str = "pigz -1",
) -> Archive:
    """An archive with one docker-save tar for each image."""
    with packed(path, compressor) as tree:
        for wanted in images:
            target = tree / "images/docker-archive" / wanted.name.replace(":", "/")
            target.parent.mkdir(parents=True)
            source = f"oci:{layout.folder}:{layout.stack(wanted.layers)}"
            skopeo("copy", source, f"docker-archive:{target}:{wanted.name}")
        _describe(tree, slug, "docker-archive", [wanted.name for wanted in images])
    return Archive(path, slug, tuple(Image(wanted.name) for wanted in images))


def docker_save(path: Path, layout: Layout, wanted: Wanted) -> Archive:
    """A docker-save tar and nothing around it, as modules are handed out."""
    tar = path.with_suffix("")
    source = f"oci:{layout.folder}:{layout.stack(wanted.layers)}"
    skopeo("copy", source, f"docker-archive:{tar}:{wanted.name}")
    run([need("pigz"), "-1", "-S", ".tgz", tar])
    return Archive(path, "", (Image(wanted.name, whole_path=True),))


@contextmanager
def packed(path: Path, compressor: str) -> Iterator[Path]:
    """A folder to fill; afterwards its content is the archive `path`, and the folder is gone."""
    work = path.parent / f"{path.name}.work"
    tree = work / "tree"
    tree.mkdir(parents=True)
    yield tree
    # The shell's order, as in KOTS's release: airgap.yaml, app.tar.gz, images.
    names = sorted(entry.name for entry in tree.iterdir())
    run(["tar", f"--use-compress-program={compressor}", "-cf", path, "-C", tree, "--", *names])
    shutil.rmtree(work)


def skopeo(*arguments: str | Path) -> str:
    """Run skopeo, which must succeed."""
    return run([need("skopeo"), "--insecure-policy", *arguments])


_PLAIN = ("--dest-tls-verify=false",)


def _source(layout: Layout, wanted: Wanted) -> tuple[str, str]:
    """The image's tag in the layout, and its name, completed where it is pinned by digest."""
    if wanted.arm64:
        return layout.index({"amd64": wanted.layers, "arm64": wanted.arm64}), wanted.name
    tag = layout.stack(wanted.layers)
    pinned = wanted.name.endswith("@")
    return tag, wanted.name + (layout.digest(tag) if pinned else "")


def _describe(tree: Path, slug: str, form: str, names: Sequence[str]) -> None:
    """Write `airgap.yaml`, and `app.tar.gz` where it is an application's archive."""
    spec: dict[str, Any] = {"format": form, "savedImages": list(names)}
    if slug:
        spec |= {
            "appSlug": slug,
            "channelID": "2Fxw7d8J4GBvyKg",
            "channelName": "Stable",
            "updateCursor": "412",
            "versionLabel": "79915",
            "requiredReleases": [{"versionLabel": "79700", "updateCursor": "398"}],
            "signature": "c2lnbmF0dXJl",
            "uncompressedSize": sum(f.stat().st_size for f in tree.rglob("*") if f.is_file()),
        }
        application = {
            "apiVersion": "kots.io/v1beta1",
            "kind": "Application",
            "metadata": {"name": slug},
            "spec": {"title": slug, "minKotsVersion": "1.117.0", "targetKotsVersion": "1.131.4"},
        }
        manifests = tree.parent / "app"
        manifests.mkdir()
        _write(manifests / "kots-app.yaml", application)
        with tarfile.open(tree / "app.tar.gz", "w:gz") as archive:
            archive.add(manifests / "kots-app.yaml", "kots-app.yaml")
    airgap = {"apiVersion": "kots.io/v1beta1", "kind": "Airgap", "metadata": {}, "spec": spec}
    _write(tree / "airgap.yaml", {**airgap, "status": {}})


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(value)))
