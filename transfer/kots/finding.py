"""What a rule of KOTS, or of the vendor, has against something that is to cross."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from transfer.errors import PolicyError


class Rule(StrEnum):
    """Every rule, under the name that findings have, and that `--allow` takes."""

    DESTINATION_COLLISION = "destination-collision"
    """Two different images would have one name in the site's registry."""
    IMAGE_NOT_CARRIED = "image-not-carried"
    """The release's own files name an image that nobody carries."""
    IMAGE_TEMPLATED = "image-templated"
    """Images whose names are known only once KOTS or Helm has filled in a template."""
    KOTS_TOO_OLD = "kots-too-old"
    """The release needs a newer admin console."""
    KOTS_TOO_NEW = "kots-too-new"
    """The release cannot be installed with an admin console this new."""
    PLUGIN_VERSION = "plugin-version"
    """kubectl-kots deploys the admin console of its own version, and that is another one."""
    PLUGIN_UNKNOWN = "plugin-unknown"
    """A kubectl-kots does not say its version."""
    PLUGIN_MISSING = "plugin-missing"
    """There is no kubectl-kots for a platform of the site."""
    MINIO_MISSING = "minio-missing"
    """Minio is wanted, and the admin console's archive has none."""
    MINIO_CARRIED = "minio-carried"
    """Minio is not wanted, and the admin console's archive has it."""
    REQUIRED_RELEASE = "required-release"
    """A release that has to be deployed before another is neither carried nor installed."""
    UPGRADE_PATH = "upgrade-path"
    """One step of an upgrade goes further than the vendor allows."""
    PATH_UNKNOWN = "path-unknown"
    """Whether an upgrade leaves out a release cannot be told."""
    LICENSE_SLUG = "license-slug"
    """The licence is for another application."""
    LICENSE_CHANNEL = "license-channel"
    """The licence does not allow the channel of a release."""
    LICENSE_EXPIRED = "license-expired"
    """The licence has run out."""
    LICENSE_EXPIRES = "license-expires"
    """The licence runs out soon."""
    LICENSE_UNSIGNED = "license-unsigned"
    """The licence has no signature."""
    CONFIG_UNKNOWN = "config-unknown"
    """A configuration value for an item that no release has."""
    CONFIG_MISSING = "config-missing"
    """A required item without a value."""
    CONFIG_TYPE = "config-type"
    """A configuration value that is none for its item."""
    AIRGAP_YAML_TOO_LARGE = "airgap-yaml-too-large"
    """The release's airgap.yaml does not fit where KOTS keeps it."""


WARNINGS = frozenset(
    {
        Rule.IMAGE_TEMPLATED,
        Rule.PLUGIN_UNKNOWN,
        Rule.MINIO_CARRIED,
        Rule.PATH_UNKNOWN,
        Rule.LICENSE_EXPIRES,
    }
)
"""Those that stop nobody: something to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A release that would have to be carried too; it has a label, a sequence, or both."""

    label: str
    sequence: int | None = None
    """The vendor's own number of it, on a channel."""
    channel_id: str = ""

    def __str__(self) -> str:
        """How messages name it."""
        return self.label or f"cursor {self.sequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule has something against."""

    rule: Rule
    subject: str
    """What it is about: a release, an image, a licence file."""
    message: str
    """What was found and what was expected, with the subject in it; never a configuration value."""
    hint: str | None = None
    """What to do about it."""
    wanted: tuple[Wanted, ...] = ()
    """Releases that would settle it, oldest first."""
    wanted_kots: str = ""
    """The version of KOTS that would settle it."""

    @property
    def is_warning(self) -> bool:
        """Whether it stops nobody."""
        return self.rule in WARNINGS

    def __str__(self) -> str:
        """The rule's name and the message."""
        return f"{self.rule}: {self.message}"


def refuse(summary: str, findings: Iterable[Finding]) -> None:
    """Raise the findings that are more than warnings; alone, one needs no summary.

    Raises:
        PolicyError: with every one of them.
    """
    faults = [
        PolicyError(finding.message, hint=finding.hint)
        for finding in findings
        if not finding.is_warning
    ]
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise PolicyError(summary, faults=faults)
