"""Patterns for values that are written in more than one file.

Each lets through whatever the parser does; what only looks right, the parser refuses.
"""

from __future__ import annotations

SHA256 = "(?:sha256:)?[0-9a-f]{64}"
"""Of a file, with or without the algorithm's name."""

DIGEST = "sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"

NO_SLASH = r"[^/\\]+"
"""May be a part of a file's name."""

_COMPONENT = rf"(?!\.{{1,2}}(?:/|$)){NO_SLASH}"
FILE_NAME = _COMPONENT
"""`transfer.contents.is_file_name`."""
BUNDLE_PATH = f"{_COMPONENT}(?:/{_COMPONENT})*"
"""Relative, and never above its folder: `transfer.contents.is_bundle_path`."""

PLATFORM = "[a-z0-9]+/[a-z0-9]+"
IMAGE_PLATFORM = f"{PLATFORM}(?:/[a-z0-9]+)?"

ADDRESS = " *[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+(?:[/?#].*)?"
"""http(s), with a host, and without a user name or password."""

IMAGE = r"[A-Za-z0-9._:/@\[\]-]+"

ENDPOINT = r"(?!http)[A-Za-z0-9.:\[\]-]+(?:/[a-z0-9._-]+)*"
"""`host[:port][/namespace…]`; KOTS takes what starts with http for a URL."""

LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""The name of a namespace."""

VARIABLE = "[A-Za-z_][A-Za-z0-9_]*"

DURATION = r"(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+"
"""As Go writes them."""

WORKLOAD = (
    "(?:deployment|deploy|statefulset|sts)/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
    "(?:=[1-9][0-9]{0,3})?"
)
"""A Deployment or StatefulSet, and how many pods it has when it is up."""
