"""What is served: a site store as it is at each moment, or a bundle under two names an image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from mirror.serve.exchange import Referrer, Shelf
from mirror.serve.subjects import referrer_of
from transfer.bundle.reader import Bundle
from transfer.bundle.structure import BUNDLE_FILE
from transfer.descriptor import MAX_MANIFEST_SIZE, Manifest
from transfer.digest import Digest, read_verified
from transfer.disk import open_plain, plain_size, storage_errors
from transfer.errors import IntegrityError, InvalidInput
from transfer.layout import OciLayout
from transfer.layout.folders import LAYOUT_FILE
from transfer.layout.index import INDEX_FILE
from transfer.naming import below
from transfer.reference import Reference, Repository, parse_endpoint
from transfer.relocate import listed_images, relocate

_ANY_HOST = "store.invalid"
_REMEMBERED = 8192
"""Manifests whose subjects are kept in memory, some hundred bytes each."""


def open_library(path: Path, namespace: str = "") -> Library:
    """Open a bundle, or the site store (or any OCI layout) at `path`.

    Every image of a bundle has two names: the one that KOTS gives it, and HOST/PATH of its own,
    under which a cluster finds it that has this registry for a mirror of HOST.

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
        return Library(layout, _StoredShelf(layout, endpoint), endpoint)
    bundle = Bundle.read(path)
    shelf = shelve(_carried(bundle, endpoint))
    return Library(bundle.layout, lambda: shelf, endpoint)


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

    def __init__(self, layout: OciLayout, shelf: Callable[[], Shelf], endpoint: Repository) -> None:
        self._layout = layout
        self._endpoint = endpoint
        self._read = lru_cache(_REMEMBERED)(self._read_subject)
        self.shelf = shelf

    @property
    def folder(self) -> Path:
        """Where the layout is."""
        return self._layout.path

    def hosts(self) -> dict[str, str]:
        """The registries whose images are here under their own names, and the path of each."""
        prefix = f"{self._endpoint.path}/" if self._endpoint.path else ""
        inner = [path.removeprefix(prefix) for path in self.shelf() if path.startswith(prefix)]
        hosts = {host for host, slash, _ in (path.partition("/") for path in inner) if slash}
        return {host: prefix + host for host in sorted(hosts) if "." in host or ":" in host}

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
            return Manifest.parse(raw, what, algorithm=digest.algorithm)
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

    def referrers(self, roots: Iterable[Digest]) -> Iterator[Referrer]:
        """Everything at and below these manifests that is about another manifest.

        Raises:
            IntegrityError: a manifest is damaged.
        """
        waiting, seen = list(roots), set[Digest]()
        while waiting:
            digest = waiting.pop()
            if digest in seen or self.blob_size(digest) is None:
                continue
            seen.add(digest)
            referrer, below_it = self._read(digest)
            waiting += below_it
            if referrer:
                yield referrer

    def _read_subject(self, digest: Digest) -> tuple[Referrer | None, tuple[Digest, ...]]:
        manifest = self.manifest(digest)
        if manifest is None:
            return None, ()
        below_it = tuple(child.digest for child in manifest.manifests)
        return referrer_of(manifest, digest), below_it

    def _what(self, digest: Digest) -> str:
        return f"{self._layout.description}: blob {digest}"


def shelve(images: Iterable[tuple[Reference, Digest]]) -> Shelf:
    """Put images on a shelf; one without a tag stands there by its digest."""
    shelf: dict[str, dict[str, Digest]] = {}
    for reference, digest in images:
        names = shelf.setdefault(reference.repository.path, {})
        names[reference.tag or str(digest)] = digest
    return shelf


def _carried(bundle: Bundle, endpoint: Repository) -> Iterator[tuple[Reference, Digest]]:
    """The images of a bundle, each by the name that KOTS gives it and by its own."""
    for planned in relocate(listed_images(bundle.contents), endpoint).relocations:
        yield planned.destination, planned.root.digest
        own = Reference.parse(planned.source)
        yield replace(own, repository=below(endpoint, str(own.repository))), planned.root.digest


class _StoredShelf:
    """The images of a site store, read again whenever its index has changed."""

    def __init__(self, layout: OciLayout, endpoint: Repository) -> None:
        self._layout = layout
        self._endpoint = endpoint
        self._known: tuple[tuple[int, int, int], Shelf] | None = None

    def __call__(self) -> Shelf:
        with storage_errors(f"{self._layout.description}: {INDEX_FILE}"):
            status = (self._layout.path / INDEX_FILE).stat()
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)  # replaced whole, never edited
        known = self._known
        if known is None or known[0] != stamp:
            known = self._known = stamp, shelve(self._stored())
        return known[1]

    def _stored(self) -> Iterator[tuple[Reference, Digest]]:
        """Its images; a name that no registry could have is left out."""
        for name, root in self._layout.images().items():
            try:
                reference = Reference.parse(f"{_ANY_HOST}/{name}")
            except InvalidInput:
                continue
            repository = below(self._endpoint, reference.repository.path)
            yield replace(reference, repository=repository), root.digest
