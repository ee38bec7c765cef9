"""NextGen installed as the guide prints it, `harnesss-ng`: commands say what the cluster says.

The site file has `harness-ng`; whoever types either name means the same application.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.downtime import downtime_of
from mirror.kube.openshift import accounts_of
from mirror.requirements import find_requirement
from tests.mirror.caretaker import Caretaker
from tests.mirror.kots_world import CHANNELS, KOTS, licence_text, namespace, read_site, running
from tests.mirror.operations_daily import COUNTS, NEXTGEN, objects
from transfer.errors import InvalidInput

OTHERWISE = "harnesss-ng"
SPELLINGS = ("harness-ng", OTHERWISE)


@pytest.fixture
def site(tmp_path: Path) -> Caretaker:
    one = Caretaker(tmp_path / "site", objects=objects(COUNTS))
    release = {"versionLabel": "600", "updateCursor": "99", "channelID": CHANNELS["harness-ng"]}
    apps = {"harness": running("79915", 412), "harnesss_ng": running("500", 91, "harness-ng")}
    there = one.cluster.load()["objects"]
    for each in there:
        if each["metadata"]["name"] == "ng-manager":
            each["metadata"]["labels"]["kots.io/app-slug"] = OTHERWISE
    one.cluster.change(
        namespaces={"harness": namespace(KOTS, login=LOGIN, **apps)},
        objects=there,
        vendor={OTHERWISE: [release]},
    )
    return one


LOGIN = ("pusher", 'reg pa"ss$word')


def slugs_told(one: Caretaker) -> set[str]:
    """Every word of a call that has the name of the application in it."""
    words = (word for call in one.cluster.calls() for word in call["argv"])
    return {spelled for word in words for spelled in (*SPELLINGS,) if spelled in _names(word)}


def _names(word: str) -> list[str]:
    return [word, word.rpartition("=")[2], word.partition("/")[0], word.rpartition("/")[2]]


@pytest.mark.parametrize("app", SPELLINGS)
def test_downtime_knows_it_by_its_label(site: Caretaker, app: str) -> None:
    site.run("down", "--app", app)
    assert site.scaled() == [(NEXTGEN, 0)]
    site.run("up", "--app", app)
    assert site.pods() == COUNTS


def test_a_downtime_of_the_other_application_leaves_it_alone(site: Caretaker) -> None:
    site.run("down", "--app", "harness", "--all")
    assert NEXTGEN not in dict(site.scaled())
    assert {name for name, pods in site.pods().items() if pods} == {NEXTGEN}
    site.run("up", "--app", "harness")
    assert site.pods() == COUNTS


@pytest.mark.parametrize("app", SPELLINGS)
def test_the_patch_is_removed_from_it(site: Caretaker, app: str) -> None:
    done = site.run("remove-ingress-patch", "--app", app)
    assert f"the newest version of {OTHERWISE} is deployed" in done.stdout
    assert slugs_told(site) == {OTHERWISE}


@pytest.mark.parametrize("app", SPELLINGS)
def test_a_version_of_it_is_deployed(site: Caretaker, app: str) -> None:
    done = site.run("deploy", "--app", app, "--version", "500")
    assert f"{OTHERWISE} 500 is deployed already" in done.stderr
    assert slugs_told(site) == {OTHERWISE}


@pytest.mark.parametrize("app", SPELLINGS)
def test_it_is_upgraded_where_the_vendor_is_reached(site: Caretaker, app: str) -> None:
    order = ("upgrade", "--connected", "--skip-console", "--confirmed", "backup")
    site.run(*order, "--app", app)
    there = site.cluster.load()["namespaces"]["harness"]["apps"][OTHERWISE]["versions"]
    assert there[0]["versionLabel"] == "600"
    assert slugs_told(site) == {OTHERWISE}


@pytest.mark.parametrize("app", SPELLINGS)
def test_its_licence_is_shown_and_renewed(site: Caretaker, app: str) -> None:
    assert site.run("licence", "show", "--app", app).stdout.splitlines()[1].startswith("harness-ng")
    renewed = site.folder / "renewed.yaml"
    signed = licence_text("harness-ng") + "  signature: c2ln\n"
    renewed.write_text(signed + "  licenseSequence: 9\n")
    done = site.run("licence", "upload", renewed, "--app", app, code=11)
    assert f"Choose {OTHERWISE}, then License" in " ".join(done.stderr.split())
    told = [call["argv"][1:3] for call in site.cluster.calls()]
    assert told.count(["get", "apps"]) == 1, "each question is asked once"
    assert slugs_told(site) == {OTHERWISE}


@pytest.mark.parametrize("app", SPELLINGS)
def test_its_logs_are_found(site: Caretaker, app: str) -> None:
    site.run("logs", "--app", app, "-o", site.folder / "logs", "--dry-run")


def test_a_dry_run_says_it_as_it_was_typed(site: Caretaker) -> None:
    done = site.run("deploy", "--app", OTHERWISE, "--version", "600", "--dry-run")
    assert f"kubectl kots get versions {OTHERWISE}" in done.stdout
    done = site.run("remove-ingress-patch", "--app", OTHERWISE, "--dry-run")
    assert f"--slug={OTHERWISE}" in done.stdout
    assert not site.cluster.calls()


@pytest.mark.parametrize("slug", SPELLINGS)
def test_what_is_known_of_it_is_known_by_both_names(slug: str) -> None:
    assert [one.workload for one in downtime_of(slug, None).stop] == [NEXTGEN]
    assert find_requirement(slug, None)
    application = read_site().application(slug)
    assert "harness-serviceaccount" in accounts_of(application)


def test_a_name_that_is_no_spelling_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"applications\.harness-gn: not in the site file"):
        read_site().application("harness-gn")
