"""The bundle spec: what a person wants carried, as values. Parsed strictly, all faults at once.

```yaml
apiVersion: airgap/v1
kind: BundleSpec
name: harness
version: "2026.11"
kots:
  version: v1.131.4
  archive: {path: kotsadm.tar.gz}                       # or url: with sha256:
  plugins: [{platform: linux/amd64, path: kots_linux_amd64.tar.gz}]
applications:
  - slug: harness
    releases: [{archive: {url: https://example.com/h.airgap, sha256: …}}]
imageArchives: [{path: platform_images.tgz}]
images: [docker.io/harness/delegate:latest]
files: [{name: values/configvalues.yaml, path: configvalues.yaml}]
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from transfer.contents import FILES, KEPT_ARCHIVES, PLUGINS, ArchiveKind, is_bundle_path
from transfer.digest import Digest
from transfer.errors import InvalidInput
from transfer.fields import Fields, read_yaml
from transfer.reference import Reference

_LISTS = ("applications", "imageArchives", "images", "files")
_INPUT_KEYS = ("path", "url", "sha256")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9]+")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Where some bytes come from: a local file or an address, never both."""

    entry: str
    """Its path in the spec, for example `applications[0].releases[1].archive`."""
    path: str | None = None
    """As written; relative to the spec's folder."""
    url: str | None = field(default=None, repr=False)
    """It may hold a signature."""
    sha256: Digest | None = None
    """What the spec promises of it; always there with a URL."""

    @property
    def source(self) -> str:
        """The file or address for messages and the lock: no query, which may hold a signature."""
        if self.url is None:
            return self.path or ""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"

    @property
    def file_name(self) -> str:
        """The last component of the path or address."""
        path = self.path or "" if self.url is None else unquote(urlsplit(self.url).path)
        return path.rstrip("/").rpartition("/")[2]


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
    """An image that is pulled from its own registry."""

    entry: str
    reference: Reference


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

    @classmethod
    def parse(cls, text: str, file: str) -> Self:
        """Read a spec; `file` names it in messages.

        Raises:
            InvalidInput: with every fault and the path to it.
            UnsupportedVersion: it was written for a newer version of the toolkit.
        """
        fields = read_yaml(
            text,
            file,
            *("apiVersion", "kind", "name", "version", "kots"),
            *_LISTS,
        )
        fields.expect("BundleSpec")
        console, plugins = _read_kots(fields)
        spec = cls(
            name=fields.text("name"),
            version=fields.text("version"),
            archives=(*console, *_read_applications(fields), *_read_image_archives(fields)),
            images=tuple(_read_images(fields)),
            files=(*plugins, *_read_files(fields)),
        )
        _refuse_clashes(fields, spec.files)
        if not any(key in fields for key in ("kots", *_LISTS)):
            fields.fault("", "names nothing to carry")
        fields.faults.raise_all()
        return spec


def _read_kots(parent: Fields) -> tuple[list[ArchiveInput], list[FileInput]]:
    fields = parent.child("kots", "version", "archive", "plugins")
    if fields is None:
        return [], []
    version = fields.text("version")
    archive = fields.child("archive", *_INPUT_KEYS)
    if archive is None:
        fields.fault("archive", "is missing: give path: or url:")
        consoles = []
    else:
        consoles = [
            ArchiveInput(
                input=_read_input(archive), kind=ArchiveKind.ADMIN_CONSOLE, expected=version
            )
        ]
    return consoles, [
        _read_plugin(plugin) for plugin in fields.children("plugins", "platform", *_INPUT_KEYS)
    ]


def _read_plugin(fields: Fields) -> FileInput:
    platform = fields.text("platform")
    if platform and not _PLATFORM.fullmatch(platform):
        fields.fault(
            "platform", f"expected os/architecture such as linux/amd64, found {platform!r}"
        )
    found = _read_input(fields)
    return FileInput(input=found, path=f"{PLUGINS}/{platform}/{found.file_name}", platform=platform)


def _read_applications(parent: Fields) -> Iterator[ArchiveInput]:
    seen: dict[str, str] = {}
    for fields in parent.children("applications", "slug", "releases"):
        slug = fields.text("slug")
        if slug and not _SLUG.fullmatch(slug):
            fields.fault("slug", f"not a slug: {slug!r}; expected lower-case words joined by -")
        _refuse_duplicate(fields, "slug", slug, seen)
        releases = fields.children("releases", "archive")
        if not releases:
            fields.fault("releases", "is missing: name at least one release")
        for release in releases:
            archive = release.child("archive", *_INPUT_KEYS)
            if archive is None:
                release.fault("archive", "is missing: give path: or url:")
            else:
                yield ArchiveInput(
                    input=_read_input(archive), kind=ArchiveKind.APPLICATION, expected=slug
                )


def _read_image_archives(parent: Fields) -> Iterator[ArchiveInput]:
    for fields in parent.children("imageArchives", *_INPUT_KEYS):
        yield ArchiveInput(input=_read_input(fields), kind=ArchiveKind.IMAGES)


def _read_images(fields: Fields) -> Iterator[ImageInput]:
    seen: dict[str, str] = {}
    for key, text in fields.placed_texts("images"):
        try:
            reference = Reference.parse(text)
        except InvalidInput as error:
            fields.fault(key, error.message)
            continue
        _refuse_duplicate(fields, key, str(reference), seen)
        yield ImageInput(entry=fields.at(key), reference=reference)


def _read_files(parent: Fields) -> Iterator[FileInput]:
    for fields in parent.children("files", "name", *_INPUT_KEYS):
        name = fields.text("name")
        if name and not is_bundle_path(name):
            fields.fault("name", f"not a path below files/: {name!r}")
        path = f"{FILES}/{name}"
        for folder in (PLUGINS, KEPT_ARCHIVES):
            if f"{path}/".startswith(f"{folder}/"):
                fields.fault("name", f"{folder}/ is filled by the toolkit: choose another folder")
        yield FileInput(input=_read_input(fields), path=path)


def _read_input(fields: Fields) -> Input:
    path, url = fields.optional_text("path"), fields.optional_text("url")
    if (path is None) == (url is None):
        fields.fault("", f"expected path: or url:, found {'both' if path else 'neither'}")
    if url is not None:
        if "sha256" not in fields:
            fields.fault("sha256", "is missing: a url: needs the SHA-256 of what is behind it")
        if not _is_usable(url, fields):
            url = None
    digest = fields.digest("sha256", bare_sha256=True) if "sha256" in fields else None
    if digest is not None and digest.algorithm != "sha256":
        fields.fault("sha256", f"expected a SHA-256, found a {digest.algorithm}")
    found = Input(entry=fields.where, path=path, url=url, sha256=digest)
    if (path or url) and not is_bundle_path(found.file_name):
        fields.fault("url" if url else "path", "does not end with the name of a file")
    return found


def _is_usable(url: str, fields: Fields) -> bool:
    """The address itself is not repeated: it may hold a password or a signature."""
    try:
        parts = urlsplit(url)
        host, user, _ = parts.hostname, parts.username, parts.port
    except ValueError:
        host = user = None
        parts = urlsplit("https:")
    if parts.scheme not in ("http", "https"):
        fields.fault("url", f"expected http:// or https://, found {parts.scheme or 'no'} scheme")
    elif not host:
        fields.fault("url", "not an address with a host")
    elif user is not None:
        fields.fault("url", "holds a user name or password: a spec is no place for either")
    else:
        return True
    return False


def _refuse_duplicate(fields: Fields, key: str, name: str, seen: dict[str, str]) -> None:
    if name in seen:
        fields.fault(key, f"{name} stands at {seen[name]} already")
    elif name:
        seen[name] = fields.at(key)


def _refuse_clashes(fields: Fields, files: Iterable[FileInput]) -> None:
    """No two files may want one path, nor one the other's folder; letter case is no difference."""
    seen: dict[str, str] = {}
    for file in files:
        path, entry = file.path.casefold(), file.input.entry
        parts = path.split("/")
        above = ("/".join(parts[:i]) for i in range(1, len(parts)))
        below = (taken for taken in seen if taken.startswith(f"{path}/"))
        clash = next((taken for taken in (path, *above, *below) if taken in seen), None)
        if clash is not None:
            fields.fault(entry, f"{file.path} in the bundle is taken by {seen[clash]}")
        seen.setdefault(path, entry)
