"""What somebody says who wants a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from bundler.spec.values import DEFAULT_PLATFORM

NONE = "none"
"""The answer that leaves something out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said on the command line; None or nothing where it was not."""

    name: str | None = None
    version: str | None = None
    kots: str | None = None
    """A version, or `NONE`."""
    minio: bool | None = None
    kots_platforms: tuple[str, ...] = ()
    releases: tuple[tuple[str, str], ...] | None = None
    """Slugs with the sources of releases, each application's oldest first; () for none."""
    installed: Mapping[str, str] = field(default_factory=dict)
    """Slugs with the version labels that run at the site."""
    images: tuple[str, ...] = ()
    toolkit_python: tuple[str, ...] = ()
    toolkit_platforms: tuple[str, ...] = ()

    def with_nothing_more(self) -> Self:
        """The same from somebody who has no release to add."""
        return replace(self, releases=self.releases or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application to carry."""

    slug: str
    releases: tuple[str, ...]
    """Their sources, oldest first; see `release_entry`."""
    installed: str = ""
    """The version label that runs at the site; "" where nothing is installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """All that a spec is made of."""

    name: str
    version: str
    kots: str = ""
    """The version of the admin console; "" where none is carried."""
    minio: bool = True
    kots_platforms: tuple[str, ...] = (DEFAULT_PLATFORM,)
    applications: tuple[Application, ...] = ()
    images: tuple[str, ...] = ()
    toolkit_python: tuple[str, ...] = ()
    """() where the toolkit does not travel along."""
    toolkit_platforms: tuple[str, ...] = (DEFAULT_PLATFORM,)

    @property
    def asks_portal(self) -> bool:
        """Whether a release comes from the vendor's portal."""
        sources = (source for one in self.applications for source in one.releases)
        return any("portal" in release_entry(source) for source in sources)


def release_entry(source: str) -> dict[str, object]:
    """What a spec says of a release's archive.

    Args:
        source: `sequence:412` or `label:0.1` of the vendor's portal, an address, or a path.
    """
    kind, _, value = source.partition(":")
    if kind == "sequence" and value.isascii() and value.isdigit():
        return {"portal": {"sequence": int(value)}}
    if kind in ("sequence", "label"):
        return {"portal": {kind: value}}
    return {"url" if "://" in source else "path": source}
