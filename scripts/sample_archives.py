#!/usr/bin/env python3
"""Write sample archives in every form the toolkit reads, for tests, the demo and benchmarks.

    python scripts/sample_archives.py OUT [--size MB]

Only the standard library is used, and content is streamed, so that a size of gigabytes is fine.
The images in them are made by `sample_images.py`; layers are shared between images, between
archives, and between the releases of an application.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also when run as a script

from scripts.sample_images import (
    Image,
    Member,
    Recipe,
    Workshop,
    config_json,
    docker_save_members,
    make_image,
    sha256,
    storage_members,
    with_folders,
    write_tar,
)

MEGABYTE = 1_000_000
KOTS_VERSION = "v1.131.4"
OLD_KOTS_VERSION = "v1.106.0"
BOTH = ("amd64", "arm64")


@dataclass(frozen=True, slots=True)
class Sample:
    """What one archive holds."""

    path: Path
    images: Mapping[str, str]
    """Each image's name, and the digest of its root; of its config in docker-save forms."""
    blobs: Mapping[str, int]
    """Digest and size of everything stored; layers of docker-save forms are not compressed."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release of an application."""

    version: str
    cursor: int
    required: Sequence[tuple[str, int]] = ()
    """Version and cursor of the releases that come before it, the newest first."""
    needs: str = "1.88.0"
    """The oldest KOTS that deploys it, and the newest that installs it."""
    up_to: str = KOTS_VERSION.removeprefix("v")
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """More files of its `app.tar.gz`; one of a name that is there already takes its place."""
    notes: str = ""

    def spec(self, slug: str) -> dict[str, object]:
        """What `airgap.yaml` says of it."""
        notes = {"releaseNotes": self.notes} if self.notes else {}
        return {
            **notes,
            "appSlug": slug,
            "channelID": f"channel-{slug}",
            "channelName": "Stable",
            "versionLabel": self.version,
            "updateCursor": str(self.cursor),
            "requiredReleases": [
                {"versionLabel": label, "updateCursor": str(cursor)}
                for label, cursor in self.required
            ],
        }


NEW_RELEASE = Release("79915", 412, [("79400", 398)])
OLD_RELEASE = Release("78000", 377)


def console_recipes(version: str = KOTS_VERSION) -> tuple[Recipe, ...]:
    """The images of the KOTS admin console."""
    return (
        Recipe(f"kotsadm/kotsadm:{version}", ("go",), oci=True, architectures=BOTH),
        Recipe(f"kotsadm/kotsadm-migrations:{version}", ("go",)),
        Recipe("kotsadm/dex:2.44.0", architectures=BOTH),
        Recipe("kotsadm/rqlite:10.2.7", oci=True),
        Recipe("replicated/local-volume-provider:0.6.15"),
        Recipe("kotsadm/minio:RELEASE.2025-10-15T17-29-55Z"),
    )


def application_recipes(slug: str, version: str) -> tuple[Recipe, ...]:
    """The images of an application: two are named by digest, one of them by tag as well."""
    return (
        Recipe(f"docker.io/harness/{slug}-manager-signed:{version}", ("jre",)),
        Recipe(f"docker.io/harness/{slug}-verification-signed:{version}", ("jre",)),
        Recipe(f"quay.io/harness/{slug}-ui-signed:{version}", oci=True, architectures=BOTH),
        Recipe("docker.io/library/mongo@", oci=True),
        Recipe("timescale/timescaledb-ha:pg13.4@"),
    )


def module_recipes() -> tuple[tuple[Recipe, tuple[str, ...]], ...]:
    """The images of a Harness module, with their tags."""
    return (
        (Recipe("harness/gateway:1.20.0", ("jre",)), ("harness/gateway:1.20.0",)),
        (
            Recipe("harness/platform-service:1.20.0", ("jre",)),
            ("harness/platform-service:1.20.0", "harness/platform-service:latest"),
        ),
    )


def write_console(
    path: Path, *, size: int = MEGABYTE, version: str = KOTS_VERSION, minio: bool = True
) -> Sample:
    """`kotsadm.tar.gz` as KOTS publishes it since 1.107, or `kotsadm-nominio.tar.gz`."""
    with _workfolder(path) as folder:
        workshop = Workshop(Path(folder), size)
        recipes = console_recipes(version)
        images = [make_image(recipe, workshop) for recipe in recipes[: None if minio else -1]]
        spec = {"format": "docker", "savedImages": [image.name for image in images]}
        return _write(path, [airgap_yaml(**spec), *storage_members(images)], images)


def write_application(
    path: Path,
    slug: str = "harness",
    *,
    size: int = MEGABYTE,
    release: Release = NEW_RELEASE,
    more: Sequence[Recipe] = (),
) -> Sample:
    """`<slug>.airgap` whose images are a registry's storage tree; `more` are added to them."""
    with _workfolder(path) as folder:
        workshop = Workshop(Path(folder), size)
        recipes = (*application_recipes(slug, release.version), *more)
        images = [make_image(recipe, workshop) for recipe in recipes]
        names = [image.name for image in images]
        yaml = airgap_yaml(**release.spec(slug), format="docker", savedImages=names)
        head = [yaml, Member("app.tar.gz", app_archive(slug, release))]
        return _write(path, [*head, *storage_members(images)], images)


def write_docker_archive_application(
    path: Path, slug: str = "harness", *, size: int = MEGABYTE, release: Release = OLD_RELEASE
) -> Sample:
    """`<slug>.airgap` of the older form: one docker-save tar for each image."""
    with _workfolder(path) as folder:
        workshop = Workshop(Path(folder), size, compressed=False)
        recipes = application_recipes(slug, release.version)
        places = [(_archive_place(recipe), recipe) for recipe in recipes]
        yaml = airgap_yaml(**release.spec(slug), format="docker-archive")
        head = [yaml, Member("app.tar.gz", app_archive(slug, release))]
        members = chain(head, with_folders(_saved(Path(folder), workshop, places)))
        return _write_saved(path, members, workshop, {_name_of(at): made for at, made in places})


def write_old_console(
    path: Path, *, size: int = MEGABYTE, version: str = OLD_KOTS_VERSION
) -> Sample:
    """`kotsadm.tar.gz` of KOTS up to 1.106: `./docker-archive/<name>/<tag>` and nothing else."""
    with _workfolder(path) as folder:
        workshop = Workshop(Path(folder), size, compressed=False)
        recipes = console_recipes(version)
        places = [
            ("docker-archive/" + recipe.name.partition("/")[2].replace(":", "/"), recipe)
            for recipe in recipes
        ]
        members = (
            member._replace(name=f"./{member.name}")
            for member in with_folders(_saved(Path(folder), workshop, places))
        )
        return _write_saved(path, members, workshop, {recipe.name: recipe for recipe in recipes})


def write_module(path: Path, *, size: int = MEGABYTE) -> Sample:
    """`platform_images.tgz`, a module of the Helm line: one docker-save tar of all its images."""
    with _workfolder(path) as folder:
        workshop = Workshop(Path(folder), size, compressed=False)
        members = docker_save_members(module_recipes(), workshop, skopeo=True)
        tagged = {tag: recipe for recipe, tags in module_recipes() for tag in tags}
        return _write_saved(path, members, workshop, tagged)


def airgap_yaml(**spec: object) -> Member:
    """`airgap.yaml`; its values are written as JSON, which YAML contains."""
    lines = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in spec.items())
    text = (
        f"apiVersion: kots.io/v1beta1\nkind: Airgap\nmetadata: {{}}\nspec:\n{lines}status: {{}}\n"
    )
    return Member("airgap.yaml", text.encode())


def app_archive(slug: str, release: Release = NEW_RELEASE) -> bytes:
    """`app.tar.gz`: the Kubernetes files of a release, the KOTS kinds among them."""
    application = (
        "apiVersion: kots.io/v1beta1\nkind: Application\n"
        f"metadata:\n  name: {slug}\nspec:\n  title: {slug}\n"
        f"  minKotsVersion: {release.needs}\n  targetKotsVersion: {release.up_to}\n"
    )
    config = (
        "apiVersion: kots.io/v1beta1\nkind: Config\nmetadata:\n  name: config\n"
        "spec:\n  groups:\n    - name: settings\n      title: Settings\n      items:\n"
        "        - {name: hostname, title: Host name, type: text}\n"
    )
    service = f"apiVersion: v1\nkind: Service\nmetadata: {{name: {slug}}}\n"
    texts = {"config.yaml": config, "kots-app.yaml": application, "service.yaml": service}
    files = {**texts, **release.files}
    return pack(
        {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    )


def chart(files: Mapping[str, str], name: str = "mongo") -> bytes:
    """A Helm chart, packed; `files` stand below its own folder."""
    texts = {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n", **files}
    return pack({f"{name}/{path}": text.encode() for path, text in texts.items()})


def write_plugin(path: Path, version: str | None = KOTS_VERSION.removeprefix("v")) -> Path:
    """`kots_linux_amd64.tar.gz`: a program that keeps its version as Go does, or does not."""
    flags = f"-X github.com/replicatedhq/kots/pkg/buildversion.version={version}"
    flags += " -X github.com/replicatedhq/kots/pkg/buildversion.gitSHA=0" if version else ""
    program = bytes(300_000) + f'build\t-ldflags="-s -w {flags if version else ""}"\n'.encode()
    path.write_bytes(pack({"LICENSE": b"Apache", "kots": b"\x7fELF" + program + bytes(50_000)}))
    return path


def pack(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz."""
    with io.BytesIO() as stream:
        write_tar(stream, (Member(name, content) for name, content in files.items()))
        return stream.getvalue()


def _archive_place(recipe: Recipe) -> str:
    """`images/docker-archive/<host>/<path>/<name>/<tag>`, or `…/sha256/<hex>`."""
    name, _, digest = recipe.name.partition("@")
    if "@" in recipe.name:
        name = name.partition(":")[0]
        digest = sha256(recipe.name.encode()).replace(":", "/")
    else:
        name, _, digest = name.rpartition(":")
    host = "" if name.startswith(("docker.io/", "quay.io/")) else "docker.io/"
    return f"images/docker-archive/{host}{name}/{digest}"


def _name_of(place: str) -> str:
    path, _, last = place.removeprefix("images/docker-archive/").rpartition("/")
    if path.endswith("/sha256"):
        return f"{path.removesuffix('/sha256')}@sha256:{last}"
    return f"{path}:{last}"


def _saved(
    folder: Path, workshop: Workshop, places: Sequence[tuple[str, Recipe]]
) -> Iterator[Member]:
    """A docker-save tar for each image, by turns as docker and as skopeo write it."""
    for number, (place, recipe) in enumerate(places):
        saved = folder / f"{number}.saved"
        members = docker_save_members([(recipe, ())], workshop, skopeo=bool(number % 2))
        with saved.open("wb") as stream:
            write_tar(stream, members, compressed=False)
        yield Member(place, saved)
        saved.unlink()


def _write(path: Path, members: Iterable[Member], images: Sequence[Image]) -> Sample:
    with path.open("wb") as stream:
        write_tar(stream, members)
    blobs = {
        digest: len(content) if isinstance(content, bytes) else content.stat().st_size
        for image in images
        for digest, content in {**image.manifests, **image.blobs}.items()
    }
    return Sample(path, {image.name: image.root for image in images}, blobs)


def _write_saved(
    path: Path, members: Iterable[Member], workshop: Workshop, recipes: Mapping[str, Recipe]
) -> Sample:
    with path.open("wb") as stream:
        write_tar(stream, members)
    images, blobs = {}, {}
    for name, recipe in recipes.items():
        layers = workshop.layers(recipe)
        config = config_json("amd64", layers)
        images[name] = sha256(config)
        blobs[sha256(config)] = len(config)
        blobs.update((layer.digest, layer.size) for layer in layers)
    return Sample(path, images, blobs)


def _workfolder(path: Path) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=".sample-", dir=path.parent)


def write_all(out: Path, *, size: int = MEGABYTE) -> list[Sample]:
    """One archive of each form."""
    return [
        write_console(out / "kotsadm.tar.gz", size=size),
        write_application(out / "harness.airgap", size=size),
        write_application(out / "harness-ng.airgap", "harness-ng", size=size),
        write_docker_archive_application(out / "harness-docker-archive.airgap", size=size),
        write_old_console(out / "kotsadm-1.106.tar.gz", size=size),
        write_module(out / "platform_images.tgz", size=size),
    ]


def main() -> None:
    """Write one archive of each form into a folder."""
    parser = argparse.ArgumentParser(description="Write sample archives in every form.")
    parser.add_argument("out", type=Path, help="folder; made where it is missing")
    parser.add_argument("--size", type=int, default=1, help="megabytes of each archive, about")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for sample in write_all(options.out, size=options.size * MEGABYTE):
        images = len(sample.images)
        print(f"{sample.path}  {sample.path.stat().st_size:,} bytes, {images} images")
    plugin = write_plugin(options.out / "kots_linux_amd64.tar.gz")
    print(f"{plugin}  {plugin.stat().st_size:,} bytes, the plugin")


if __name__ == "__main__":
    main()
