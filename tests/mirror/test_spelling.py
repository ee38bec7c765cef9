"""The guide's `harnesss-ng`: what the cluster calls an application is what KOTS is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundler.spec import parse_spec
from mirror.spelling import alike
from tests.mirror.kots_operator import Carried, Operator
from tests.mirror.kots_world import KOTS, running
from tests.mirror.test_install_cli import BACKED_UP, carried

__all__ = ["carried"]

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("slug", "known", "found"),
    [
        ("harnesss-ng", ["harness", "harness-ng"], "harness-ng"),
        ("harness-ng", ["harnesss-ng"], "harnesss-ng"),
        ("harness-ng", ["harness-ng", "harnesss-ng"], None),
        ("harness-ng", ["harness"], None),
        ("harnesss", ["harness", "harnes"], None),
    ],
)
def test_another_spelling_is_one_with_doubled_letters(
    slug: str, known: list[str], found: str | None
) -> None:
    assert alike(slug, known) == found


@pytest.fixture
def operator(tmp_path: Path, carried: Carried) -> Operator:
    return Operator(tmp_path, carried)


def upgraded(operator: Operator) -> list[str]:
    """What KOTS was told to upgrade."""
    calls = [call["argv"] for call in operator.cluster.calls()]
    return [argv[3] for argv in calls if argv[1:3] == ["upstream", "upgrade"]]


@pytest.mark.parametrize("app", ["harness-ng", "harnesss-ng"])
@pytest.mark.parametrize("known", ["harness_ng", "harnesss_ng"])
def test_kots_is_told_what_the_cluster_calls_it(operator: Operator, app: str, known: str) -> None:
    operator.has(KOTS, **{known: running("79400", 91, "harness-ng")})
    operator.run("upgrade", "--app", app, *BACKED_UP)
    assert upgraded(operator) == [known.replace("_", "-")]
    assert operator.deployed() == {known.replace("_", "-"): "79915"}


def test_a_dry_run_says_it_as_it_was_typed(operator: Operator) -> None:
    done = operator.run("upgrade", "--app", "harnesss-ng", "--dry-run")
    assert "kubectl kots upstream upgrade harnesss-ng" in done.stdout


@pytest.mark.parametrize("listed", ["harness-ng", "harnesss-ng"])
@pytest.mark.parametrize("app", ["harness-ng", "harnesss-ng"])
def test_an_archive_is_known_however_the_site_file_spells_it(
    operator: Operator, listed: str, app: str
) -> None:
    before = json.loads(operator.site.read_text())["applications"]["harness-ng"]
    operator.write_site(applications={listed: before})
    operator.has(KOTS, harnesss_ng=running("79400", 91, "harness-ng"))
    operator.run("upgrade", "--app", app, *BACKED_UP)
    assert upgraded(operator) == ["harnesss-ng"]


def test_a_request_asks_the_cluster_by_its_name_and_the_vendor_by_the_archives(
    operator: Operator,
) -> None:
    operator.has(KOTS, harnesss_ng=running("77000", 70, "harness-ng"))
    downloads, file = operator.carried.downloads, operator.folder / "request.yaml"
    sources = (downloads / "kotsadm.tar.gz", downloads / "harness-ng.airgap")
    for app in ("harness-ng", "harnesss-ng"):
        operator.run("upgrade", "--app", app, "--request", file, sources=sources)
        (application,) = parse_spec(file.read_text(), str(file)).applications
        assert (application.slug, application.installed) == ("harness-ng", "77000")
        file.unlink()
    asked = [call["argv"] for call in operator.cluster.calls()]
    assert ["get", "versions", "harnesss-ng"] in [argv[1:4] for argv in asked]


def test_what_nobody_knows_is_refused(operator: Operator) -> None:
    done = operator.run("upgrade", "--app", "harnes-gn", code=3)
    assert "--app harnes-gn: no archive of it among the sources" in done.stderr
