"""Choosing platforms of an image: which manifests of an index are carried, and under which root.

One platform is carried as its own manifest; several as an index that lists exactly their entries,
which we write, always in the same form: its digest is what a lock pins. Nothing that exists is
ever changed.
Sources: OCI image-spec `image-index.md`; normalised platforms as containerd compares them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from transfer.descriptor import Descriptor, Manifest, Platform
from transfer.errors import InvalidInput, NotFound
from transfer.text import counted

_DEFAULT_VARIANTS = {("arm64", "v8"): None, ("amd64", "v1"): None, ("arm", None): "v7"}
_ATTESTATION = Platform(os="unknown", architecture="unknown")
"""What BuildKit's attestations have for a platform: no machine runs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is carried of an index."""

    root: Descriptor
    written: Manifest | None = None
    """The index that was written for it, which no registry holds."""
    left_out: str = ""
    """What nobody can choose, and was left out: attestations."""


def read_platform(text: str) -> Platform:
    """Read `os/architecture[/variant]`, in the one form that all spellings of it have.

    Raises:
        InvalidInput: it is not that.
    """
    parts = text.split("/")
    if not 2 <= len(parts) <= 3 or not all(parts):  # noqa: PLR2004 - with and without a variant
        raise InvalidInput(f"platform {text!r}: expected os/architecture, such as linux/amd64")
    return _normal(Platform(os=parts[0], architecture=parts[1], variant="".join(parts[2:]) or None))


def choose(index: Manifest, wanted: Sequence[Platform], what: str) -> Choice:
    """What to carry of an index for some platforms.

    Args:
        index: The index as it came.
        wanted: As `read_platform` gives them.
        what: How messages name the image.

    Raises:
        NotFound: a platform is not in it; the message lists those that are.
    """
    platforms = [_platform(entry) for entry in index.manifests]
    check_there(wanted, platforms, what)
    chosen = [i for i, platform in enumerate(platforms) if platform in wanted]
    roots = {index.manifests[i].digest: plain(index.manifests[i]) for i in chosen}
    if len(roots) == 1:
        return Choice(root=next(iter(roots.values())), left_out=_left_out(platforms))
    if all(platform is None or platform in wanted for platform in platforms):
        return Choice(root=index.descriptor)
    written = _write(index, chosen, what)
    return Choice(root=written.descriptor, written=written, left_out=_left_out(platforms))


def check_there(wanted: Iterable[Platform], present: Sequence[Platform | None], what: str) -> None:
    """Refuse platforms that an image does not have.

    Raises:
        NotFound: with those that it has.
    """
    missing = [str(platform) for platform in wanted if platform not in present]
    if missing:
        there = list(dict.fromkeys(str(platform) for platform in present if platform))
        raise NotFound(
            f"{what}: not there for {', '.join(missing)}; "
            f"it has {', '.join(there) or 'no platform that it names'}",
            hint="correct platforms:, or leave it out to carry the image as it is",
        )


def plain(root: Descriptor) -> Descriptor:
    """A descriptor without what belongs to the place it was found in."""
    return Descriptor(media_type=root.media_type, digest=root.digest, size=root.size)


def _platform(entry: Descriptor) -> Platform | None:
    """The platform of an entry that a machine can run; None for anything else in an index."""
    if entry.platform is None or not (entry.platform.os and entry.platform.architecture):
        return None
    return None if entry.platform == _ATTESTATION else _normal(entry.platform)


def _normal(platform: Platform) -> Platform:
    key = platform.architecture, platform.variant
    return replace(platform, variant=_DEFAULT_VARIANTS.get(key, platform.variant))


def _left_out(platforms: Sequence[Platform | None]) -> str:
    others = platforms.count(None)
    return f"{counted(others, 'manifest')} without a platform (attestations)" if others else ""


def _write(index: Manifest, chosen: Sequence[int], what: str) -> Manifest:
    value = json.loads(index.raw)
    written = {
        "schemaVersion": 2,
        "mediaType": index.media_type,
        "manifests": [value["manifests"][i] for i in chosen],
    }
    if isinstance(value.get("annotations"), dict):
        written["annotations"] = value["annotations"]
    raw = json.dumps(written, sort_keys=True, separators=(",", ":")).encode()
    return Manifest.parse(raw, what)
