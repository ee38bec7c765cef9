"""Where each image goes: from the name a vendor gave it to its name in the site's registry.

KOTS computes the names it will pull by its own rules, so what is pushed must follow them to the
letter; `tests/data/rewrite-vectors.json` holds what KOTS's own tests expect. A destination that
two different images want is refused here, in the plan, before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from transfer.contents import ArchiveKind, ArchiveRecord, Contents, ImageRecord
from transfer.descriptor import Descriptor
from transfer.errors import Conflict, IntegrityError, InvalidInput, raise_together
from transfer.reference import DEFAULT_REGISTRY, Reference, Repository

_SHORTEST_ARCHIVE_PATH = 3
_MADE_WRONG = "the archive was made wrong; ask its vendor for another"


class Naming(StrEnum):
    """How a destination is derived from a source's name."""

    KOTS = "kots"
    """The last component of the path, below the endpoint. KOTS: pkg/imageutil, DestImage."""
    WHOLE_PATH = "whole-path"
    """The path as it was written, without the host: what the Helm charts of the modules pull."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KustomizeImage:
    """One entry of kustomize's `images`: the name that is looked for, and what replaces it."""

    name: str
    new_name: str
    new_tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        """The replacement as one reference; the digest goes before the tag."""
        if self.digest:
            return f"{self.new_name}@{self.digest}"
        return f"{self.new_name}:{self.new_tag}" if self.new_tag else self.new_name


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImage:
    """One image as a source lists it."""

    record: ImageRecord
    naming: Naming
    origin: str
    """The archive or bundle that lists it, for messages."""

    def __str__(self) -> str:
        """How messages tell it from another image of the same name."""
        return f"{self.record.name} of {self.origin} ({self.record.root.digest})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """One image, its name at the source and its name at the site."""

    source: str
    destination: Reference
    root: Descriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class RelocationPlan:
    """Every image's relocation; no two have one destination."""

    endpoint: Repository
    relocations: tuple[Relocation, ...]


def relocate(images: Iterable[SourceImage], endpoint: Repository) -> RelocationPlan:
    """Give every image its destination below `endpoint`.

    An image that stands in several archives under one destination is planned once.

    Raises:
        InvalidInput: names that are not image references.
        IntegrityError: names pinned to a digest that is not the digest of their content.
        Conflict: different images with one destination; each pair is named.
    """
    destinations = _destinations(images, endpoint)
    raise_together(
        IntegrityError,
        "images are not what their names are pinned to",
        (
            IntegrityError(f"{image}: the name says {wanted.digest}")
            for image, wanted in destinations
            if wanted.digest not in (None, image.record.root.digest)
        ),
        hint=_MADE_WRONG,
    )
    first: dict[Reference, SourceImage] = {}
    for image, wanted in destinations:
        first.setdefault(wanted, image)
    raise_together(
        Conflict,
        "different images have one destination; nothing was written",
        (
            Conflict(f"{wanted}: wanted by {first[wanted]} and by {image}")
            for image, wanted in destinations
            if image.record.root != first[wanted].record.root
        ),
        hint="give the sources one at a time, or push them to different namespaces",
    )
    relocations = (
        Relocation(source=image.record.name, destination=wanted, root=image.record.root)
        for wanted, image in first.items()
    )
    return RelocationPlan(endpoint=endpoint, relocations=tuple(relocations))


def listed_images(contents: Contents) -> Iterator[SourceImage]:
    """The images of a bundle, each with the rule that its archive goes by."""
    for archive in contents.archives:
        yield from archive_images(archive)
    for record in contents.images:
        yield SourceImage(record=record, naming=Naming.KOTS, origin=contents.name)


def archive_images(archive: ArchiveRecord) -> Iterator[SourceImage]:
    """The images of one archive; only those that KOTS deploys go by its rule."""
    naming = Naming.WHOLE_PATH if archive.kind is ArchiveKind.IMAGES else Naming.KOTS
    for record in archive.images:
        yield SourceImage(record=record, naming=naming, origin=archive.file_name)


def destination(endpoint: Repository, image: str, naming: Naming) -> Reference:
    """The destination of `image` below `endpoint`.

    Raises:
        InvalidInput: not an image reference.
    """
    if naming is Naming.KOTS:
        return dest_image(endpoint, image)
    source = _normalise(image)
    path = source.repository.path
    if path not in image:  # `library/` was implied, not written
        path = path.removeprefix("library/")
    return Reference(below(endpoint, path), source.tag, source.digest)


def below(endpoint: Repository, path: str) -> Repository:
    """The repository `path` below an endpoint, whose own path may be empty."""
    return Repository(endpoint.registry, f"{endpoint.path}/{path}" if endpoint.path else path)


def dest_image(endpoint: Repository, image: str) -> Reference:
    """Where KOTS pushes an image to, and pulls it from. KOTS: pkg/imageutil, DestImage.

    Raises:
        InvalidInput: not an image reference.
    """
    source = _normalise(image)
    return Reference(below(endpoint, source.repository.name), source.tag, source.digest)


def dest_ec_image(endpoint: Repository, image: str) -> Reference:
    """Where KOTS pushes an image of an embedded cluster to. KOTS: pkg/imageutil, DestECImage.

    Raises:
        InvalidInput: not an image reference.
    """
    return dest_image(below(endpoint, "embedded-cluster"), image)


def archive_name(image: str) -> str:
    """The name of an image inside an archive of format `docker`: host and path are lost there.

    KOTS: pkg/image, TempRegistry.SrcRef.

    Raises:
        InvalidInput: not an image reference.
    """
    return str(dest_image(Repository("", ""), image))


def rewrite_docker_archive_image(endpoint: Repository, parts: tuple[str, ...]) -> KustomizeImage:
    """The same for an image of a docker-archive, from the path of its file below the format.

    `parts` ends in a tag, or in `sha256` and a value. KOTS: pkg/imageutil,
    RewriteDockerArchiveImage.

    Raises:
        InvalidInput: too few parts.
    """
    if len(parts) < _SHORTEST_ARCHIVE_PATH:
        raise InvalidInput(
            f"image path {'/'.join(parts)!r}: expected host/name/tag", hint=_MADE_WRONG
        )
    *name, last = parts
    pinned = name[-1] == "sha256"
    if pinned:
        name.pop()
    return KustomizeImage(
        name="/".join(name),
        new_name=str(below(endpoint, name[-1])),
        new_tag=None if pinned else last,
        digest=f"sha256:{last}" if pinned else None,
    )


def rewrite_docker_registry_image(endpoint: Repository, image: str) -> KustomizeImage:
    """What the application's manifests get in place of `image`.

    KOTS: pkg/imageutil, RewriteDockerRegistryImage.

    Raises:
        InvalidInput: not an image reference.
    """
    reference = dest_image(endpoint, image)
    return KustomizeImage(
        name=strip_tag_and_digest(image),
        new_name=str(reference.repository),
        new_tag=reference.tag,
        digest=str(reference.digest) if reference.digest else None,
    )


def kustomize_images(endpoint: Repository, image: str) -> tuple[KustomizeImage, ...]:
    """`rewrite_docker_registry_image`, once for each spelling of the name.

    kustomize compares names as text, so an image of Docker Hub is listed under every spelling
    that means it. KOTS: pkg/imageutil, KustomizeImage and BuildImageAltNames.

    Raises:
        InvalidInput: not an image reference.
    """
    rewritten = rewrite_docker_registry_image(endpoint, image)
    return tuple(
        KustomizeImage(
            name=name,
            new_name=rewritten.new_name,
            new_tag=rewritten.new_tag,
            digest=rewritten.digest,
        )
        for name in _spellings(rewritten.name)
    )


def strip_tag_and_digest(image: str) -> str:
    """The name as it was written, without what follows its last component.

    KOTS: pkg/imageutil, StripImageTagAndDigest.
    """
    head, slash, last = image.rpartition("/")
    return head + slash + last.partition("@")[0].partition(":")[0]


def _spellings(name: str) -> list[str]:
    """`name` first, then the other ways to write it."""
    repository = Reference.parse(name).repository
    if repository.registry != DEFAULT_REGISTRY:
        return [name]
    path = repository.path
    short = path.removeprefix("library/")
    if short == path == name and path.count("/") > 1:  # KOTS stops at two components
        return [name]
    known = [short, path, f"{DEFAULT_REGISTRY}/{short}", f"{DEFAULT_REGISTRY}/{path}"]
    return list(dict.fromkeys([name, *known]))


def _normalise(image: str) -> Reference:
    reference = Reference.parse(image)
    return reference.pin(reference.digest) if reference.digest else reference


def _destinations(
    images: Iterable[SourceImage], endpoint: Repository
) -> list[tuple[SourceImage, Reference]]:
    found: list[tuple[SourceImage, Reference]] = []
    faults: list[InvalidInput] = []
    for image in images:
        try:
            found.append((image, destination(endpoint, image.record.name, image.naming)))
        except InvalidInput as fault:
            faults.append(InvalidInput(f"{image.origin}: {fault}"))
    raise_together(InvalidInput, "names that are not image references", faults, hint=_MADE_WRONG)
    return found
