"""Rules on the admin console: its version, its plugins, and what KOTS keeps in the cluster."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bundler.check.facts import Facts
from bundler.spec.values import Console
from transfer.contents import ArchiveKind, ArchiveRecord, Contents
from transfer.kots.finding import Finding, Rule
from transfer.reference import Reference
from transfer.text import human_bytes

MOST_YAML = 750_000
"""Bytes of an `airgap.yaml`: in base64 it fills a ConfigMap, which may have 1 MiB (KOTS:
pkg/kotsadm, kotsadm-airgap-meta)."""


def console_of(contents: Contents) -> ArchiveRecord | None:
    """The admin console that is carried."""
    consoles = (one for one in contents.archives if one.kind is ArchiveKind.ADMIN_CONSOLE)
    return next(consoles, None)


def check_console(
    wanted: Console, contents: Contents, facts: Facts, released: Collection[str]
) -> Iterator[Finding]:
    """Whether the plugins and Minio are those of the console that the site will run.

    The plugins at the paths `released` come from the KOTS release of that version: one that does
    not say its version is believed.
    """
    console = console_of(contents)
    version = console.release.version_label if console else wanted.version
    there = {plugin.platform for plugin in contents.plugins}
    for platform in wanted.platforms:
        if platform not in there:
            yield Finding(
                rule=Rule.PLUGIN_MISSING,
                subject=platform,
                message=f"no kubectl-kots for {platform}: nothing else installs KOTS {version}",
                hint="name it in kots.plugins, or in kots.platforms the platforms of the site",
            )
    for plugin in contents.plugins:
        found = facts.plugins.get(plugin.file.path)
        if found or plugin.file.path not in released:
            yield from _check_plugin(plugin.file.path, found, version)
    if console:
        yield from _check_minio(wanted, console)


def _check_plugin(path: str, found: str | None, version: str) -> Iterator[Finding]:
    if found is None:
        yield Finding(
            rule=Rule.PLUGIN_UNKNOWN,
            subject=path,
            message=f"{path} does not say its version; it has to be {version}",
            hint="run kubectl kots version with it before it crosses",
        )
    elif found.removeprefix("v") != version.removeprefix("v"):
        yield Finding(
            rule=Rule.PLUGIN_VERSION,
            subject=path,
            message=f"{path} is kubectl-kots {found}; the admin console is {version}, and the "
            "plugin deploys the console of its own version",
            hint="take both from one KOTS release",
        )


def _check_minio(wanted: Console, console: ArchiveRecord) -> Iterator[Finding]:
    carried = any(_name(image.name) == "minio" for image in console.images)
    if wanted.minio and not carried:
        yield Finding(
            rule=Rule.MINIO_MISSING,
            subject=console.file_name,
            message=f"{console.file_name} holds no Minio, and the spec does not say kots.minio: "
            "false; KOTS installs it unless it is told otherwise",
            hint="say kots.minio: false, or carry kotsadm.tar.gz instead of kotsadm-nominio.tar.gz",
        )
    elif carried and not wanted.minio:
        yield Finding(
            rule=Rule.MINIO_CARRIED,
            subject=console.file_name,
            message=f"{console.file_name} holds Minio, and the spec says kots.minio: false; the "
            "site installs what is carried",
            hint="carry kotsadm-nominio.tar.gz, or say withMinio: false in the site file",
        )


def check_airgap_yaml(facts: Facts) -> Iterator[Finding]:
    """Whether KOTS can keep what each archive says of itself."""
    for release in facts.releases:
        if release.airgap_yaml_size > MOST_YAML:
            name, size = release.record.file_name, human_bytes(release.airgap_yaml_size)
            yield Finding(
                rule=Rule.AIRGAP_YAML_TOO_LARGE,
                subject=name,
                message=f"{name}: its airgap.yaml has {size}; KOTS keeps it in a ConfigMap, where "
                f"{human_bytes(MOST_YAML)} fit",
                hint="ask the vendor for an archive with shorter release notes or fewer images",
            )


def _name(image: str) -> str:
    return Reference.parse(image).repository.name
