"""The way from the release that runs to the newest one carried: every step, and what is missing.

Two rules hold. KOTS deploys a release only after those that its `airgap.yaml` requires (KOTS:
pkg/update/required.go). And Harness must not be taken past four major releases in one step; which
releases are major ones, the vendor says, in no file. Both ends of the gap ask the same functions:
where the bundle is made, and where it is deployed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

from transfer.contents import ReleaseRecord, RequiredRelease
from transfer.kots.finding import Finding, Rule, Wanted
from transfer.kots.version import is_older, numbers, sequence

MOST_MAJORS = 4
"""Major releases that one step may take; Harness's upgrade guide."""

_SEMVER = 3
_FIRST_YEAR = 1900
"""Major versions from here on are years: 2024.3.1 is not 2024 major releases old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The release of an application that a cluster runs."""

    label: str
    """Its version label; "" where it is not known or nothing is deployed."""
    cursor: int | None = None
    channel_id: str = ""


class Carried(Protocol):
    """Something that carries a release."""

    @property
    def release(self) -> ReleaseRecord:
        """What the archive says of itself."""
        ...


_C = TypeVar("_C", bound=Carried)


def oldest_first(carried: Sequence[_C]) -> list[_C]:
    """By the vendor's own sequence where all have one on the same channel, else as given."""
    channels = {one.release.channel_id for one in carried}
    cursors = [sequence(one.release.update_cursor) for one in carried]
    if len(channels) == 1 and None not in cursors:
        return sorted(carried, key=lambda one: sequence(one.release.update_cursor) or 0)
    return list(carried)


def pending(carried: Sequence[_C], installed: Installed) -> list[_C]:
    """The releases that follow the installed one, all of them where that cannot be told."""
    labels = [one.release.version_label for one in carried]
    if installed.label in labels:
        return list(carried[labels.index(installed.label) + 1 :])
    start = _located(installed, [one.release for one in carried])
    return [one for one in carried if not _is_behind(one.release, start)]


def check_path(
    slug: str, installed: Installed, carried: Sequence[Carried], majors: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """What is wrong with going from the installed release over all that follow it, one by one.

    Args:
        slug: The application's.
        installed: Where it starts. Without a label, nothing is held against the first step.
        carried: The releases at hand, oldest first.
        majors: The labels of the vendor's major releases, oldest first. Without any, the distance
            is told only by labels such as 1.2.3.
    """
    releases = [one.release for one in carried]
    start = _located(installed, releases)
    steps = [one.release for one in pending(carried, installed)]
    return (*_check_required(slug, start, steps), *_check_distance(slug, start, steps, majors))


def _is_behind(release: ReleaseRecord, installed: Installed) -> bool:
    same_channel = release.channel_id == installed.channel_id
    cursor = sequence(release.update_cursor)
    if installed.cursor is not None and same_channel and cursor is not None:
        return cursor <= installed.cursor
    return is_older(release.version_label, installed.label)


def _located(installed: Installed, releases: Iterable[ReleaseRecord]) -> Installed:
    """With the cursor that a carried release knows of it, where only its label is stated."""
    if not installed.label or installed.cursor is not None:
        return installed
    for release in releases:
        known: tuple[ReleaseRecord | RequiredRelease, ...] = (release, *release.required_releases)
        for named in known:
            cursor = sequence(named.update_cursor)
            if named.version_label == installed.label and cursor is not None:
                return Installed(
                    label=installed.label, cursor=cursor, channel_id=release.channel_id
                )
    return installed


def _check_required(
    slug: str, start: Installed, steps: Sequence[ReleaseRecord]
) -> Iterator[Finding]:
    done = [start] if start.label else []
    told: set[str] = set()
    for step in steps:
        missing, unknown = _unmet(step, done) if done else ([], [])
        for rule, wanted in ((Rule.REQUIRED_RELEASE, missing), (Rule.PATH_UNKNOWN, unknown)):
            fresh = [one for one in wanted if str(one) not in told]
            told.update(map(str, fresh))
            if fresh:
                yield _required(rule, f"{slug} {step.version_label}", fresh, done)
        done.append(_reached(step))


def _unmet(step: ReleaseRecord, done: Sequence[Installed]) -> tuple[list[Wanted], list[Wanted]]:
    """What a step requires: what is missing, and what may be, oldest first.

    The newest comes first in an archive, and whoever has one release has had those before it.
    """
    missing: list[Wanted] = []
    unknown: list[Wanted] = []
    for required in step.required_releases:
        answers = {_reaches(one, required, step.channel_id) for one in done}
        if True in answers:
            break
        one = Wanted(
            label=required.version_label,
            sequence=sequence(required.update_cursor),
            channel_id=step.channel_id,
        )
        (unknown if None in answers else missing).insert(0, one)
    return missing, unknown


def _reaches(one: Installed, required: RequiredRelease, channel_id: str) -> bool | None:
    """Whether a release is the required one or a later one; None where nobody can tell.

    Cursors count on one channel only.
    """
    label, cursor = required.version_label, sequence(required.update_cursor)
    if label and one.label == label:
        return True
    if one.cursor is not None and cursor is not None and one.channel_id in ("", channel_id):
        return one.cursor >= cursor
    if numbers(one.label) is None or numbers(label) is None:
        return None
    return not is_older(one.label, label)


def _reached(step: ReleaseRecord) -> Installed:
    return Installed(
        label=step.version_label,
        cursor=sequence(step.update_cursor),
        channel_id=step.channel_id,
    )


def _required(
    rule: Rule, subject: str, wanted: Sequence[Wanted], done: Sequence[Installed]
) -> Finding:
    needed, have = ", ".join(map(str, wanted)), ", ".join(one.label for one in done)
    if rule is Rule.PATH_UNKNOWN:
        message = f"{subject} requires {needed} to be deployed first, and nobody can tell from "
        hint = "look at the vendor's release notes, and carry it too if it was left out"
        return Finding(rule=rule, subject=subject, message=f"{message}{have} if it is", hint=hint)
    return Finding(
        rule=rule,
        subject=subject,
        message=f"{subject} can be deployed only after {needed}; on the way there: {have}",
        hint=f"carry {needed} too: KOTS refuses to leave out a required release",
        wanted=tuple(wanted),
    )


def _check_distance(
    slug: str, start: Installed, steps: Sequence[ReleaseRecord], majors: Sequence[str]
) -> Iterator[Finding]:
    labels = [start.label, *(step.version_label for step in steps)]
    for label, following in pairwise(labels):
        distance = _distance(label, following, majors)
        if not label:
            continue
        if distance is None:
            yield _no_distance(f"{slug} {following}", label, following)
        elif distance > MOST_MAJORS:
            stops = _stops(label, following, majors)
            yield Finding(
                rule=Rule.UPGRADE_PATH,
                subject=f"{slug} {following}",
                message=f"{slug}: from {label} to {following} it is {distance} major releases; "
                f"one step may take {MOST_MAJORS} at most",
                hint=f"carry {' and '.join(stops)} too, or releases between that are as near",
                wanted=tuple(Wanted(label=stop) for stop in stops if stop in majors),
            )


def _no_distance(subject: str, label: str, following: str) -> Finding:
    return Finding(
        rule=Rule.PATH_UNKNOWN,
        subject=subject,
        message=f"{subject}: nobody can tell how many of the major releases lie between {label} "
        f"and {following}",
        hint="list the releases as their archives are labelled",
    )


def _distance(label: str, following: str, majors: Sequence[str]) -> int | None:
    """How many major releases one is ahead of another; None where the list does not tell.

    Without a list, 0 where the labels do not.
    """
    if majors:
        first, second = _position(label, majors), _position(following, majors)
        return None if first is None or second is None else second - first
    versions = _semver(label), _semver(following)
    return versions[1][0] - versions[0][0] if versions[0] and versions[1] else 0


def _stops(label: str, following: str, majors: Sequence[str]) -> list[str]:
    """The fewest releases to call at on the way, each as far ahead as may be."""
    if majors:
        first, last = _position(label, majors) or 0, _position(following, majors) or 0
        return [majors[i - 1] for i in range(first + MOST_MAJORS, last, MOST_MAJORS)]
    first, last = (_semver(label) or (0,))[0], (_semver(following) or (0,))[0]
    return [f"a release {i}.x" for i in range(first + MOST_MAJORS, last, MOST_MAJORS)]


def _position(label: str, majors: Sequence[str]) -> int | None:
    """How many of the major releases a release has behind it, itself included."""
    if label in majors:
        return list(majors).index(label) + 1
    if numbers(label) is None or any(numbers(major) is None for major in majors):
        return None
    return sum(not is_older(label, major) for major in majors)


def _semver(label: str) -> tuple[int, ...] | None:
    version = numbers(label)
    is_one = version and len(version) == _SEMVER and version[0] < _FIRST_YEAR
    return version if is_one else None
