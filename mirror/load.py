"""Images into a local Docker or Podman engine: the right platform, streamed, and looked at after.

A site that has no registry yet gets the image of one this way.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from transfer.delivery import Outcome
from transfer.descriptor import Descriptor, Manifest, Platform
from transfer.digest import Digest, read_verified
from transfer.engine import Engine
from transfer.errors import (
    Incomplete,
    IntegrityError,
    InvalidInput,
    NotFound,
    ToolError,
    TransferError,
    raise_together,
)
from transfer.graph import successors
from transfer.loadtar import Loadable, docker_archive, oci_archive
from transfer.progress import SILENT, Progress
from transfer.reference import Reference
from transfer.sources import OpenSource
from transfer.store import Source

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One image as a source lists it."""

    name: str
    root: Descriptor
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """How one image ended."""

    name: str
    outcome: Outcome
    id: Digest | None = None
    """By which the engine knows it."""
    error: TransferError | None = None


def choose(sources: Sequence[OpenSource], names: Sequence[str]) -> list[Wanted]:
    """The images with these names, or every image where no name is given.

    A name may be short of its host and its first components, if only one image ends so.

    Raises:
        NotFound: there is none of that name; the nearest names are told.
        InvalidInput: several images end so.
    """
    listed: dict[str, Wanted] = {}
    for source in sources:
        for image in source.images:
            name, root = str(Reference.parse(image.record.name)), image.record.root
            listed.setdefault(name, Wanted(name=name, root=root, source=source.content))
    if not names:
        return list(listed.values())
    chosen: dict[str, Wanted] = {}
    faults: list[TransferError] = []
    for name in names:
        try:
            found = _find(listed, name)
        except TransferError as fault:
            faults.append(fault)
        else:
            chosen[found.name] = found
    if len(faults) == 1:
        raise faults[0]
    raise_together(NotFound, f"{len(faults)} images were not found", faults)
    return list(chosen.values())


def _find(listed: Mapping[str, Wanted], name: str) -> Wanted:
    full = str(Reference.parse(name))
    if full in listed:
        return listed[full]
    ending = [known for known in listed if known.endswith(f"/{name}")]
    if len(ending) == 1:
        return listed[ending[0]]
    if ending:
        raise InvalidInput(f"image {name}: may be any of {', '.join(sorted(ending))}")
    near = difflib.get_close_matches(full, listed, _SHOWN, 0.4)
    raise NotFound(
        f"image {name}: not in the sources, which have "
        f"{', '.join(near) if near else f'{len(listed)} others'}",
        hint="airgap-mirror show lists every name",
    )


def load(
    wanted: Sequence[Wanted], engine: Engine, progress: Progress = SILENT
) -> tuple[Loaded, ...]:
    """Load images one after the other; one that fails does not stop the others.

    Raises:
        ToolError: the engine does not say what it is.
    """
    platform, with_manifests = engine.platform(), engine.keeps_manifests()
    progress.begin("loading", 0)
    try:
        return tuple(
            _load(one, engine, platform, progress, with_manifests=with_manifests) for one in wanted
        )
    finally:
        progress.end()


def _load(
    wanted: Wanted, engine: Engine, platform: Platform, progress: Progress, *, with_manifests: bool
) -> Loaded:
    try:
        manifest = for_platform(wanted, platform)
        image = Loadable(manifest=manifest, source=wanted.source, tag=_tag(wanted.name))
        expected = manifest.descriptor.digest if with_manifests else image.config.digest
        name = image.tag or str(expected)
        if _held(engine, name) == expected:
            return Loaded(name=wanted.name, outcome=Outcome.PRESENT, id=expected)
        make = oci_archive if with_manifests else docker_archive
        with closing(make(image, progress)) as archive:
            engine.load(archive)
        found = _held(engine, name)
        if found != expected:
            raise ToolError(
                f"{engine.description}: image {name}: is {found or 'not there'} after it was "
                f"loaded, expected {expected}"
            )
    except TransferError as error:
        return Loaded(name=wanted.name, outcome=Outcome.FAILED, error=error)
    return Loaded(name=wanted.name, outcome=Outcome.COPIED, id=expected)


def _held(engine: Engine, name: str) -> Digest | None:
    try:
        return engine.inspect(name).id
    except NotFound:
        return None


def _tag(name: str) -> str:
    reference = Reference.parse(name)
    return f"{reference.repository}:{reference.tag}" if reference.tag else ""


def raise_for_failures(loaded: Sequence[Loaded]) -> None:
    """Raise if any image failed.

    Raises:
        TransferError: its own error where there was one image alone; otherwise Incomplete.
    """
    errors = [one.error for one in loaded if one.error is not None]
    if errors and len(loaded) == 1:
        raise errors[0]
    what = f"{len(errors)} of {len(loaded)} images were not loaded"
    raise_together(Incomplete, what, errors)


def for_platform(wanted: Wanted, platform: Platform) -> Manifest:
    """The image itself, or the first of its index that is made for `platform`.

    Raises:
        NotFound: none is; those that are there are told.
        IntegrityError: a manifest or configuration is damaged, or layers are not carried.
    """
    *_, root = manifests = successors(wanted.source, wanted.root)
    if not root.manifests:
        _check_layers(wanted, root, _config(wanted, root))
        return root
    offered = []
    for manifest in _in_order(root, manifests):
        config = _config(wanted, manifest)
        made_for = config.get("os"), config.get("architecture")
        if made_for == (platform.os, platform.architecture):
            _check_layers(wanted, manifest, config)
            return manifest
        if all(made_for):
            offered.append("/".join(map(str, made_for)))
    raise NotFound(
        f"image {wanted.name}: none for {platform}, which the engine runs; "
        f"it is made for {', '.join(dict.fromkeys(offered)) or 'no platform'}"
    )


def _in_order(root: Manifest, manifests: Sequence[Manifest]) -> Iterator[Manifest]:
    """The images below an index, as it lists them: the first that fits is the one meant."""
    by_digest = {manifest.descriptor.digest: manifest for manifest in manifests}
    for child in root.manifests:
        manifest = by_digest[child.digest]
        yield from _in_order(manifest, manifests) if manifest.manifests else (manifest,)


def _config(wanted: Wanted, manifest: Manifest) -> dict[str, Any]:
    config = manifest.blobs[0]
    what = f"{wanted.source.description}: configuration {config.digest}"
    with wanted.source.open(config) as stream:
        raw = read_verified(stream, config.digest, config.size, what)
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{what}: not JSON") from error
    return value if isinstance(value, dict) else {}


def _check_layers(wanted: Wanted, manifest: Manifest, config: Mapping[str, Any]) -> None:
    """An engine would say the same, after it was sent everything."""
    rootfs = config.get("rootfs")
    expected = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(expected, list) or len(expected) != len(manifest.blobs) - 1:
        raise IntegrityError(
            f"image {wanted.name}: {len(manifest.blobs) - 1} layers are here, its configuration "
            f"lists {len(expected) if isinstance(expected, list) else 'none'}",
            hint="an artifact or an image with foreign layers cannot be loaded",
        )
