"""Images that would have one name at a site: refused, or announced where releases follow."""

from __future__ import annotations

import pytest

from scripts.sample_archives import NEW_RELEASE, OLD_RELEASE, Sample, write_application
from scripts.sample_images import Recipe
from tests.bundler.commands import Workplace
from transfer.bundle import Bundle
from transfer.digest import Digest

REDIS = Recipe("docker.io/library/redis:6.2")
OTHER_REDIS = Recipe("quay.io/tools/redis:6.2")
TWO_APPLICATIONS = """
applications:
  - slug: harness
    releases: [{archive: {path: downloads/old.airgap}}]
  - slug: harness-ng
    releases: [{archive: {path: downloads/new.airgap}}]
"""
TWO_RELEASES = """
applications:
  - slug: harness
    releases:
      - archive: {path: downloads/old.airgap}
      - archive: {path: downloads/new.airgap}
"""


def write_releases(
    workplace: Workplace, slug: str = "harness", recipe: Recipe = REDIS
) -> tuple[Sample, Sample]:
    """Two archives in which `redis:6.2` is not the same."""
    old = write_application(
        workplace.downloads / "old.airgap", size=100_000, release=OLD_RELEASE, more=[REDIS]
    )
    new = write_application(
        workplace.downloads / "new.airgap", slug, size=200_000, release=NEW_RELEASE, more=[recipe]
    )
    return old, new


@pytest.mark.parametrize("recipe", [REDIS, OTHER_REDIS])
def test_applications_that_would_overwrite_each_other_are_refused(
    workplace: Workplace, recipe: Recipe
) -> None:
    old, new = write_releases(workplace, "harness-ng", recipe)
    ran = workplace.run("lock", workplace.spec(TWO_APPLICATIONS))
    assert ran.code == 8
    assert "applications[1].releases[0].archive: different images would have one name" in ran.err
    first = f"{REDIS.name} of applications[0].releases[0].archive ({old.images[REDIS.name]})"
    second = f"{recipe.name} of applications[1].releases[0].archive ({new.images[recipe.name]})"
    assert f"redis:6.2: wanted by {first} and by {second}" in ran.err
    assert not workplace.lock.exists()


def test_one_image_under_two_names_is_fine(workplace: Workplace) -> None:
    write_application(workplace.downloads / "old.airgap", size=100_000, more=[REDIS])
    write_application(workplace.downloads / "new.airgap", "harness-ng", size=100_000, more=[REDIS])
    assert workplace.run("lock", workplace.spec(TWO_APPLICATIONS)).code == 0


@pytest.mark.parametrize("recipe", [REDIS, OTHER_REDIS])
def test_releases_that_follow_one_another_are_carried_with_a_warning(
    workplace: Workplace, recipe: Recipe
) -> None:
    old, new = write_releases(workplace, recipe=recipe)
    spec = workplace.spec(TWO_RELEASES)
    warning = (
        "  push --release harness=78000, upgrade, "
        "push --release harness=79915 --overwrite, upgrade\n"
        f"  - redis:6.2: wanted by {REDIS.name} of old.airgap ({old.images[REDIS.name]}) "
        f"and by {recipe.name} of new.airgap ({new.images[recipe.name]})\n"
    )
    locked = workplace.run("lock", spec)
    assert (locked.code, locked.out.endswith(warning)) == (0, True)
    built = workplace.build(spec)
    assert (built.code, built.out.endswith(warning)) == (0, True)
    told = workplace.build(spec, "--output", "json").json()["clashes"]
    assert told == [warning.splitlines()[1].removeprefix("  - ")]
    assert workplace.run("lock", spec, "--output", "json").json()["clashes"] == told
    bundle = Bundle.read(workplace.bundle)
    bundle.verify()
    held = bundle.layout.images()
    assert str(held[REDIS.name].digest) == old.images[REDIS.name]
    later = f"{REDIS.name}@{new.images[recipe.name]}" if recipe is REDIS else recipe.name
    assert str(held[later].digest) == new.images[recipe.name]
    for digest in (*old.blobs, *new.blobs):
        assert bundle.layout.path_of(Digest.parse(digest)).exists()
