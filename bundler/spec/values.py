"""The bundle spec as values: what a person wants carried, and what is known of the site."""

from __future__ import annotations

from dataclasses import dataclass

from bundler.spec.origin import Origin
from transfer.contents import ArchiveKind, MajorReleases
from transfer.digest import Digest
from transfer.reference import Reference

DEFAULT_PLATFORM = "linux/amd64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """The bytes of an entry: where they come from, and what the spec promises of them."""

    entry: str
    """Its path in the spec, for example `applications[0].releases[1].archive`."""
    origin: Origin
    sha256: Digest | None = None
    """What the spec promises."""

    @property
    def source(self) -> str:
        """The origin for messages and the lock; holds no secret."""
        return self.origin.name

    @property
    def file_name(self) -> str:
        """What the file is called, as far as the spec tells."""
        return self.origin.file_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveInput:
    """A vendor's archive, and what it has to be."""

    input: Input
    kind: ArchiveKind
    expected: str = ""
    """The slug of the application, or the version of the admin console; "" where any will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInput:
    """A plain file and its path in the bundle."""

    input: Input
    path: str
    platform: str | None = None
    """Of a kubectl-kots plugin; None for any other file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput:
    """An image that no archive holds: pulled from its registry, or taken from a local engine."""

    entry: str
    reference: Reference
    platforms: tuple[str, ...] = ()
    """Of an image of several platforms, those wanted, such as `linux/amd64`; () for all."""
    engine: str | None = None
    """The address of a Docker or Podman engine's API, `unix:///run/podman/podman.sock`, "" for
    the one that DOCKER_HOST names; None for a registry."""

    @property
    def source(self) -> str:
        """The image and what was chosen of it, for messages and the lock."""
        chosen = f" ({', '.join(self.platforms)})" if self.platforms else ""
        place = "" if self.engine is None else "engine:"
        return f"{place}{self.reference}{chosen}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where a secret is found: a variable of the environment, or a file."""

    variable: str | None = None
    path: str | None = None
    """Relative to the spec's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """The vendor's download portal, and where its credentials are."""

    api: str
    """`https://api.replicated.com`, or the vendor's own."""
    license_id: Secret
    password: Secret


PORTAL = Portal(
    api="https://api.replicated.com",
    license_id=Secret(variable="HARNESS_LICENSE_ID"),
    password=Secret(variable="HARNESS_PORTAL_PASSWORD"),
)
"""The vendor's portal, where a spec says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The KOTS admin console that is carried."""

    version: str
    minio: bool
    """False for a site that installs without it: `--with-minio=false`."""
    platforms: tuple[str, ...]
    """Of the machines at the site that run kubectl-kots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What the spec says of an application beside its releases; checked, and not carried."""

    entry: str
    slug: str
    installed: str | None = None
    """The version label that runs at the site; None where nothing is installed."""
    license_file: str | None = None
    """Relative to the spec's folder, as the next."""
    config_values: str | None = None
    major_releases: tuple[str, ...] = ()
    """The labels of the vendor's major releases, oldest first, as far as the upgrade path needs
    them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolkit:
    """The toolkit itself, to be installed at the site without a network."""

    platforms: tuple[str, ...]
    """Such as `linux/amd64`."""
    python: tuple[str, ...]
    """Versions, such as `3.11`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSpec:
    """Everything that a bundle is made of, in the order of the spec."""

    name: str
    version: str
    archives: tuple[ArchiveInput, ...]
    """The admin console, the applications with the oldest release first, archives of images."""
    images: tuple[ImageInput, ...]
    files: tuple[FileInput, ...]
    """The plugins first."""
    console: Console | None = None
    applications: tuple[Application, ...] = ()
    portal: Portal = PORTAL
    toolkit: Toolkit | None = None

    def inputs(self) -> tuple[Input, ...]:
        """Every file that is wanted, the archives first."""
        return (
            *(archive.input for archive in self.archives),
            *(file.input for file in self.files),
        )

    @property
    def major_releases(self) -> tuple[MajorReleases, ...]:
        """Those of each application that has any; the bundle tells the site."""
        return tuple(
            MajorReleases(slug=application.slug, labels=application.major_releases)
            for application in self.applications
            if application.major_releases
        )
