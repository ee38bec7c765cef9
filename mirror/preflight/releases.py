"""Whether licences, configuration and the upgrade path fit the releases that are carried."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.config.advice import differing, object_to, remind
from mirror.config.template import emptied
from mirror.preflight.finding import Found, failed, failed_by, passed, warned
from mirror.preflight.model import Member, Seen
from transfer.errors import TransferError
from transfer.kots.finding import Finding
from transfer.kots.licence import check_channel as channel_finding
from transfer.kots.licence import check_licence as licence_findings
from transfer.kots.values import ConfigValues, check_values
from transfer.text import counted


def check_files(seen: Seen) -> Iterator[Found]:
    """Everything that the site file names can be read: files, and secrets where they are."""
    yield passed(
        seen.site.name,
        f"{counted(seen.machine.files.get(), 'file and secret', 'files and secrets')}",
    )


def check_listed(seen: Seen) -> Iterator[Found]:
    """Every application that the sources carry has its place in the site file."""
    for slug in seen.case.strangers:
        hint = f"add applications.{slug} to the site file, or leave its archive out"
        yield failed(slug, "is carried, and is not in the site file", hint=hint)
    for member in seen.members:
        yield passed(member.slug, f"carried: {_labels(member)}")


def check_licence(seen: Seen, member: Member) -> Iterator[Found]:
    """It is signed, for this application, and valid at this moment."""
    licence, file = member.licence.get(), member.application.license_file
    needed = f"signed, and valid on {seen.now.date()}"
    findings = list(licence_findings(licence, member.slug, file, seen.now))
    yield from (_found(member.slug, finding, needed) for finding in findings)
    if not findings:
        end = licence.expires_at.partition("T")[0]
        yield passed(member.slug, f"ends on {end}" if end else "never ends", needed)


def check_channel(_seen: Seen, member: Member) -> Iterator[Found]:
    """The licence has the channel of every release that is carried."""
    licence = member.licence.get()
    findings = (channel_finding(licence, member.slug, release) for release in member.releases)
    found = list(filter(None, findings))
    yield from (_found(member.slug, finding) for finding in found)
    if not found:
        names = dict.fromkeys(one.channel_name or one.channel_id for one in member.releases)
        yield passed(member.slug, f"{', '.join(names)}", "a channel of the licence")


def check_config(seen: Seen, member: Member) -> Iterator[Found]:
    """The answers fit what the newest release asks, and the vendor's guide."""
    asked, given = member.config.get(), member.values.get()
    values = given or ConfigValues(file=f"configValues of {member.slug} (not given)")
    release = f"{member.slug} {member.releases[-1].version_label}"
    found = [_found(member.slug, one) for one in check_values(values, [(release, asked)])]
    hint = "correct it, or know better than the vendor's guide"
    notes = [*emptied(values, asked), *object_to(values, asked), *_differences(seen, member)]
    found += [warned(member.slug, note, hint=hint) for note in notes]
    yield from found
    if not found:
        told = f"{counted(len(values.answers), 'value')}, nothing to correct"
        yield passed(member.slug, told, f"what {release} asks", remind(values, asked))


def _differences(seen: Seen, member: Member) -> Iterator[str]:
    """Vendor's guide: what is added to an admin console has the answers of the first one there."""
    namespace = member.application.namespace
    sharing = [one for one in seen.members if one.application.namespace == namespace]
    first = next(filter(_is_in_guide, sharing), member)
    if first is member or not _is_in_guide(member):
        return
    nothing = ConfigValues(file="")
    if names := differing(first.values.get() or nothing, member.values.get() or nothing):
        yield f"other values than {first.slug}: {', '.join(names)}"


def _is_in_guide(member: Member) -> bool:
    try:
        return member.settings().is_in_guide
    except TransferError:
        return False


def check_way(seen: Seen) -> Iterator[Found]:
    """What an install or upgrade would refuse: the upgrade path, versions, the console."""
    for subject, answer in seen.console.ways.items():
        try:
            way = answer.get()
        except TransferError as error:
            yield failed_by(subject, error)
            continue
        details = [*(f"by hand: {step}" for step in way.by_hand), *way.notes]
        yield passed(subject, ", then ".join(way.stops) or "nothing to do", details=details)


def _labels(member: Member) -> str:
    return ", ".join(release.version_label for release in member.releases)


def _found(slug: str, finding: Finding, needed: str = "") -> Found:
    judge = warned if finding.is_warning else failed
    message = finding.message.removeprefix(f"{slug}: ")
    return judge(slug, message, needed, hint=finding.hint or "")
