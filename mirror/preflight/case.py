"""What a preflight is about, read from files: the site's, and what crossed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from mirror.config.carried import CarriedRelease, carried_releases
from mirror.deploy import offers
from mirror.kots import Engine
from mirror.preflight.model import Answer, Case, Member
from mirror.site import Application, Site
from mirror.spelling import known_as
from transfer.disk import read_text
from transfer.errors import NotFound, TransferError
from transfer.kots.licence import Licence
from transfer.kots.values import ConfigValues
from transfer.relocate import RelocationPlan, relocate
from transfer.sources import OpenSource, images_of

_T = TypeVar("_T")
NAMELESS = "an archive without an appSlug"


def read_case(
    site: Site,
    paths: Sequence[Path],
    sources: Sequence[OpenSource],
    *,
    engine: Engine = Engine.MIRROR,
    work_dir: str | None = None,
) -> Case:
    """Read everything that is known before anybody is asked; `paths` are where the sources are.

    What cannot be read is an answer as well.

    Raises:
        InvalidInput: a source has no images, so that nothing can be looked for.
    """

    def images() -> RelocationPlan:
        return relocate(images_of(sources), site.registry.endpoint)

    listed = {application.slug: application for application in site.applications}
    carried = {known_as(slug, listed): found for slug, found in _carried(sources).items()}
    return Case(
        site=site,
        offers=offers(paths, sources),
        images=attempt(images),
        members=tuple(
            _member(listed[slug], releases) for slug, releases in carried.items() if slug in listed
        ),
        strangers=tuple(slug or NAMELESS for slug in carried if slug not in listed),
        engine=engine,
        work_dir=work_dir,
    )


def attempt(work: Callable[[], _T]) -> Answer[_T]:
    """What comes of some work: a value, or the error that it raises."""
    try:
        return Answer(work())
    except TransferError as error:
        return Answer(error)


def _carried(sources: Sequence[OpenSource]) -> dict[str, Sequence[CarriedRelease]]:
    try:
        return dict(carried_releases(sources))
    except NotFound:  # the admin console alone, or a module
        return {}


def _member(application: Application, releases: Sequence[CarriedRelease]) -> Member:
    return Member(
        application=application,
        releases=tuple(carried.release for carried in releases),
        licence=attempt(lambda: _licence(application)),
        config=attempt(releases[-1].read_config),
        values=attempt(lambda: _values(application)),
    )


def _licence(application: Application) -> Licence:
    path = application.license_file
    where = f"applications.{application.slug}.licenseFile: {path}"
    return Licence.parse(read_text(Path(path), where), path)


def _values(application: Application) -> ConfigValues | None:
    path = application.config_values
    if path is None:
        return None
    where = f"applications.{application.slug}.configValues: {path}"
    return ConfigValues.parse(read_text(Path(path), where), path)
