"""`airgap-mirror remove-ingress-patch`: manifests out of KOTS and back, without a patch."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mirror.operation import Plan
from mirror.upkeep.folder import MARK, claim, get_manifests
from mirror.upkeep.ingress import Patch, plan_removal
from mirror.upkeep.newest import check_newest
from tests.fakes.kots_more import KUSTOMIZATION, MANIFESTS, PATCH
from tests.mirror.caretaker import Caretaker, stops
from tests.processes import wait_for
from tests.real.product import command
from transfer.errors import Conflict

ORDER = ("remove-ingress-patch", "--app", "harness")
LICENCE_ID = "the-licence-id"


@pytest.fixture
def site(tmp_path: Path) -> Caretaker:
    return Caretaker(tmp_path / "site")


def folder_of(one: Caretaker) -> Path:
    return one.folder / "site.harness-manifests"


def plan(one: Caretaker) -> Plan:
    application, ask = one.site.application("harness"), one.hands().ask
    settled = check_newest(one.site, application, ask)
    found = get_manifests(one.site, application, Patch(), folder_of(one), ask)
    return plan_removal(one.site, application, Patch(), replace(found, settled=settled))


def application(one: Caretaker) -> dict[str, object]:
    return dict(one.cluster.load()["namespaces"]["harness"]["apps"]["harness"])


def statuses(one: Caretaker) -> list[str]:
    versions = application(one)["versions"]
    assert isinstance(versions, list)
    return [version["status"] for version in versions]


def manifests(one: Caretaker) -> dict[str, str]:
    found = application(one)["manifests"]
    assert isinstance(found, dict)
    return found


EXPECTED = {name: text for name, text in MANIFESTS.items() if name != PATCH} | {
    KUSTOMIZATION: MANIFESTS[KUSTOMIZATION].replace("- nginx-service.yaml\n", "")
}


def test_the_patch_goes_and_nothing_else_changes(site: Caretaker) -> None:
    done = site.run(*ORDER)
    assert manifests(site) == EXPECTED
    assert statuses(site) == ["deployed", "superseded"]
    assert done.stdout == "the newest version of harness is deployed\n"
    (asked,) = [call["argv"] for call in site.cluster.calls() if "download" in call["argv"]]
    assert "--current" in asked  # the newest may not be deployed
    assert "--overwrite" not in asked
    assert LICENCE_ID not in done.stdout + done.stderr
    assert not folder_of(site).exists()
    kept = [path for path in site.folder.rglob("*") if path.is_file()]
    told = [path for path in kept if LICENCE_ID in path.read_text() and path != site.cluster.file]
    assert told == []


def test_a_second_time_nothing_is_done(site: Caretaker) -> None:
    site.run(*ORDER)
    done = site.run(*ORDER)
    assert "note: overlays/midstream/kustomization.yaml of harness has no nginx-serv" in done.stderr
    assert done.stdout == "Nothing was to be done.\n"
    assert len(statuses(site)) == 2
    assert not folder_of(site).exists()


def test_names_are_data(site: Caretaker) -> None:
    files = {
        **MANIFESTS,
        "overlays/site/k.yaml": "patchesStrategicMerge: [mine.yaml, nginx-service.yaml]\n",
    }
    apps = site.cluster.load()["namespaces"]
    apps["harness"]["apps"]["harness"]["manifests"] = files
    site.cluster.change(namespaces=apps)
    site.run(*ORDER, "--patch", "mine.yaml", "--listed-in", "overlays/site/k.yaml")
    changed = {"overlays/site/k.yaml": "patchesStrategicMerge: [nginx-service.yaml]\n"}
    assert manifests(site) == {**files, **changed}


def test_it_is_the_same_after_an_interruption_anywhere(tmp_path: Path) -> None:
    def end(one: Caretaker) -> object:
        return manifests(one), statuses(one)[0], folder_of(one).exists()

    stops(Caretaker, plan, tmp_path, end)


def test_a_folder_of_somebody_else_is_left_alone(site: Caretaker) -> None:
    mine = folder_of(site) / "harness/notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = site.run(*ORDER, code=8)
    assert f"--work-dir {folder_of(site)}: there are files in it, and they are not" in done.stderr
    assert mine.read_text() == "mine"
    assert "download" not in str(site.cluster.calls())
    elsewhere = site.folder / "elsewhere"
    elsewhere.mkdir()
    site.run(*ORDER, "--work-dir", str(elsewhere))
    assert not elsewhere.exists()


def test_a_folder_of_ours_is_for_its_owner_alone(site: Caretaker) -> None:
    plan(site)
    assert folder_of(site).stat().st_mode & 0o777 == 0o700
    assert (folder_of(site) / MARK).is_file()
    empty = site.folder / "empty"
    empty.mkdir(mode=0o755)
    assert not claim(empty)
    assert empty.stat().st_mode & 0o777 == 0o700
    assert claim(empty)
    (folder_of(site) / MARK).unlink()
    with pytest.raises(Conflict):
        plan(site)


@pytest.mark.parametrize(
    ("trap", "said"),
    [
        ({"download": "error"}, "unexpected status code from http://localhost: 500"),
        ({"upload": "error"}, "ended with exit code 0 but failed: Unexpected response from the"),
        ({"upload": "silent"}, "ended with exit code 0 but without a result"),
        ({"upload": "failed"}, "harness, newest version: failed; expected: the newest version"),
        ({"upload": "pending_config"}, "harness, newest version: pending_config; expected"),
        ({"upload": "pending_preflight"}, "harness, newest version: pending_preflight after 2 s"),
    ],
)
def test_what_kots_did_not_do_is_not_believed(
    site: Caretaker, trap: dict[str, str], said: str
) -> None:
    site.cluster.change(traps=trap)
    assert said in site.run(*ORDER, code=10).stderr


def test_a_version_that_waits_is_not_passed_over(site: Caretaker) -> None:
    apps = site.cluster.load()["namespaces"]
    versions = apps["harness"]["apps"]["harness"]["versions"]
    versions.insert(0, {**versions[0], "versionLabel": "80110", "status": "pending"})
    site.cluster.change(namespaces=apps)
    done = site.run(*ORDER, code=12)
    assert "harness: the newest version is not the deployed one: 80110 is pending" in done.stderr
    assert not folder_of(site).exists()


def test_an_application_that_is_not_there_is_told(site: Caretaker) -> None:
    apps = site.cluster.load()["namespaces"]
    del apps["harness"]["apps"]["harness"]
    site.cluster.change(namespaces=apps)
    done = site.run(*ORDER, code=5)
    assert "namespace harness does not know it; it has harness-ng" in done.stderr


def test_manifests_of_another_form_are_told(site: Caretaker) -> None:
    apps = site.cluster.load()["namespaces"]
    files = {name: text for name, text in MANIFESTS.items() if name != KUSTOMIZATION}
    apps["harness"]["apps"]["harness"]["manifests"] = files
    site.cluster.change(namespaces=apps)
    assert f"harness/{KUSTOMIZATION}: does not exist" in site.run(*ORDER, code=5).stderr


def test_ctrl_c_ends_it_and_the_same_command_continues(site: Caretaker) -> None:
    site.cluster.change(traps={"upload": "hang"})
    argv = command("mirror", *ORDER, "--site", site.site_file)
    log = site.folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(argv, env=site.environment, stdout=stream, stderr=stream)
        try:
            hangs = Path(site.environment["FAKE_HANGS"])
            wait_for(lambda: hangs.exists() or None, process, log)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 130
        finally:
            process.kill()
            process.wait()
    assert "upload: in the admin console, Version history of harness" in log.read_text()
    last = json.loads((site.folder / "site.journal.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["step"]) == ("failed", "upload")
    site.run(*ORDER)
    assert manifests(site) == EXPECTED
    assert not folder_of(site).exists()


@pytest.mark.parametrize(
    "wrong", [("--patch", "a/b.yaml"), ("--listed-in", "../k.yaml"), ("--patch", "a b")]
)
def test_names_are_read_strictly(site: Caretaker, wrong: tuple[str, str]) -> None:
    assert "expected a name" in site.run(*ORDER, *wrong, code=2).stderr


def test_a_dry_run_asks_nothing_and_makes_no_folder(site: Caretaker) -> None:
    assert "Nothing was asked." in site.run(*ORDER, "--dry-run").stdout
    assert site.cluster.calls() == []
    assert not folder_of(site).exists()
