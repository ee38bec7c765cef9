"""What a bundle says of an upgrade beside its archives, and what is shown of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mirror.deploy.offers import offers
from tests.mirror.supply import APPLICATION, MODULE, make_bundle, mirror
from tests.transfer.bundles import fill
from transfer.bundle import BundleWriter
from transfer.contents import MajorReleases
from transfer.sources import open_sources

ALLOWED = "upgrade-path: harness: from 1 to 79915 it is 5 major releases"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle that was built although a step is too long."""
    contents = replace(
        make_bundle(tmp_path / "first").contents,
        major_releases=(MajorReleases(slug="harness", labels=("1", "79915")),),
        allowed=(ALLOWED,),
    )
    with BundleWriter.create(tmp_path / "bundle") as writer:
        fill(writer, {**APPLICATION, **MODULE})
        return writer.finish(contents).path


def test_an_offer_knows_the_major_releases_and_what_was_allowed(bundle: Path) -> None:
    with open_sources([bundle]) as sources:
        application, _ = offers([bundle], sources)
    assert application.majors == ("1", "79915")
    assert application.allowed == ("upgrade-path",)


def test_what_was_allowed_is_shown(bundle: Path, tmp_path: Path) -> None:
    shown = mirror("show", bundle)
    assert shown.out.rstrip().endswith(f"allowed when it was built\n  {ALLOWED}")
    assert mirror("show", bundle, "--output", "json").json()[0]["allowed"] == [ALLOWED]
    assert "allowed when" not in mirror("show", tmp_path / "first").out
