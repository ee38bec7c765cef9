"""What a bundle holds, as values: the common part of a lock and of `bundle.json`.

Everything here was computed from bytes that were read and proven. No source address is in it:
a download address may carry a signature, and a bundle is handed on. `values` are the values,
`reading` and `writing` their form in JSON, `paths` the places in a bundle.
"""

from transfer.contents.paths import check_bundle_path, is_bundle_path, is_file_name
from transfer.contents.reading import (
    CONTENTS_KEYS,
    NO_DIGEST,
    read_contents,
    read_member,
    read_root,
)
from transfer.contents.values import (
    FILES,
    KEPT_ARCHIVES,
    PLUGINS,
    TOOLKIT,
    ArchiveFormat,
    ArchiveKind,
    ArchiveRecord,
    Contents,
    FileRecord,
    ImageRecord,
    MajorReleases,
    PluginRecord,
    ReleaseRecord,
    RequiredRelease,
)
from transfer.contents.writing import contents_to_json

__all__ = [
    "CONTENTS_KEYS",
    "FILES",
    "KEPT_ARCHIVES",
    "NO_DIGEST",
    "PLUGINS",
    "TOOLKIT",
    "ArchiveFormat",
    "ArchiveKind",
    "ArchiveRecord",
    "Contents",
    "FileRecord",
    "ImageRecord",
    "MajorReleases",
    "PluginRecord",
    "ReleaseRecord",
    "RequiredRelease",
    "check_bundle_path",
    "contents_to_json",
    "is_bundle_path",
    "is_file_name",
    "read_contents",
    "read_member",
    "read_root",
]
