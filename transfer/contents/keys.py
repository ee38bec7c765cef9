"""The keys of the JSON form, where reading and writing must agree."""

from __future__ import annotations

RELEASE_KEYS = {
    "appSlug": "app_slug",
    "versionLabel": "version_label",
    "channelID": "channel_id",
    "channelName": "channel_name",
    "updateCursor": "update_cursor",
    "minKotsVersion": "min_kots_version",
    "targetKotsVersion": "target_kots_version",
}
"""What a release says, by its key in JSON: the field of `ReleaseRecord`."""
