"""The names that images have at a site: KOTS computes the ones it will pull by its own rules.

What is pushed, and what is bundled, must follow these rules to the letter;
`tests/data/rewrite-vectors.json` holds what KOTS's own tests expect.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from transfer.errors import InvalidInput
from transfer.reference import DEFAULT_REGISTRY, Reference, Repository

MADE_WRONG = "the archive was made wrong; ask its vendor for another"
"""What to do about a name that cannot be one."""

_SHORTEST_ARCHIVE_PATH = 3


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
    """What manifests get for an image of a docker-archive, from its file's path below the format.

    `parts` ends in a tag, or in `sha256` and a value. KOTS: pkg/imageutil,
    RewriteDockerArchiveImage.

    Raises:
        InvalidInput: too few parts.
    """
    if len(parts) < _SHORTEST_ARCHIVE_PATH:
        raise InvalidInput(
            f"image path {'/'.join(parts)!r}: expected host/name/tag",
            hint=MADE_WRONG,
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
