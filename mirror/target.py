"""Where images go: a registry's endpoint, or a site store on a disk, as `--to` names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from transfer.descriptor import Descriptor
from transfer.disk import storage_errors
from transfer.errors import InvalidInput
from transfer.habits import UNKNOWN, Habits
from transfer.layout import OciLayout
from transfer.progress import SILENT, Progress
from transfer.reference import Reference, Repository, parse_endpoint
from transfer.registry import Credentials, Identity, RegistryClient, RetryPolicy
from transfer.store import Source, Target

STORE_PREFIX = "oci:"

_OF_A_STORE = frozenset({"blobs", "ingest", "index.json", "oci-layout"})


class Holder(Source, Target, Protocol):
    """A place that is written to and read back."""


class Destinations(Protocol):
    """Every place below one `--to`."""

    @property
    def endpoint(self) -> Repository:
        """What relocation puts before every name; its registry is "" for a site store."""
        ...

    @property
    def description(self) -> str:
        """The `--to`, as a receipt names it."""
        ...

    def place(self, destination: Reference) -> tuple[Holder, str]:
        """Where an image goes, and its name there; the same object for the same repository."""
        ...

    def tags(self, repository: Repository) -> list[str]:
        """Every tag of a repository; none where there is no such repository.

        Raises:
            TransferError: the registry does not list them.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryAccess:
    """How to reach a registry, and as whom."""

    ca_file: Path | None = None
    plain_http: bool = False
    verify: bool = True
    identity: Identity | None = None
    """A certificate of our own, where the registry wants to see one."""
    credentials: Credentials | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names the docker credential files and the proxies."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    habits: Habits = UNKNOWN
    """What a probe found out; advice, and no more."""
    create_missing: bool = False
    """Whether to create projects and repositories that a push needs."""

    def connect(self, host: str, progress: Progress = SILENT) -> RegistryClient:
        """A client for the registry; nothing is sent yet.

        Raises:
            InvalidInput: `host` is not one, or a certificate's file can't be used.
        """
        return RegistryClient.connect(
            host,
            ca_file=self.ca_file,
            plain_http=self.plain_http,
            verify=self.verify,
            identity=self.identity,
            credentials=self.credentials,
            environ=self.environ,
            retry=self.retry,
            progress=progress,
            habits=self.habits,
            create_missing=self.create_missing,
        )


class RegistryDestinations:
    """The repositories below the endpoint of a registry."""

    def __init__(self, client: RegistryClient, endpoint: Repository) -> None:
        self.endpoint = endpoint
        self.description = str(endpoint)
        self._client = client

    def place(self, destination: Reference) -> tuple[Holder, str]:
        """The repository of a destination, and the image's tag or digest in it."""
        return self._client.repository(destination.repository.path), destination.name

    def tags(self, repository: Repository) -> list[str]:
        """As the registry lists them."""
        return self._client.repository(repository.path).tags()


class StoreDestinations:
    """A site store: one OCI layout, in which an image is named `path:tag` or `path@digest`."""

    def __init__(self, layout: OciLayout) -> None:
        self.endpoint = Repository("", "")
        self.description = f"{STORE_PREFIX}{layout.path}"
        self._layout = layout

    def place(self, destination: Reference) -> tuple[Holder, str]:
        """The store, and the image's name in it."""
        return self._layout, str(destination)

    def tags(self, repository: Repository) -> list[str]:
        """As the names in the store say."""
        start = f"{repository.path}:"
        names = self._layout.images()
        return [name.removeprefix(start) for name in names if name.startswith(start)]


@contextmanager
def open_destinations(
    to: str, access: RegistryAccess, *, writing: bool = False, progress: Progress = SILENT
) -> Iterator[Destinations]:
    """Reach what `--to` names: `HOST[:PORT][/NAMESPACE]`, or `oci:DIR` for a site store.

    A store is made where there is none, if it is opened for writing.

    Raises:
        InvalidInput: it is neither, or a folder that is no site store.
        StorageError: the store cannot be written.
        TransferError: the registry cannot be reached, or lets us not in.
    """
    if to.startswith(STORE_PREFIX):
        if to == STORE_PREFIX:
            raise InvalidInput(
                f"{to} names no folder", hint="write oci:DIR, for example oci:/srv/images"
            )
        with _open_store(Path(to.removeprefix(STORE_PREFIX)), writing=writing) as layout:
            yield StoreDestinations(layout)
        return
    endpoint = parse_endpoint(to)
    with access.connect(endpoint.registry, progress) as client:
        client.ping()
        yield RegistryDestinations(client, endpoint)


class _Absent(OciLayout):
    """A store that is not there yet."""

    def resolve(self, name: str) -> Descriptor | None:  # noqa: ARG002 - the base's
        """Nothing has a name."""
        return None


def _open_store(path: Path, *, writing: bool) -> OciLayout:
    what = f"site store {path}"
    with storage_errors(what):
        names = {entry.name for entry in path.iterdir()} if path.exists() else set()
    if names - _OF_A_STORE:
        raise InvalidInput(
            f"{what}: holds {min(names - _OF_A_STORE)}, which is not part of a site store",
            hint="give an empty folder, or one that was filled by a push before",
        )
    if writing:
        return OciLayout.create(path, what)
    return OciLayout.read(path, what) if "oci-layout" in names else _Absent(path, what)
