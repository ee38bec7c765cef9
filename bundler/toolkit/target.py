"""A kind of machine that a carried toolkit is for: which wheels fit it, what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bundler.spec.values import Toolkit
from bundler.toolkit.markers import applies
from bundler.toolkit.requirements import Requirement
from transfer.errors import InvalidInput, raise_together

MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
"""What the kernel calls the machines of a platform."""

GLIBC = "2.28"
"""The glibc that a site needs at least: RHEL 8's, the oldest system with a Python 3.11."""

_OLDEST_GLIBC = 17
_NEWEST_GLIBC = 28
_OLDEST_PYTHON = 11
_PYTHON = re.compile(r"3\.([1-9][0-9]?)")
_PATCHES = (0, 99)
"""A marker may ask for the third number, which the spec does not say: any that there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One platform and one version of Python."""

    platform: str
    """For example `linux/amd64`."""
    python: str
    """For example `3.11`."""

    def __str__(self) -> str:
        """As messages name it."""
        return f"Python {self.python} on {self.platform}"

    @property
    def tags(self) -> tuple[str, ...]:
        """The platforms of wheels that fit, the best first (PEP 600)."""
        machine = MACHINES[self.platform]
        minors = range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)
        names = [*(f"manylinux_2_{minor}" for minor in minors), "manylinux2014"]
        return tuple(f"{name}_{machine}" for name in names)

    def needs(self, requirement: Requirement) -> bool:
        """Whether a package is needed there.

        Raises:
            InvalidInput: its marker is not understood.
        """
        if not requirement.marker:
            return True
        return any(applies(requirement.marker, self._environment(patch)) for patch in _PATCHES)

    def _environment(self, patch: int) -> dict[str, str]:
        version = f"{self.python}.{patch}"
        return {
            "implementation_name": "cpython",
            "implementation_version": version,
            "os_name": "posix",
            "platform_machine": MACHINES[self.platform],
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": version,
            "python_version": self.python,
            "sys_platform": "linux",
        }


def targets(toolkit: Toolkit) -> tuple[Target, ...]:
    """Every kind of machine that a toolkit is wanted for, each once, in order.

    Raises:
        InvalidInput: with each platform and version that no toolkit can be carried for.
    """
    raise_together(
        InvalidInput,
        "cannot be carried for every machine that is named",
        _faults(toolkit),
        hint=f"platforms: {', '.join(MACHINES)}; python: 3.{_OLDEST_PYTHON} or later, in quotes",
    )
    return tuple(
        Target(platform=platform, python=python)
        for platform in platforms(toolkit)
        for python in pythons(toolkit)
    )


def platforms(toolkit: Toolkit) -> list[str]:
    """The platforms, each once, in order."""
    return sorted(set(toolkit.platforms))


def pythons(toolkit: Toolkit) -> list[str]:
    """The versions, each once, in order."""
    return sorted(set(toolkit.python), key=lambda version: int(version.partition(".")[2]))


def _faults(toolkit: Toolkit) -> Iterator[InvalidInput]:
    for number, platform in enumerate(toolkit.platforms):
        if platform not in MACHINES:
            yield InvalidInput(f"toolkit.platforms[{number}]: no wheels for {platform!r}")
    for number, python in enumerate(toolkit.python):
        found = _PYTHON.fullmatch(python)
        if found is None or int(found[1]) < _OLDEST_PYTHON:
            yield InvalidInput(f"toolkit.python[{number}]: no wheels for Python {python!r}")
    if not toolkit.platforms or not toolkit.python:
        yield InvalidInput("toolkit: names no platform or no version of Python")
