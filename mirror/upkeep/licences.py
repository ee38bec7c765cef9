"""What a licence allows and when it ends, and a new one in its place.

Source: vendor's install guide, "License expired". The plugin has no command for a new licence of an
application that runs: the admin console takes it, from a person. What it would refuse there is
refused here before (KOTS: pkg/kotsadmlicense/license.go, Sync): the licence of another holder, one
that is not newer, one without a signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from mirror.deploy.opened import opened
from mirror.kots import daily
from mirror.operation.model import Await, CopyFile, Edit, Person, Plan, RemoveFolder, Step
from mirror.operation.wanted import HasLicence
from mirror.site import Application, Site
from mirror.spelling import known_as
from mirror.upkeep.newest import deployed, reads
from transfer.errors import PolicyError, raise_together
from transfer.kots.finding import Finding, Rule
from transfer.kots.licence import Licence, check_licence

LICENCE = "upstream/userdata/license.yaml"
"""Where a licence is among manifests (KOTS: pkg/store/kotsstore/license_store.go)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A new licence for an application."""

    file: str
    """Absolute path."""
    folder: str
    """Where KOTS puts the manifests with the licence that is in use: absolute, ours alone."""
    licence: Licence
    old: Licence | None
    """The one that the site file names; None where it is not at hand."""
    is_there: bool = False
    """The site has this very file already."""
    channel_id: str = ""
    """Of the release that is deployed; "" where nobody asked."""


def licence_warnings(
    applications: Iterable[Application],
    licences: Mapping[str, Licence | None],
    now: datetime,
) -> list[str]:
    """What a person should hear of the licences of a site: that they end soon, or have ended.

    Args:
        applications: Whose licences.
        licences: By slug; None where a file is not at hand.
        now: With its time zone.
    """
    return [
        f"{finding.message}: {finding.hint}"
        for application in applications
        if (licence := licences.get(application.slug))
        for finding in check_licence(licence, application.slug, application.license_file, now)
        if finding.rule in (Rule.LICENSE_EXPIRED, Rule.LICENSE_EXPIRES)
    ]


def findings_of(application: Application, licence: Licence, now: datetime) -> list[Finding]:
    """What is wrong with the licence of an application, or soon will be."""
    return list(check_licence(licence, _slug(application, licence), application.license_file, now))


def _slug(application: Application, licence: Licence) -> str:
    """What a licence calls its application, if that is a spelling of it."""
    return known_as(application.slug, [licence.app_slug])


def describe(application: Application, licence: Licence, now: datetime) -> dict[str, object]:
    """A licence for a program: neither its ID nor its signature."""
    end = end_of(licence)
    return {
        "slug": application.slug,
        "file": application.license_file,
        "channels": channels_of(licence),
        "expires": licence.expires_at or None,
        "daysLeft": (end - now).days if end else None,
        "signed": licence.is_signed,
        "findings": [
            {"rule": one.rule.value, "message": one.message, "hint": one.hint}
            for one in findings_of(application, licence, now)
        ],
    }


def channels_of(licence: Licence) -> list[str]:
    """The channels that it allows, by their slugs, or by name where it has no list."""
    names = list(licence.channels) or [licence.channel_name or licence.channel_id]
    return [name for name in names if name]


def end_of(licence: Licence) -> datetime | None:
    """When it ends; None where it never does, or says it in a way that nobody can read."""
    try:
        end = datetime.fromisoformat(licence.expires_at)
    except ValueError:
        return None
    return end if end.tzinfo else None


def check_new(application: Application, new: New, now: datetime) -> list[str]:
    """See that KOTS would take a new licence, and that it is of use; returns what to know of it.

    Raises:
        PolicyError: with everything that is wrong with it.
    """
    found = list(check_licence(new.licence, _slug(application, new.licence), new.file, now))
    warnings = [one for one in found if one.rule is Rule.LICENSE_EXPIRES]
    faults = [
        *(PolicyError(one.message, hint=one.hint) for one in found if one not in warnings),
        *(PolicyError(f"{application.slug}: {why}") for why in _why_not(application, new)),
    ]
    raise_together(
        PolicyError,
        f"{new.file} is no new licence for {application.slug}",
        () if new.is_there else faults,
        hint="ask the vendor for the licence of this very customer, renewed; nothing was changed",
    )
    if new.old is None:
        what = f"{application.license_file} is not there: the two could not be compared."
        return [*(one.message for one in warnings), what]
    return [one.message for one in warnings]


def _why_not(application: Application, new: New) -> Iterator[str]:
    licence, old = new.licence, new.old
    if not licence.app_slug:
        yield "the new licence does not say for which application it is"
    allowed = set(licence.channels.values()) or {licence.channel_id}
    if new.channel_id and new.channel_id not in allowed:
        yield (
            "the new licence does not allow the channel of the release that is deployed; it "
            f"allows {', '.join(channels_of(licence))}"
        )
    if application.channel and licence.channels and application.channel not in licence.channels:
        yield f"the new licence does not allow the channel {application.channel} of the site file"
    if old is None:
        return
    if None not in (old.holder, licence.holder) and old.holder != licence.holder:
        yield "the two licences have different IDs, and KOTS changes none for another"
    now, then = old.sequence, licence.sequence
    if now is not None and then is not None and then <= now:
        yield (
            f"it is not newer (licenseSequence {then}, now {now}): KOTS would make no new version"
        )
    before, after = end_of(old), end_of(licence)
    if after and before and after <= before:
        yield f"it ends on {after.date()}, and the one of now on {before.date()}: no later"


def plan_upload(site: Site, application: Application, new: New, notes: Iterable[str] = ()) -> Plan:
    """Let a person give the console a new licence, and see that it is in use."""
    slug, file = application.slug, application.license_file
    steps = [*reads(site, application)]
    said = list(notes)
    if new.is_there:
        said.append(f"{file} is this licence already; if the console has another, give it there.")
    else:
        steps += _renew(site, application, new)
    return Plan(
        title=f"renew the licence of {slug} at {site.name}",
        steps=tuple(steps),
        assumptions=() if new.channel_id else (_ASSUMED.format(slug=slug),),
        notes=tuple(said),
    )


def _renew(site: Site, application: Application, new: New) -> Iterator[Step]:
    slug = application.slug
    yield Step(
        name="upload-licence",
        why=f"Give the new licence of {slug} to the admin console: the plugin has no command that "
        "does.",
        action=Person(
            instructions=(
                f"{opened(site, application.namespace)}\n\n"
                f"Choose {slug}, then License, then Upload license, and the file {new.file}.\n\n"
                "The page says that it was uploaded. Then open Version history: the newest version "
                "has the source License Change. Deploy it."
            )
        ),
        undo="none is needed: a licence that is valid for longer changes nothing else",
        recorded=True,
    )
    yield deployed(site, application)
    yield from _proof(site, application, new)
    yield Step(
        name="keep-licence",
        why="Let the installs to come take the new licence, too.",
        action=Edit(path=application.license_file, change=CopyFile(source=new.file)),
        undo="none is needed: the console has the new licence, and nothing asks for the old one",
    )


def _proof(site: Site, application: Application, new: New) -> Iterator[Step]:
    """The licence that is in use, compared with the new one.

    A version that is deployed says nothing of its licence, and no Secret of the cluster has it once
    it is installed (KOTS: pkg/automation/automation.go); the manifests of the version do.
    """
    slug = application.slug
    yield Step(
        name="same-licence",
        why=f"Get the manifests of the deployed version of {slug}, and see that its licence is the "
        "new one: the same ID, count of changes and end. None of that is shown.",
        action=Await(
            command=daily.download(site, application, new.folder, overwrite=True),
            goal=HasLicence(slug=slug, path=f"{new.folder}/{slug}/{LICENCE}", file=new.file),
            seconds=0,
        ),
    )
    yield Step(
        name="clean-up",
        why="Delete the manifests here: the licence is in them.",
        action=Edit(path=new.folder, change=RemoveFolder()),
    )


_ASSUMED = "{slug} is deployed, no newer version of it waits, and the new licence has its channel."
