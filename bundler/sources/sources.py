"""Which source an entry of the spec has."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bundler.sources.address import AddressSource
from bundler.sources.asking import Asker
from bundler.sources.asset import AssetSource, Checksums
from bundler.sources.evidence import with_spec
from bundler.sources.github import GitHub
from bundler.sources.local import LocalSource
from bundler.sources.modules import ModuleSource
from bundler.sources.once import Once
from bundler.sources.portal import PortalApi
from bundler.sources.protocol import FileSource, Location, Promise
from bundler.sources.release import PortalSource
from bundler.sources.secrets import Secrets
from bundler.spec.origin import Address, LocalFile, ManifestModule, ReleaseAsset
from bundler.spec.values import PORTAL, Input, Portal


class Sources:
    """Makes the sources of one run; they share what was found out.

    Nothing is opened or asked before a source is. May be used from any thread.
    """

    def __init__(
        self,
        asker: Asker,
        *,
        folder: Path,
        environ: Mapping[str, str],
        portal: Portal = PORTAL,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`folder` is where relative paths start; whoever made the asker's transport closes it."""
        self._folder = folder
        self._now = now
        self._asker = asker
        self._github = GitHub(self._asker, environ, now)
        self._checksums = Checksums(self._asker)
        self._portal = PortalApi(portal, self._asker, Secrets(environ, folder))
        self._warned: Once[tuple[str, int], None] = Once()

    def source_for(self, wanted: Input) -> FileSource:
        """The source of an entry; its promise holds what the spec promises, too."""
        return _Promised(self._source(wanted), wanted)

    def _source(self, wanted: Input) -> FileSource:
        origin = wanted.origin
        if isinstance(origin, LocalFile):
            return LocalSource(origin, self._folder)
        if isinstance(origin, Address):
            return AddressSource(origin, wanted.sha256, self._asker, self._now)
        if isinstance(origin, ReleaseAsset):
            return AssetSource(origin, self._github, self._checksums)
        if isinstance(origin, ManifestModule):
            return ModuleSource(origin, self._folder, self._asker, self._now, self._warned)
        return PortalSource(origin, self._portal, self._asker)


class _Promised:
    """A source whose promise was compared with the spec's."""

    def __init__(self, source: FileSource, wanted: Input) -> None:
        self._source = source
        self._wanted = wanted

    def promise(self) -> Promise:
        """As the source says, with the spec's digest.

        Raises:
            IntegrityError: they say different digests.
            TransferError: as the source.
        """
        return with_spec(self._source.promise(), self._wanted.sha256, self._wanted.source)

    def locate(self) -> Location:
        """As the source says."""
        return self._source.locate()
