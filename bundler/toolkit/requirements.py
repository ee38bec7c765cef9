"""The toolkit's own requirements: each version pinned, each file of it by its hash.

`requirements.lock` is written by `scripts/lock` for every platform and Python at once; it is
part of the package, so that a bundle carries what this very code was tested with.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from transfer.digest import Digest
from transfer.errors import InvalidInput

INSTALLER = "pip"
"""Carried to install the others; not installed itself."""
BUILD_ONLY = frozenset({"setuptools"})
"""In the file for whoever installs a checkout; a site gets wheels and builds nothing."""

_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)"
    r"\s*(?:;\s*(?P<marker>.*?))?(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})+)"
)
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One package in one version, and the files that may be it."""

    name: str
    version: str
    marker: str
    """Where it is needed, such as `python_full_version < '3.13'`; "" for everywhere."""
    digests: frozenset[Digest]

    def is_in(self, file_name: str) -> bool:
        """Whether a file is a wheel of it, by its name: `<name>-<version>-…` (PEP 427)."""
        name, _, rest = file_name.partition("-")
        version = rest.partition("-")[0]
        return _normalized(name) == _normalized(self.name) and version == self.version

    def among(self, digests: Collection[Digest]) -> Requirement:
        """The same, with those of its files alone that are among `digests`."""
        return replace(self, digests=self.digests.intersection(digests))

    def line(self, *, marked: bool = True) -> str:
        """Its lines in a requirements file; without its marker it is needed everywhere."""
        marker = f" ; {self.marker}" if self.marker and marked else ""
        hashes = "".join(f" \\\n    --hash={digest}" for digest in sorted(self.digests))
        return f"{self.name}=={self.version}{marker}{hashes}\n"


def parse_requirements(text: str) -> tuple[Requirement, ...]:
    """Read a requirements file with hashes, without what only a build needs.

    Raises:
        InvalidInput: a line is not a pinned version with its hashes.
    """
    plain = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    lines = filter(None, (line.strip() for line in plain.replace("\\\n", " ").splitlines()))
    return tuple(found for found in map(_parse_line, lines) if found.name not in BUILD_ONLY)


def _parse_line(line: str) -> Requirement:
    found = _LINE.fullmatch(line)
    if found is None:
        raise InvalidInput(
            f"requirements.lock: not a pinned version with hashes: {line[:80]!r}",
            hint="the installation is damaged: install the toolkit again",
        )
    return Requirement(
        name=found["name"],
        version=found["version"],
        marker=found["marker"] or "",
        digests=frozenset(map(Digest.parse, _HASH.findall(found["hashes"]))),
    )


def _normalized(name: str) -> str:
    """The form in which names of packages compare (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
