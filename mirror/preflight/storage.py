"""Whether the volumes of the applications find a StorageClass."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.preflight.finding import Found, failed, passed, warned
from mirror.preflight.model import Member, Seen

UNNAMED = "default"
"""Vendor's guide, "Storage class": what Harness takes without a name."""


def check_storage_class(seen: Seen, member: Member) -> Iterator[Found]:
    """The class that the configuration names; without a name, the one that Harness then takes."""
    classes = seen.cluster.storage_classes.get()
    names = ", ".join(one.name for one in classes) or "none"
    wanted = member.settings().storage_class
    if wanted:
        if wanted in [one.name for one in classes]:
            yield passed(member.slug, wanted, wanted)
        else:
            hint = f"create it, or name one that is there in the values of {member.slug}"
            yield failed(member.slug, names, wanted, hint=hint)
        return
    if UNNAMED in [one.name for one in classes]:
        yield passed(member.slug, UNNAMED, f"{UNNAMED}: the configuration names none")
        return
    default = next((one.name for one in classes if one.is_default), None)
    if default is None:
        needed = "a StorageClass that is the default, or a name in the configuration values"
        hint = "name one in the configuration values, or annotate one as the default"
        yield failed(member.slug, names, needed, hint=hint)
    elif wanted is None:
        yield passed(member.slug, f"{default}, the cluster's default", "a default")
    else:
        yield warned(
            member.slug,
            f"{default} is the cluster's default, and the configuration names none",
            f"one named {UNNAMED}: the vendor's guide says that Harness takes that",
            hint=f"name {default} in the configuration values",
        )
