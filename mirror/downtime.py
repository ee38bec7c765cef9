"""Which workloads of an application stand still in a planned downtime, and which come back first.

Source: vendor's install guide, "Bring down Harness cluster for planned downtime". The names are
data: those of the vendor's charts by default, others where the site file gives them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mirror.spelling import find
from transfer.fields import Fields

KEYS = ("stop", "first")
"""Of `downtime` in the site file."""

_KINDS = {"deployment": "deployment", "deploy": "deployment"} | {
    "statefulset": "statefulset",
    "sts": "statefulset",
}
_NAMED = re.compile(r"(?P<kind>[a-z]+)/(?P<name>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)")
_PODS = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A workload, and how many pods it has when it is up."""

    workload: str
    """Such as `deployment/harness-manager`."""
    pods: int | None = None
    """None: as many as it had before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downtime:
    """What a planned downtime does to one application."""

    stop: tuple[Scaled, ...] = ()
    """Scaled to nothing, in this order; back in this order, once the `first` are ready."""
    first: tuple[Scaled, ...] = ()
    """Scaled up and ready before all others, in this order."""


DEFAULTS: Mapping[str, Downtime] = {
    "harness": Downtime(
        stop=(
            Scaled(workload="deployment/harness-manager"),
            Scaled(workload="deployment/verification-svc"),
        ),
        first=(
            Scaled(workload="statefulset/mongodb-replicaset-chart", pods=3),
            Scaled(workload="statefulset/redis-sentinel-harness-server"),
        ),
    ),
    "harness-ng": Downtime(stop=(Scaled(workload="deployment/ng-manager"),)),
}
"""By slug, however it is spelled; the guide has three MongoDB, and no number for the others."""


def downtime_of(slug: str, own: Downtime | None) -> Downtime:
    """What the site file says of an application, else what is known of it."""
    return own or find(slug, DEFAULTS) or Downtime()


def read_downtime(parent: Fields) -> Downtime | None:
    """`downtime` of an application in the site file, None where it says nothing."""
    fields = parent.child("downtime", *KEYS)
    if fields is None:
        return None
    return Downtime(stop=_read_list(fields, "stop"), first=_read_list(fields, "first"))


def parse_scaled(text: str) -> Scaled | None:
    """`KIND/NAME` or `KIND/NAME=PODS`; None for anything else."""
    workload, equals, pods = text.partition("=")
    match = _NAMED.fullmatch(workload)
    if not match or match["kind"] not in _KINDS or (equals and not _PODS.fullmatch(pods)):
        return None
    name = f"{_KINDS[match['kind']]}/{match['name']}"
    return Scaled(workload=name, pods=int(pods) if equals else None)


def _read_list(fields: Fields, key: str) -> tuple[Scaled, ...]:
    found: dict[str, Scaled] = {}
    for place, text in fields.placed_texts(key):
        one = parse_scaled(text)
        if one is None:
            fields.fault(place, f"expected deployment/NAME or statefulset/NAME=PODS: {text!r}")
        elif one.workload in found:
            fields.fault(place, f"stands there twice: {one.workload}")
        else:
            found[one.workload] = one
    return tuple(found.values())
