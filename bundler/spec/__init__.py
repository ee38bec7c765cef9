"""The bundle spec: what a person writes, as values. `parse` reads it strictly."""

from bundler.spec.parse import parse_spec
from bundler.spec.values import ArchiveInput, BundleSpec, FileInput, ImageInput, Input

__all__ = ["ArchiveInput", "BundleSpec", "FileInput", "ImageInput", "Input", "parse_spec"]
