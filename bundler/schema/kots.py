"""What a schema says of the admin console: see `bundler.spec.kots`."""

from __future__ import annotations

from bundler.schema.inputs import any_input, input_keys, input_rules
from bundler.spec.kots import KOTS_RELEASES
from bundler.spec.values import DEFAULT_PLATFORM
from transfer.schema.patterns import ADDRESS, PLATFORM
from transfer.schema.words import (
    Schema,
    absent,
    choice,
    flag,
    mapping,
    several,
    text,
    where,
)

_PLATFORMS = ("linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64")
_RELEASED = r"v?[0-9]+\.[0-9]+\.[0-9]+[-+.0-9A-Za-z]*"
"""A version that can be the tag of a release."""


def kots() -> Schema:
    """The admin console with its archive and plugins."""
    released = {"properties": {"version": {"pattern": f"^(?:{_RELEASED})$"}}}
    plugin = mapping(
        "A kubectl-kots plugin.",
        *input_rules(),
        required={"platform": text("The platform it runs on.", DEFAULT_PLATFORM, pattern=PLATFORM)},
        optional=input_keys("kots_linux_amd64.tar.gz"),
    )
    return mapping(
        "The KOTS admin console. Its version is enough: archive and plugins are then those of the "
        "KOTS release on GitHub.",
        where(absent("archive"), released),
        required={"version": text("The version of KOTS.", "v1.131.4")},
        optional={
            "minio": flag(
                "false: the archive without Minio, for a site that installs --with-minio=false.",
                default=True,
            ),
            "platforms": several(
                "Of the machines at the site that run kubectl kots.",
                choice("A platform that KOTS has a plugin for.", *_PLATFORMS),
                unique=True,
                default=[DEFAULT_PLATFORM],
            ),
            "releases": text(
                "The repository of the releases in GitHub's API, or a mirror of it.",
                pattern=ADDRESS,
                default=KOTS_RELEASES,
            ),
            "archive": any_input(
                "The archive of the admin console, where it is not to come from the release.",
                "kotsadm.tar.gz",
            ),
            "plugins": several(
                "Plugins that are not to come from the release; with archive:, all of them.",
                plugin,
            ),
        },
    )
