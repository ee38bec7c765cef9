"""Rules on each application: its releases, licence and configuration, as the site meets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bundler.check.console import console_of
from bundler.check.facts import Facts, ReleaseFacts
from bundler.spec.values import Application
from transfer.contents import ArchiveKind, Contents
from transfer.kots.finding import Finding
from transfer.kots.gate import version_gate
from transfer.kots.licence import check_channel, check_licence
from transfer.kots.upgrade import Installed, check_path, oldest_first, pending
from transfer.kots.values import check_values


def check_application(
    application: Application, contents: Contents, facts: Facts, now: datetime
) -> Iterator[Finding]:
    """Everything that KOTS would have against an application at the site."""
    carried = _releases(application, facts)
    deployed = _deployed(application, carried)
    yield from _check_gate(application, deployed, contents)
    if application.installed is not None:
        start = Installed(label=application.installed)
        yield from check_path(application.slug, start, carried, application.major_releases)
    yield from _check_licence(application, deployed, facts, now)
    values = facts.site.values.get(application.slug)
    if values:
        asked = [
            (f"{application.slug} {one.release.version_label}", one.files.config)
            for one in deployed
        ]
        yield from check_values(values, [(name, config) for name, config in asked if config])


def _releases(application: Application, facts: Facts) -> list[ReleaseFacts]:
    return oldest_first(
        [
            one
            for one in facts.releases
            if one.record.kind is ArchiveKind.APPLICATION
            and one.release.app_slug == application.slug
        ]
    )


def _deployed(application: Application, carried: Sequence[ReleaseFacts]) -> list[ReleaseFacts]:
    """The releases that the site will run: an install takes the newest, an upgrade each one."""
    if application.installed is None:
        return list(carried[-1:])
    return pending(carried, Installed(label=application.installed))


def _check_gate(
    application: Application, deployed: Sequence[ReleaseFacts], contents: Contents
) -> Iterator[Finding]:
    console = console_of(contents)
    if console is None:
        return
    version, install = console.release.version_label, application.installed is None
    for one in deployed:
        finding = version_gate(application.slug, one.release, version, install=install)
        if finding:
            yield finding


def _check_licence(
    application: Application, deployed: Sequence[ReleaseFacts], facts: Facts, now: datetime
) -> Iterator[Finding]:
    licence = facts.site.licences.get(application.slug)
    if licence is None:
        return
    file = application.license_file or "licence"
    yield from check_licence(licence, application.slug, file, now)
    for one in deployed:
        finding = check_channel(licence, application.slug, one.release)
        if finding:
            yield finding
