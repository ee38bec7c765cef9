"""What is served: a site store as it is at each moment, or a bundle under the names of KOTS."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from mirror.serve.answers import Shelf
from transfer.bundle.reader import Bundle
from transfer.bundle.structure import BUNDLE_FILE
from transfer.descriptor import MAX_MANIFEST_SIZE, Manifest
from transfer.digest import Digest, read_verified
from transfer.disk import open_plain, plain_size, storage_errors
from transfer.errors import IntegrityError, InvalidInput
from transfer.layout import OciLayout
from transfer.layout.folders import LAYOUT_FILE
from transfer.naming import below
from transfer.reference import Reference, Repository, parse_endpoint
from transfer.relocate import listed_images, relocate

_ANY_HOST = "store.invalid"


def open_library(path: Path, namespace: str = "") -> Library:
    """Open a bundle, or the site store (or any OCI layout) at `path`.

    Args:
        path: The folder.
        namespace: Goes before the path of every repository.

    Raises:
        NotFound: neither of them is there.
        InvalidInput: something else is there, or the namespace is not the path of a repository.
        Conflict: two images of the bundle have one name.
        IntegrityError: the bundle or layout is damaged.
    """
    endpoint = Repository("", _path(namespace))
    if not (path / BUNDLE_FILE).exists():
        if path.exists() and not (path / LAYOUT_FILE).exists():
            raise InvalidInput(
                f"{path}: neither a site store nor a bundle",
                hint=f"fill a store first: airgap-mirror push {path} --to oci:DIR",
            )
        layout = OciLayout.read(path, f"site store {path}")
        return Library(layout, lambda: shelve(_stored(layout, endpoint)))
    bundle = Bundle.read(path)
    plan = relocate(listed_images(bundle.contents), endpoint)
    shelf = shelve((planned.destination, planned.root.digest) for planned in plan.relocations)
    return Library(bundle.layout, lambda: shelf)


def _path(namespace: str) -> str:
    try:
        return parse_endpoint(f"{_ANY_HOST}/{namespace}").path if namespace else ""
    except InvalidInput as error:
        raise InvalidInput(
            f"--namespace {namespace!r}: not the path of a repository",
            hint="write it as in REGISTRY/NAMESPACE/IMAGE: lower case, no slash at either end",
        ) from error


class Library:
    """The content of an OCI layout, under the names that `shelf` gives."""

    def __init__(self, layout: OciLayout, shelf: Callable[[], Shelf]) -> None:
        self._layout = layout
        self.shelf = shelf

    def manifest(self, digest: Digest) -> Manifest | None:
        """A manifest, proven; None where there is none, or only a blob that is none.

        Raises:
            IntegrityError: the bytes kept under this digest are others.
        """
        size = self.blob_size(digest)
        if size is None or size > MAX_MANIFEST_SIZE:
            return None
        what = self._what(digest)
        with open_plain(self._layout.path_of(digest), what) as stream:
            raw = read_verified(stream, digest, size, what)
        try:
            return Manifest.parse(raw, what)
        except IntegrityError:
            return None

    def blob_size(self, digest: Digest) -> int | None:
        """Bytes of a blob; None where there is none."""
        return plain_size(self._layout.path_of(digest), self._what(digest))

    @contextmanager
    def open_blob(self, digest: Digest) -> Iterator[BinaryIO]:
        """Open a blob's file, for a socket to send.

        Raises:
            NotFound: it is gone.
            StorageError: it cannot be opened.
        """
        with storage_errors(self._what(digest)):
            handle = os.open(self._layout.path_of(digest), os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb", buffering=0) as file:
            yield file

    def _what(self, digest: Digest) -> str:
        return f"{self._layout.description}: blob {digest}"


def shelve(images: Iterable[tuple[Reference, Digest]]) -> Shelf:
    """Put images on a shelf; one that is named by digest alone has no tag there."""
    shelf: dict[str, dict[str, Digest]] = {}
    for reference, digest in images:
        tags = shelf.setdefault(reference.repository.path, {})
        if reference.tag:
            tags[reference.tag] = digest
    return shelf


def _stored(layout: OciLayout, endpoint: Repository) -> Iterator[tuple[Reference, Digest]]:
    """The images of a site store; a name that no registry could have is left out."""
    for name, root in layout.images().items():
        try:
            reference = Reference.parse(f"{_ANY_HOST}/{name}")
        except InvalidInput:
            continue
        repository = below(endpoint, reference.repository.path)
        yield replace(reference, repository=repository), root.digest
