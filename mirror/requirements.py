"""What applications need of a cluster: the vendor's tables, or the site's own figures.

Source: vendor's guide, "Infrastructure requirements" of the Kubernetes cluster. NextGen is
installed on top of FirstGen: what both need adds up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from mirror.kube.quantity import parse_quantity
from transfer.fields import Fields

_FIGURES = ("cpu", "memoryGB", "storageGB")
KEYS = ("mode", *_FIGURES)
"""Of `requirements` in the site file."""


class Mode(StrEnum):
    """What an installation is for: each has a table of its own."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"
    """The vendor calls it proof of concept, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What one application needs; None where nobody says how much."""

    cpu: Fraction | None = None
    """CPUs, of all nodes together."""
    memory: Fraction | None = None
    """Bytes, of all nodes together."""
    storage: Fraction | None = None
    """Bytes, of all volumes together."""
    mode: Mode | None = None
    """The table of the vendor's that it is from, with which goes a least size of nodes."""


NODE_CPU = 8
NODE_MEMORY = parse_quantity("12G")
"""What each node has, at least."""


def _of_vendor(mode: Mode, cpu: str, memory: str, storage: str | None = None) -> Requirement:
    return Requirement(
        cpu=parse_quantity(cpu),
        memory=parse_quantity(memory),
        storage=parse_quantity(storage) if storage else None,
        mode=mode,
    )


_FIRST_GEN = (
    _of_vendor(Mode.PRODUCTION, "37.5", "73.5G", "1000G"),
    _of_vendor(Mode.DEVELOPMENT, "19", "38G", "200G"),
)
_NEXT_GEN = (_of_vendor(Mode.PRODUCTION, "17.5", "61.9Gi"),)

TABLES: Mapping[str, Sequence[Requirement]] = {
    "harness": _FIRST_GEN,
    "harness-ng": _NEXT_GEN,
    "harnesss-ng": _NEXT_GEN,  # as the vendor's guide spells it in one place
}
"""The vendor's tables, by the slug of the application."""


def read_requirements(parent: Fields) -> Mode | Requirement | None:
    """The key `requirements` of an application in the site file; None where it is not there."""
    fields = parent.child("requirements", *KEYS)
    if fields is None:
        return None
    text = fields.optional_text("mode")
    mode = next((one for one in Mode if one == text), None)
    if text is not None and mode is None:
        fields.fault("mode", f"expected {' or '.join(Mode)}, found {text!r}")
    given = [key for key in _FIGURES if key in fields]
    if (text is None) == (not given):
        fields.fault("", f"expected either mode or some of {', '.join(_FIGURES)}")
    cpu, memory, storage = (fields.integer(key, None) for key in _FIGURES)
    gigabyte = 10**9
    return mode or Requirement(
        cpu=_exact(cpu), memory=_exact(memory, gigabyte), storage=_exact(storage, gigabyte)
    )


def find_requirement(
    slug: str, stated: Mode | Requirement | None, *, demo: bool = False
) -> Requirement | None:
    """What an application needs; None where nobody says.

    Args:
        slug: The application's.
        stated: What the site file says.
        demo: Whether the application is configured for demo mode; counts where nothing is stated.
    """
    if isinstance(stated, Requirement):
        return stated
    mode = stated or (Mode.DEVELOPMENT if demo else Mode.PRODUCTION)
    return next((one for one in TABLES.get(slug, ()) if one.mode == mode), None)


def _exact(number: int | None, factor: int = 1) -> Fraction | None:
    return None if number is None else Fraction(number * factor)
