"""Every rule, held against everything that was gathered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bundler.check.applications import check_application
from bundler.check.console import check_airgap_yaml, check_console
from bundler.check.facts import Facts
from bundler.check.images import check_images, check_places
from bundler.spec import BundleSpec
from bundler.spec.origin import ReleaseAsset
from transfer.contents import Contents
from transfer.kots.finding import Finding


def judge(spec: BundleSpec, contents: Contents, facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """What is wrong with a bundle of these contents, all of it.

    Args:
        spec: What is wanted, and what is known of the site.
        contents: What the bundle will hold.
        facts: What was gathered of the same archives, plugins and files.
        now: The time, with its time zone: licences end.
    """
    return tuple(_findings(spec, contents, facts, now))


def _findings(
    spec: BundleSpec, contents: Contents, facts: Facts, now: datetime
) -> Iterator[Finding]:
    yield from check_places(contents)
    if spec.console:
        released = [file.path for file in spec.files if isinstance(file.input.origin, ReleaseAsset)]
        yield from check_console(spec.console, contents, facts, released)
    yield from check_airgap_yaml(facts)
    yield from check_images(contents, facts)
    for application in spec.applications:
        yield from check_application(application, contents, facts, now)
