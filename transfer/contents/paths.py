"""Paths inside a bundle."""

from __future__ import annotations

from transfer.fields import Fields


def is_bundle_path(path: str) -> bool:
    """Whether a path is relative, with plain components, below its folder."""
    parts = path.split("/")
    plain = all(part not in ("", ".", "..") for part in parts)
    return plain and "\\" not in path and path.isprintable()


def is_file_name(name: str) -> bool:
    """Whether a text is one plain component of a path."""
    return is_bundle_path(name) and "/" not in name


def check_bundle_path(fields: Fields, key: str, path: str) -> None:
    """Note a fault unless `is_bundle_path`."""
    if not is_bundle_path(path):
        fields.fault(key, f"not a path inside the bundle: {path!r}")
