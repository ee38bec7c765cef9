"""What a probe sends, and what it reads in answers."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping

from transfer.descriptor import INDEX_TYPES, OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST
from transfer.digest import Digest
from transfer.http.answers import Answer


class Announced:
    """A body that is announced and never sent: who refuses its size does so at once."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        """Bytes, for Content-Length."""
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        """Nothing."""
        return iter(())

    def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002 - a body's
        """Nothing."""
        return b""


def nowhere() -> Digest:
    """The digest of something that is nowhere."""
    return Digest.of(secrets.token_bytes(16))


def manifest_of_nothing(kind: str) -> bytes:
    """A manifest of things that are nowhere."""
    child = {"digest": str(nowhere()), "size": 16}
    body: Mapping[str, object] = (
        {"manifests": [{"mediaType": OCI_MANIFEST, **child}]}
        if kind in INDEX_TYPES
        else {
            "config": {"mediaType": OCI_CONFIG, **child},
            "layers": [{"mediaType": OCI_LAYER_GZIP, **child}],
        }
    )
    return json.dumps({"schemaVersion": 2, "mediaType": kind, **body}).encode()


def config_of(answer: Answer | None) -> str | None:
    """The digest of the configuration of the image whose manifest an answer is."""
    value = _value(answer)
    config = value.get("config") if isinstance(value, dict) else None
    digest = config.get("digest") if isinstance(config, dict) else None
    return digest if isinstance(digest, str) else None


def names(answer: Answer | None, key: str) -> list[str]:
    """The list of names under `key` in an answer; none where there is none."""
    value = _value(answer)
    listed = value.get(key) if isinstance(value, dict) else None
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []


def codes(answer: Answer | None) -> Iterator[str]:
    """The error codes of a registry's answer."""
    value = _value(answer)
    errors = value.get("errors") if isinstance(value, dict) else None
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            yield str(error.get("code"))


def _value(answer: Answer | None) -> object:
    try:
        return json.loads(answer.body) if answer is not None else None
    except (ValueError, RecursionError):
        return None
