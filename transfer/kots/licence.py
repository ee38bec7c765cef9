"""What a licence file says of channels, and the channel that a release is installed from.

KOTS looks at this only once the admin console runs, deep in the install; here it is found out
before. Source: KOTS pkg/license/multichannel.go, pkg/kotsutil FindChannelIDInLicense.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from transfer.contents import ReleaseRecord
from transfer.errors import InvalidInput, PolicyError
from transfer.fields import NOT_YAML, load_texts
from transfer.plain import is_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """The part of a licence that an install depends on."""

    app_slug: str
    channel_id: str
    channel_name: str
    channels: Mapping[str, str] = field(default_factory=dict)
    """Channel slug to channel ID; empty in a licence for one channel."""

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
        return cls(
            app_slug=_text(spec, "appSlug"),
            channel_id=_text(spec, "channelID"),
            channel_name=_text(spec, "channelName"),
            channels={
                _text(channel, "channelSlug"): _text(channel, "channelID")
                for channel in map(_mapping, channels if isinstance(channels, list) else [])
            },
        )


def choose_channel(
    licence: Licence, slug: str, release: ReleaseRecord, chosen: str | None
) -> str | None:
    """The channel slug to install `release` of application `slug` from; None where none is needed.

    `chosen` is what the site file says, None where it says nothing.

    Raises:
        PolicyError: KOTS would refuse this licence for this release.
    """
    _check_slug(licence, slug)
    if not release.channel_id:
        raise PolicyError(
            f"{slug}: release {release.version_label} names no channel; KOTS refuses that",
            hint="ask the vendor for an archive whose airgap.yaml has a channelID",
        )
    if not licence.channels:
        if release.channel_id != licence.channel_id:
            raise _not_licensed(licence, slug, release)
        return chosen
    if chosen is None:
        return _find_channel(licence, slug, release)
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


def _check_slug(licence: Licence, slug: str) -> None:
    if licence.app_slug not in ("", slug):
        raise PolicyError(
            f"{slug}: the licence is for the application {licence.app_slug!r}",
            hint=f"change applications.{slug}.licenseFile in the site file",
        )


def _find_channel(licence: Licence, slug: str, release: ReleaseRecord) -> str:
    for channel, channel_id in licence.channels.items():
        if channel_id == release.channel_id:
            return channel
    raise _not_licensed(licence, slug, release)


def _not_licensed(licence: Licence, slug: str, release: ReleaseRecord) -> PolicyError:
    allowed = ", ".join(licence.channels) or licence.channel_name or licence.channel_id
    return PolicyError(
        f"{slug}: the licence allows {allowed}, but {_name(release)} is not of such a channel",
        hint="ask the vendor for a release of that channel, or for another licence",
    )


def _name(release: ReleaseRecord) -> str:
    channel = release.channel_name or release.channel_id
    return f"release {release.version_label} (channel {channel})"


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) and is_plain(found) else ""
