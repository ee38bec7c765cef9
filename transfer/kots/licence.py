"""What a licence file says: its application, channels and end, and whether it fits a release.

KOTS looks at this only once the admin console runs, deep in the install; here it is found out
before. Source: KOTS pkg/license, pkg/kotsutil FindChannelIDInLicense; the fields are the same in
licences of v1beta1 and v1beta2 (kotskinds: apis/kots/*/license_types.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from transfer.contents import ReleaseRecord
from transfer.digest import Digest
from transfer.errors import InvalidInput, PolicyError
from transfer.kots.finding import Finding, Rule, refuse
from transfer.plain import is_plain
from transfer.yamlfile import NOT_YAML, load_texts

_NUMBER = re.compile(r"[0-9]{1,18}")
SOON = timedelta(days=30)
"""How long before its end a licence is warned about: a carry may wait for its window that long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """The part of a licence that installs and upgrades depend on."""

    app_slug: str
    channel_id: str
    channel_name: str
    channels: Mapping[str, str] = field(default_factory=dict)
    """Channel slug to channel ID; empty in a licence for one channel."""
    expires_at: str = ""
    """When it runs out, as it is written (RFC 3339); "" where it never does."""
    is_signed: bool = False
    """Whether it has a signature; only KOTS can tell whether that is the vendor's."""
    holder: Digest | None = None
    """Of its ID, which is confidential itself: licences of one holder have one ID."""
    sequence: int | None = None
    """Counts up with each change that the vendor makes to the licence of a holder."""

    @classmethod
    def parse(cls, text: str, file: str) -> Self:
        """Read a licence; `file` names it in messages.

        Raises:
            InvalidInput: not a KOTS licence.
        """
        try:
            value = load_texts(text)
        except NOT_YAML:
            # The parser quotes what it read, and a licence is confidential.
            raise InvalidInput(f"{file}: not valid YAML") from None
        if not isinstance(value, dict) or value.get("kind") != "License":
            raise InvalidInput(
                f"{file}: not a licence (kind: License is missing)",
                hint="use the licence file as the vendor sent it",
            )
        spec = _mapping(value.get("spec"))
        channels = spec.get("channels")
        entitlements = _mapping(spec.get("entitlements"))
        return cls(
            app_slug=_text(spec, "appSlug"),
            channel_id=_text(spec, "channelID"),
            channel_name=_text(spec, "channelName"),
            channels={
                _text(channel, "channelSlug"): _text(channel, "channelID")
                for channel in map(_mapping, channels if isinstance(channels, list) else [])
            },
            expires_at=_text(_mapping(entitlements.get("expires_at")), "value"),
            is_signed=_is_signature(spec.get("signature")),
            holder=Digest.of(identity.encode()) if (identity := _text(spec, "licenseID")) else None,
            sequence=_number(_text(spec, "licenseSequence")),
        )


def check_licence(licence: Licence, slug: str, file: str, now: datetime) -> Iterator[Finding]:
    """What is wrong with a licence whatever release it is for; `file` names it."""
    if finding := _check_slug(licence, slug):
        yield finding
    if not licence.is_signed:
        yield Finding(
            rule=Rule.LICENSE_UNSIGNED,
            subject=file,
            message=f"{slug}: the licence {file} has no signature",
            hint="use the licence file as the vendor sent it, not an excerpt",
        )
    if licence.expires_at:
        yield from _check_end(licence.expires_at, slug, file, now)


def check_channel(licence: Licence, slug: str, release: ReleaseRecord) -> Finding | None:
    """Whether a licence has the channel of a release."""
    if not release.channel_id:
        return _channel_finding(
            slug,
            release,
            f"release {release.version_label} names no channel; KOTS refuses that",
            "ask the vendor for an archive whose airgap.yaml has a channelID",
        )
    if release.channel_id in (licence.channels.values() or [licence.channel_id]):
        return None
    allowed = ", ".join(licence.channels) or licence.channel_name or licence.channel_id
    return _channel_finding(
        slug,
        release,
        f"the licence allows {allowed}, but {_name(release)} is of the channel with the ID "
        f"{release.channel_id}, which the licence does not have",
        "ask the vendor for a release of that channel, or for another licence",
    )


def _check_end(expires_at: str, slug: str, file: str, now: datetime) -> Iterator[Finding]:
    what = f"{slug}: the licence {file}"
    try:
        end = datetime.fromisoformat(expires_at)
        left = end - now
    except (ValueError, TypeError, OverflowError):  # no date, or no time zone
        message = f"{what}: expires_at is no time as 2026-12-31T00:00:00Z is; KOTS refuses that"
        rule, hint = Rule.LICENSE_EXPIRED, "use the licence file as the vendor sent it"
    else:
        ended = left <= timedelta()
        message = f"{what} {'ended' if ended else 'ends'} on {end.date()}"
        rule = Rule.LICENSE_EXPIRED if ended else Rule.LICENSE_EXPIRES
        hint = "ask the vendor for a licence that is valid when the site is visited"
        if left > SOON:
            return
    yield Finding(rule=rule, subject=file, message=message, hint=hint)


def choose_channel(
    licence: Licence, slug: str, release: ReleaseRecord, chosen: str | None
) -> str | None:
    """The channel slug to install `release` of application `slug` from; None where none is needed.

    `chosen` is what the site file says, None where it says nothing.

    Raises:
        PolicyError: KOTS would refuse this licence for this release.
    """
    what = f"{slug}: KOTS would refuse its licence"
    refuse(what, filter(None, [_check_slug(licence, slug)]))
    if chosen is None or not licence.channels or not release.channel_id:
        refuse(what, filter(None, [check_channel(licence, slug, release)]))
        slugs = {channel_id: name for name, channel_id in reversed([*licence.channels.items()])}
        return slugs.get(release.channel_id, chosen)
    if chosen not in licence.channels:
        raise PolicyError(
            f"{slug}: the licence does not allow the channel {chosen!r}; "
            f"it allows {', '.join(licence.channels)}",
            hint=f"change applications.{slug}.channel in the site file",
        )
    if release.channel_id != licence.channels[chosen]:
        raise PolicyError(
            f"{slug}: the channel {chosen!r} of the licence is not the one that "
            f"{_name(release)} belongs to",
            hint=f"leave applications.{slug}.channel out of the site file",
        )
    return chosen


def _check_slug(licence: Licence, slug: str) -> Finding | None:
    if licence.app_slug in ("", slug):
        return None
    return Finding(
        rule=Rule.LICENSE_SLUG,
        subject=slug,
        message=f"{slug}: the licence is for the application {licence.app_slug!r}",
        hint=f"name the licence of {slug}: licenseFile of the application",
    )


def _channel_finding(slug: str, release: ReleaseRecord, why: str, hint: str) -> Finding:
    subject = f"{slug} {release.version_label}"
    return Finding(rule=Rule.LICENSE_CHANNEL, subject=subject, message=f"{slug}: {why}", hint=hint)


def _name(release: ReleaseRecord) -> str:
    channel = release.channel_name or release.channel_id
    return f"release {release.version_label} (channel {channel})"


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) and is_plain(found) else ""


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _is_signature(value: object) -> bool:
    return isinstance(value, str) and value.strip() not in ("", "null", "~")
