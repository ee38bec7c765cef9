"""Where the bytes of an entry come from, as the spec says it: one type for each kind of source."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A file beside the spec."""

    path: str
    """As written; relative to the spec's folder."""

    @property
    def name(self) -> str:
        """As messages and the lock name it."""
        return self.path

    @property
    def file_name(self) -> str:
        """The last component of the path."""
        return self.path.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A file behind an http(s) address."""

    url: str = field(repr=False)
    """It may hold a signature."""

    @property
    def name(self) -> str:
        """The address without its query, which may hold a signature."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"

    @property
    def file_name(self) -> str:
        """The last component of the path."""
        return unquote(urlsplit(self.url).path).rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAsset:
    """A file of a release on GitHub, found by the release's tag."""

    repository: str
    """The address of the repository in the API: `https://api.github.com/repos/<owner>/<name>`."""
    tag: str
    file_name: str

    @property
    def name(self) -> str:
        """For example `https://api.github.com/repos/replicatedhq/kots@v1.131.4/kotsadm.tar.gz`."""
        return f"{self.repository}@{self.tag}/{self.file_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalRelease:
    """A release in the vendor's download portal: the one of a sequence, or of a label."""

    slug: str
    """The application's; part of the file's name, and of nothing that is asked."""
    sequence: int | None = None
    label: str | None = None
    channel: str | None = None
    """The channel's id, for a licence that has several."""

    @property
    def name(self) -> str:
        """For example `portal:harness-ng/sequence/412`."""
        which = f"label/{self.label}" if self.sequence is None else f"sequence/{self.sequence}"
        return f"portal:{self.slug}{f'/{self.channel}' if self.channel else ''}/{which}"

    @property
    def file_name(self) -> str:
        """The portal's own names are known only when it is asked."""
        which = self.label if self.sequence is None else str(self.sequence)
        return f"{self.slug}-{which}.airgap"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestModule:
    """An archive of images that a manifest from Harness support gives a signed address for."""

    manifest: str
    """The manifest's path, relative to the spec's folder."""
    module: str
    """For example `platform` or `ci/plugins`, as the manifest names it."""

    @property
    def name(self) -> str:
        """For example `smp-bundle-manifest.yaml#platform`; a fresh manifest changes nothing."""
        return f"{self.manifest}#{self.module}"

    @property
    def file_name(self) -> str:
        """The name that its archive has in the bundle's records."""
        return f"{self.module.replace('/', '-')}_images.tgz"


Origin = LocalFile | Address | ReleaseAsset | PortalRelease | ManifestModule
