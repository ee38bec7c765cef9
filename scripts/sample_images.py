"""Make small but real container images, for the sample archives.

Layers are tars of files, manifests are Docker v2 or OCI, an image may be for several
architectures. Everything is made from seeds: the same arguments give the same image. A layer
is made once and kept in a file, so its size does not matter.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

LAYERS_IN_AN_ARCHIVE = 10
"""About as many layers are in an archive: each gets this part of its size."""

DATE = 1_700_000_000
BLOCK = 1 << 20
GZIP_LEVEL = 6

DOCKER = "application/vnd.docker"
OCI = "application/vnd.oci.image"
TYPES = {
    False: {
        "config": f"{DOCKER}.container.image.v1+json",
        "layer": f"{DOCKER}.image.rootfs.diff.tar.gzip",
        "manifest": f"{DOCKER}.distribution.manifest.v2+json",
        "index": f"{DOCKER}.distribution.manifest.list.v2+json",
    },
    True: {
        "config": f"{OCI}.config.v1+json",
        "layer": f"{OCI}.layer.v1.tar+gzip",
        "manifest": f"{OCI}.manifest.v1+json",
        "index": f"{OCI}.index.v1+json",
    },
}
"""Media types; True stands for OCI."""


class Member(NamedTuple):
    """One member of a tar: a file's bytes or where they are, a folder (None), or a symlink."""

    name: str
    content: bytes | Path | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image to make: its layers are a base that all share, `shared` ones, and its own."""

    name: str
    """The reference; one that ends in @ gets the digest of what was made."""
    shared: tuple[str, ...] = ()
    oci: bool = False
    architectures: tuple[str, ...] = ("amd64",)


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer in a file: compressed for a registry, plain for docker-save."""

    file: Path
    digest: str
    diff_id: str
    size: int


@dataclass(slots=True)
class Image:
    """A made image: every manifest and every blob, by digest."""

    name: str
    root: str = ""
    manifests: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes | Path] = field(default_factory=dict)


class Workshop:
    """Makes layers in a folder, each once."""

    def __init__(self, folder: Path, size: int, *, compressed: bool = True) -> None:
        self._folder = folder
        self._size = size // LAYERS_IN_AN_ARCHIVE
        self._compressed = compressed
        self._made: dict[str, Layer] = {}

    def layers(self, recipe: Recipe, architecture: str = "amd64") -> list[Layer]:
        """The layers of one image, the lowest first."""
        own = recipe.name.rstrip("@").rpartition("/")[2].replace(":", "-")
        seeds = [f"{seed}-{architecture}" for seed in ("base", *recipe.shared, own)]
        for seed in seeds:
            if seed not in self._made:
                self._made[seed] = self._make(seed)
        return [self._made[seed] for seed in seeds]

    def _make(self, seed: str) -> Layer:
        path = self._folder / f"{seed}.layer"
        with path.open("wb") as file:
            stored = plain = _Hashing(file)
            if self._compressed:
                with _gzip_writer(stored) as packed:
                    plain = _Hashing(packed)
                    _write_layer(plain, seed, self._size)
            else:
                _write_layer(plain, seed, self._size)
        return Layer(path, stored.digest(), plain.digest(), path.stat().st_size)


class _Hashing:
    """A stream that hashes what it passes on."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        self._hash.update(data)
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _gzip_writer(stream: Any) -> gzip.GzipFile:  # noqa: ANN401 - anything with write()
    return gzip.GzipFile("", "wb", GZIP_LEVEL, stream, mtime=0)


def _write_layer(stream: _Hashing, seed: str, size: int) -> None:
    """A tar of files that compresses to about `size` bytes."""
    rng = random.Random(seed)  # noqa: S311 - sample content
    text = " ".join(rng.choices(("layer", "blob", "digest", "manifest", "tag"), k=8000)).encode()
    folder = f"usr/share/{seed}"
    with tarfile.open(
        fileobj=cast("IO[bytes]", stream), mode="w|", format=tarfile.GNU_FORMAT
    ) as tar:
        for name in ("etc", "usr", "usr/bin", "usr/share", folder):
            add(tar, Member(name))
        add(tar, Member(f"etc/{seed}", f"NAME={seed}\n".encode()))
        add(tar, Member(f"usr/bin/{seed}", link=f"../share/{seed}/0.bin"))
        for number, start in enumerate(range(0, size, BLOCK)):
            binary = rng.randbytes(min(BLOCK, size - start) * 9 // 10)
            add(tar, Member(f"{folder}/{number}.bin", binary))
            add(tar, Member(f"{folder}/{number}.txt", (text * 25)[: len(binary)]))


def add(tar: tarfile.TarFile, member: Member) -> None:
    """Add one member to a tar, always with the same owner, mode and date."""
    info = tarfile.TarInfo(member.name)
    info.mtime = DATE
    if member.link:
        info.type, info.linkname = tarfile.SYMTYPE, member.link
        tar.addfile(info)
    elif member.content is None:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(info)
    elif isinstance(member.content, bytes):
        info.size = len(member.content)
        tar.addfile(info, io.BytesIO(member.content))
    else:
        info.size = member.content.stat().st_size
        with member.content.open("rb") as stream:
            tar.addfile(info, stream)


def write_tar(stream: IO[bytes], members: Iterable[Member], *, compressed: bool = True) -> None:
    """Write a tar, gzip-compressed as the vendors' archives are."""
    if compressed:
        with _gzip_writer(stream) as packed:
            write_tar(packed, members, compressed=False)  # type: ignore[arg-type]
        return
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for member in members:
            add(tar, member)


def make_image(recipe: Recipe, workshop: Workshop) -> Image:
    """Make an image as a registry holds it."""
    image = Image(recipe.name)
    entries = []
    for architecture in recipe.architectures:
        raw = _manifest(image, recipe, workshop.layers(recipe, architecture), architecture)
        platform = {"architecture": architecture, "os": "linux"}
        entries.append({**_descriptor(TYPES[recipe.oci]["manifest"], raw), "platform": platform})
        _set_root(image, raw)
    if len(entries) > 1:
        kind = TYPES[recipe.oci]["index"]
        _set_root(image, _json({"schemaVersion": 2, "mediaType": kind, "manifests": entries}))
    if image.name.endswith("@"):
        image.name += image.root
    return image


def _set_root(image: Image, raw: bytes) -> None:
    image.root = sha256(raw)
    image.manifests[image.root] = raw


def _manifest(image: Image, recipe: Recipe, layers: Sequence[Layer], architecture: str) -> bytes:
    config = config_json(architecture, layers)
    image.blobs[sha256(config)] = config
    image.blobs.update((layer.digest, layer.file) for layer in layers)
    types = TYPES[recipe.oci]
    value = {
        "schemaVersion": 2,
        "mediaType": types["manifest"],
        "config": _descriptor(types["config"], config),
        "layers": [
            {"mediaType": types["layer"], "digest": layer.digest, "size": layer.size}
            for layer in layers
        ],
    }
    if recipe.oci:
        del value["mediaType"]  # optional in OCI: a reader has to do without
    return _json(value)


def config_json(architecture: str, layers: Sequence[Layer]) -> bytes:
    """The configuration of an image."""
    created = "2024-01-01T00:00:00Z"
    return _json(
        {
            "architecture": architecture,
            "os": "linux",
            "created": created,
            "config": {"Cmd": ["/usr/bin/app"]},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": [{"created": created, "created_by": "sample"} for _ in layers],
        }
    )


def docker_save_members(
    images: Sequence[tuple[Recipe, Sequence[str]]], workshop: Workshop, *, skopeo: bool
) -> Iterator[Member]:
    """A docker-save archive of images with their tags, `manifest.json` first.

    Old docker keeps a layer in `<id>/layer.tar`; skopeo in `<hex>.tar`, with a symlink at the
    old place.
    """
    files: dict[str, Member] = {}
    entries = []
    for recipe, tags in images:
        layers = workshop.layers(recipe)
        config = config_json("amd64", layers)
        name = f"{sha256(config)[7:]}.json"
        files[name] = Member(name, config)
        paths = []
        for layer in layers:
            plain, old = f"{layer.digest[7:]}.tar", f"{layer.digest[7:]}/layer.tar"
            files[old] = Member(old, link=f"../{plain}") if skopeo else Member(old, layer.file)
            if skopeo:
                files[plain] = Member(plain, layer.file)
            paths.append(plain if skopeo else old)
        entries.append({"Config": name, "RepoTags": list(tags) or None, "Layers": paths})
    yield Member("manifest.json", _json(entries))
    yield from files.values()


def storage_members(images: Sequence[Image]) -> Iterator[Member]:
    """The storage tree of a distribution registry below `images/`, folders before files."""
    v2 = "images/docker/registry/v2"
    files: dict[str, bytes | Path] = {}
    for image in images:
        for digest, content in {**image.manifests, **image.blobs}.items():
            encoded = digest.removeprefix("sha256:")
            files[f"{v2}/blobs/sha256/{encoded[:2]}/{encoded}/data"] = content
        base, tag = base_and_tag(image.name)
        manifests = f"{v2}/repositories/{base}/_manifests"
        files.update(_links(f"{v2}/repositories/{base}/_layers", image.blobs))
        files.update(_links(f"{manifests}/revisions", image.manifests))
        if tag:
            files[f"{manifests}/tags/{tag}/current/link"] = image.root.encode()
            files.update(_links(f"{manifests}/tags/{tag}/index", [image.root]))
    return with_folders(Member(name, content) for name, content in sorted(files.items()))


def base_and_tag(name: str) -> tuple[str, str]:
    """What KOTS keeps of a reference: the last component of its path, and the tag.

    The tag is "" where the reference has a digest.
    """
    last = name.rpartition("/")[2]
    base, _, tag = last.partition("@")[0].partition(":")
    return base, "" if "@" in last else tag


def _links(folder: str, digests: Iterable[str]) -> dict[str, bytes | Path]:
    return {f"{folder}/{digest.replace(':', '/')}/link": digest.encode() for digest in digests}


def with_folders(members: Iterable[Member]) -> Iterator[Member]:
    """Each folder once, before what is in it."""
    seen = {PurePosixPath()}
    for member in members:
        for folder in reversed(PurePosixPath(member.name).parents):
            if folder not in seen:
                seen.add(folder)
                yield Member(str(folder))
        yield member


def sha256(content: bytes) -> str:
    """The digest of some content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": sha256(content), "size": len(content)}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
