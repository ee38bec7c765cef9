"""Which manifest another one is about, as its `subject` says. Source: OCI image-spec 1.1."""

from __future__ import annotations

import json
from typing import Any

from mirror.serve.exchange import Referrer
from transfer.descriptor import Descriptor, Manifest
from transfer.digest import Digest
from transfer.errors import IntegrityError


def referrer_of(manifest: Manifest, digest: Digest) -> Referrer | None:
    """What a manifest says of another one; None where it says nothing, or nothing that is valid."""
    value: dict[str, Any] = json.loads(manifest.raw)
    try:
        subject = Descriptor.from_json(value.get("subject"), "subject")
    except IntegrityError:
        return None
    descriptor: dict[str, Any] = {
        "mediaType": manifest.media_type,
        "digest": str(digest),
        "size": len(manifest.raw),
    }
    kind = _artifact_type(value)
    if kind:
        descriptor["artifactType"] = kind
    annotations = value.get("annotations")
    if isinstance(annotations, dict) and annotations:
        descriptor["annotations"] = annotations
    return Referrer(subject=subject.digest, artifact_type=kind, descriptor=descriptor)


def _artifact_type(value: dict[str, Any]) -> str:
    """Its own, or else that of its configuration; an index has no configuration."""
    config = value.get("config")
    types = value.get("artifactType"), config.get("mediaType") if isinstance(config, dict) else None
    return next((kind for kind in types if isinstance(kind, str) and kind), "")
