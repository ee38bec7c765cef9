"""Reads what a spec says of KOTS: the admin console with its plugins, and the applications."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.spec.inputs import INPUT_KEYS, RELEASE_KEYS, is_address, read_input
from bundler.spec.origin import ReleaseAsset
from bundler.spec.values import (
    DEFAULT_PLATFORM,
    Application,
    ArchiveInput,
    Console,
    FileInput,
    Input,
)
from transfer.contents import PLUGINS, ArchiveKind
from transfer.fields import Fields

KOTS_RELEASES = "https://api.github.com/repos/replicatedhq/kots"
KOTS_KEYS = ("version", "minio", "platforms", "releases", "archive", "plugins")

PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9]+")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_VERSION = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+[-+.0-9A-Za-z]*")
_PLUGIN_ASSETS = {
    "linux/amd64": "kots_linux_amd64.tar.gz",
    "linux/arm64": "kots_linux_arm64.tar.gz",
    "darwin/amd64": "kots_darwin_all.tar.gz",
    "darwin/arm64": "kots_darwin_all.tar.gz",
}
"""Of every KOTS release; its `kots_<version>_checksums.txt` lists these."""

_APPLICATION_KEYS = (
    "slug",
    "installed",
    "license",
    "configValues",
    "majorReleases",
    "releases",
)


def read_kots(
    fields: Fields | None,
) -> tuple[Console | None, list[ArchiveInput], list[FileInput]]:
    """The admin console with its archive and plugins; those not given come from its release."""
    if fields is None:
        return None, [], []
    version = fields.text("version")
    console = Console(
        version=version,
        minio=fields.boolean("minio", default=True),
        platforms=tuple(_read_platforms(fields)) or (DEFAULT_PLATFORM,),
    )
    repository = fields.text("releases", KOTS_RELEASES).rstrip("/")
    is_address(repository, fields, "releases")
    plugins = [
        _read_plugin(plugin) for plugin in fields.children("plugins", "platform", *INPUT_KEYS)
    ]
    archive = fields.child("archive", *INPUT_KEYS)
    if archive is not None:
        found = read_input(archive)
    else:
        if version and not _VERSION.fullmatch(version):
            fields.fault("version", f"expected a KOTS version such as v1.131.4, found {version!r}")
        name = "kotsadm.tar.gz" if console.minio else "kotsadm-nominio.tar.gz"
        found = _asset(fields.at("archive"), repository, version, name)
        given = {plugin.platform for plugin in plugins}
        missing = [platform for platform in console.platforms if platform not in given]
        plugins += [
            _released_plugin(fields.where, repository, version, platform)
            for platform in missing
            if platform in _PLUGIN_ASSETS
        ]
    return (
        console,
        [ArchiveInput(input=found, kind=ArchiveKind.ADMIN_CONSOLE, expected=version)],
        plugins,
    )


def _read_platforms(fields: Fields) -> Iterator[str]:
    seen = set()
    for place, text in fields.placed_texts("platforms"):
        if text not in _PLUGIN_ASSETS:
            known = ", ".join(_PLUGIN_ASSETS)
            fields.fault(place, f"there is no kubectl-kots for {text!r}; there is for {known}")
        elif text in seen:
            fields.fault(place, f"{text} stands there twice")
        else:
            seen.add(text)
            yield text


def _asset(entry: str, repository: str, version: str, name: str) -> Input:
    tag = f"v{version.removeprefix('v')}"
    origin = ReleaseAsset(repository=repository, tag=tag, file_name=name)
    return Input(entry=entry, origin=origin)


def _released_plugin(where: str, repository: str, version: str, platform: str) -> FileInput:
    name = _PLUGIN_ASSETS[platform]
    found = _asset(f"{where}.plugins[{platform}]", repository, version, name)
    return FileInput(input=found, path=f"{PLUGINS}/{platform}/{name}", platform=platform)


def _read_plugin(fields: Fields) -> FileInput:
    platform = fields.text("platform")
    if platform and not PLATFORM.fullmatch(platform):
        fields.fault(
            "platform", f"expected os/architecture such as linux/amd64, found {platform!r}"
        )
    found = read_input(fields)
    return FileInput(input=found, path=f"{PLUGINS}/{platform}/{found.file_name}", platform=platform)


def read_applications(parent: Fields) -> tuple[tuple[Application, ...], list[ArchiveInput]]:
    """The applications, and the archives of their releases, each application's oldest first."""
    applications: list[Application] = []
    archives: list[ArchiveInput] = []
    seen: dict[str, str] = {}
    for fields in parent.children("applications", *_APPLICATION_KEYS):
        slug = fields.text("slug")
        if slug and not SLUG.fullmatch(slug):
            fields.fault("slug", f"not a slug: {slug!r}; expected lower-case words joined by -")
        if slug in seen:
            fields.fault("slug", f"{slug} stands at {seen[slug]} already")
        elif slug:
            seen[slug] = fields.at("slug")
        archives += _read_releases(fields, slug)
        applications.append(_read_application(fields, slug))
    return tuple(applications), archives


def _read_application(fields: Fields, slug: str) -> Application:
    majors = fields.texts("majorReleases")
    if len(set(majors)) != len(majors):
        fields.fault("majorReleases", "names a release twice")
    return Application(
        entry=fields.where,
        slug=slug,
        installed=fields.optional_text("installed"),
        license_file=fields.optional_text("license"),
        config_values=fields.optional_text("configValues"),
        major_releases=majors,
    )


def _read_releases(parent: Fields, slug: str) -> Iterator[ArchiveInput]:
    releases = parent.children("releases", "archive")
    if not releases:
        parent.fault("releases", "is missing: name at least one release")
    for release in releases:
        archive = release.child("archive", *RELEASE_KEYS)
        if archive is None:
            release.fault("archive", "is missing: give path:, url: or portal:")
        else:
            found = read_input(archive, slug or "application")
            yield ArchiveInput(input=found, kind=ArchiveKind.APPLICATION, expected=slug)
