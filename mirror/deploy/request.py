"""What the connected side is asked for: whatever an upgrade lacks, as a bundle spec of its own.

The bundler reads it as it is. Where a release comes from another place than the vendor's portal,
whoever gets it puts `path:` or `url:` there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mirror.deploy.model import Order, State
from mirror.deploy.path import majors_of, object_to
from mirror.deploy.releases import by_application, console_for
from mirror.offer import Offered
from mirror.site import Site
from transfer.contents import is_file_name
from transfer.kots.finding import Finding, Wanted
from transfer.kots.upgrade import Installed
from transfer.kots.version import is_older, numbers
from transfer.plain import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """What one application lacks."""

    slug: str
    carried: str
    """What its archives call it."""
    installed: Installed
    majors: tuple[str, ...]
    releases: tuple[Wanted, ...]
    """Oldest first."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What all applications of a site lack."""

    site: str
    console: str
    """The admin console that runs there, as far as that is known."""
    kots: str
    """The version of KOTS that is needed; "" where the one at hand will do."""
    applications: tuple[Lacking, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is missing that anybody could carry."""
        return not (self.kots or any(one.releases for one in self.applications))


def request(site: Site, offers: Sequence[Offered], order: Order, state: State) -> Request:
    """What is missing among the sources for the upgrade that was asked for."""
    newest = console_for(offers, order)
    carried = newest.release.version_label if newest and not order.skip_console else ""
    found, running, kots = [], "", ""
    for slug, releases in by_application(offers, order).items():
        deployed = state.namespaces.get(site.application(slug).namespace)
        if deployed is None or slug not in deployed.applications:
            continue
        running = deployed.console.version if deployed.console else ""
        then = carried if not running or is_older(running, carried) else running
        installed = deployed.applications[slug]
        findings = tuple(object_to(slug, installed, releases, then))
        kots = max((kots, *(one.wanted_kots for one in findings)), key=_rank)
        found.append(_lacking(slug, installed, releases, findings))
    return Request(site=site.name, console=running, kots=kots, applications=tuple(found))


def _rank(version: str) -> tuple[int, ...]:
    return numbers(version) or ()


def _lacking(
    slug: str, installed: Installed, offers: Sequence[Offered], findings: Sequence[Finding]
) -> Lacking:
    told = [one for one in findings if one.wanted or one.wanted_kots]
    return Lacking(
        slug=slug,
        carried=offers[-1].release.app_slug,
        installed=installed,
        majors=majors_of(offers),
        releases=_in_order(release for one in told for release in one.wanted),
        reasons=tuple(one.message for one in told),
    )


def as_spec(request: Request) -> str:
    """A bundle spec with everything that is missing, and why in comments."""
    notes = [f"What {request.site} lacks for its upgrade. airgap-bundler build takes this file."]
    if request.console:
        notes.append(f"The admin console there is {request.console}.")
    for one in request.applications:
        notes.append(f"{one.slug} is at {one.installed.label or 'no release that is known'}.")
        notes += [f"{reason}." for reason in one.reasons]
    spec: dict[str, Any] = {
        "apiVersion": "airgap/v1",
        "kind": "BundleSpec",
        "name": request.site,
        "version": "request",
    }
    if request.kots:
        spec["kots"] = {"version": f"v{request.kots.removeprefix('v')}"}
    wanted = [_application(one) for one in request.applications if one.releases]
    if wanted:
        spec["applications"] = wanted
    comments = "".join(f"# {one_line(note)}\n" for note in notes)
    return comments + yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)


def _application(one: Lacking) -> dict[str, Any]:
    value: dict[str, Any] = {"slug": one.carried}
    if one.installed.label:
        value["installed"] = one.installed.label
    if one.majors:
        value["majorReleases"] = list(one.majors)
    value["releases"] = [{"archive": {"portal": _portal(release)}} for release in one.releases]
    return value


def _portal(release: Wanted) -> dict[str, Any]:
    if release.label and is_file_name(f"{release.label}.airgap"):
        return {"label": release.label}
    channel = {"channel": release.channel_id} if release.channel_id else {}
    return {"sequence": release.sequence, **channel}


def _in_order(wanted: Iterator[Wanted]) -> tuple[Wanted, ...]:
    """Each once; oldest first where labels tell, else as they were found."""
    found = list({str(one): one for one in wanted}.values())
    if all(numbers(one.label) for one in found):
        found.sort(key=lambda one: numbers(one.label) or ())
    elif all(one.sequence is not None for one in found):
        found.sort(key=lambda one: one.sequence or 0)
    return tuple(found)
