"""`airgap-mirror licence`: what is shown of licences, and which new ones are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mirror.cli.expiry import warn_of_licences
from mirror.operation import Step, run
from mirror.upkeep.licences import (
    New,
    check_new,
    describe,
    end_of,
    licence_warnings,
    plan_upload,
)
from mirror.upkeep.newest import check_newest
from tests.mirror.caretaker import Caretaker, Stop, Stopped
from tests.mirror.kots_world import CHANNELS, read_site
from tests.mirror.operations_daily import upload_licence
from transfer.errors import PolicyError, ToolError
from transfer.kots.licence import Licence

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ID, SIGNATURE = "2fSECRETid", "c2lnbmF0dXJl"


def text(
    slug: str = "harness",
    *,
    end: datetime | None = NOW + timedelta(days=90),
    sequence: int | None = 3,
    identity: str = ID,
    signature: str = SIGNATURE,
    channels: Mapping[str, str] | None = None,
) -> str:
    """A licence, as the vendor writes one."""
    allowed = channels or {"stable": CHANNELS.get(slug, "1x")}
    lines = [f"    - {{channelID: {one}, channelSlug: {name}}}" for name, one in allowed.items()]
    fields = [
        *(f"appSlug: {slug}", f"channelID: {next(iter(allowed.values()))}", "channels:", *lines),
        f"licenseID: {identity}",
        *([f"licenseSequence: {sequence}"] if sequence is not None else []),
        *([f"signature: {signature}"] if signature else []),
        *([f'entitlements: {{expires_at: {{value: "{end.isoformat()}"}}}}'] if end else []),
    ]
    body = "".join(f"  {one}\n" if not one.startswith(" ") else f"{one}\n" for one in fields)
    return f"apiVersion: kots.io/v1beta1\nkind: License\nspec:\n{body}"


def parsed(written: str) -> Licence:
    return Licence.parse(written, "license.yaml")


OLD = parsed(text())
LATER = NOW + timedelta(days=400)
APPLICATION = read_site().application("harness")


def new(written: str, old: Licence | None = OLD, channel_id: str = "") -> New:
    return New(
        file="/new.yaml",
        folder="/manifests",
        licence=parsed(written),
        old=old,
        channel_id=channel_id,
    )


def test_a_renewed_licence_is_taken() -> None:
    assert check_new(APPLICATION, new(text(end=LATER, sequence=4)), NOW) == []
    assert check_new(APPLICATION, new(text(end=None, sequence=4)), NOW) == []
    assert check_new(APPLICATION, new(text(end=LATER, sequence=None), None), NOW) == [
        "/etc/airgap/license.yaml is not there: the two could not be compared."
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (text("harness-ng", end=LATER, sequence=4), "the licence is for the application 'harness"),
        (text("", end=LATER, sequence=4), "does not say for which application it is"),
        (text(end=LATER, sequence=4, signature=""), "/new.yaml has no signature"),
        (text(end=LATER, sequence=4, identity="another"), "the two licences have different IDs"),
        (text(end=LATER, sequence=3), "it is not newer (licenseSequence 3, now 3)"),
        (text(end=NOW + timedelta(days=60), sequence=4), "it ends on 2027-01-22, and the one of"),
        (text(end=NOW - timedelta(days=1), sequence=4), "/new.yaml ended on 2026-11-22"),
        (
            text(end=LATER, sequence=4, channels={"beta": "1zBETA"}),
            "does not allow the channel of the release that is deployed; it allows beta",
        ),
    ],
)
def test_what_kots_would_refuse_is_refused_here(written: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        check_new(APPLICATION, new(written, channel_id=CHANNELS["harness"]), NOW)
    assert any(said in str(fault) for fault in caught.value.faults), caught.value.faults
    assert caught.value.exit_code == 12
    told = "\n".join(map(str, (caught.value, *caught.value.faults)))
    assert ID not in told
    assert SIGNATURE not in told


def test_everything_that_is_wrong_is_said_at_once() -> None:
    worst = text("other", end=NOW - timedelta(days=1), sequence=2, identity="x", signature="")
    with pytest.raises(PolicyError) as caught:
        check_new(APPLICATION, new(worst, channel_id=CHANNELS["harness"]), NOW)
    assert len(caught.value.faults) == 7


def test_a_channel_of_the_site_file_has_to_be_allowed() -> None:
    site = read_site(
        "apiVersion: airgap/v1\nkind: Site\nname: x\nregistry: {endpoint: r.example/h}\n"
        "namespace: harness\napplications: {harness: {licenseFile: l.yaml, channel: beta}}\n"
    )
    with pytest.raises(PolicyError) as caught:
        check_new(site.application("harness"), new(text(end=LATER, sequence=4)), NOW)
    assert "does not allow the channel beta of the site file" in str(caught.value.faults[0])


def test_warnings_for_installs_and_upgrades() -> None:
    applications = read_site().applications
    soon = parsed(text(end=NOW + timedelta(days=5)))
    over = parsed(text("harness-ng", end=NOW - timedelta(days=5)))
    found = licence_warnings(applications, {"harness": soon, "harness-ng": over}, NOW)
    assert [one.partition(": ask")[0] for one in found] == [
        "harness: the licence /etc/airgap/license.yaml ends on 2026-11-28",
        "harness-ng: the licence /etc/airgap/license-ng.yaml ended on 2026-11-18",
    ]
    assert licence_warnings(applications, {"harness": OLD, "harness-ng": None}, NOW) == []


def test_what_a_program_gets_has_no_secret() -> None:
    told = describe(APPLICATION, OLD, NOW)
    assert told["channels"] == ["stable"]
    assert told["daysLeft"] == 90
    assert ID not in json.dumps(told) + repr(OLD)
    assert SIGNATURE not in json.dumps(told) + repr(OLD)
    assert describe(APPLICATION, parsed(text(end=None)), NOW)["expires"] is None


@pytest.mark.parametrize("written", ["", "soon", "2026-12-31", "2026-12-31T00:00:00"])
def test_an_end_that_cannot_be_read_is_none(written: str) -> None:
    assert end_of(parsed(text(end=None))) is None
    shown = text().replace(OLD.expires_at, written)
    assert end_of(parsed(shown)) is None


@pytest.fixture
def site(tmp_path: Path) -> Caretaker:
    one = Caretaker(tmp_path / "site")
    far = datetime.now(UTC) + timedelta(days=200)
    (one.folder / "license.yaml").write_text(text(end=far))
    (one.folder / "license-ng.yaml").write_text(text("harness-ng", end=None))
    (one.folder / "renewed.yaml").write_text(text(end=far + timedelta(days=365), sequence=4))
    return one


def test_licences_are_shown_without_their_secrets(site: Caretaker) -> None:
    done = site.run("licence", "show")
    assert done.stderr == ""
    first, second = done.stdout.splitlines()[1:]
    assert first.split()[:2] == ["harness", "stable"]
    assert first.split()[-1] == "yes"
    assert second.split() == ["harness-ng", "stable", "never", "yes"]
    told = site.run("licence", "show", "--output", "json").stdout
    for secret in (ID, SIGNATURE):
        assert secret not in done.stdout + told
    assert [one["slug"] for one in json.loads(told)["licences"]] == ["harness", "harness-ng"]
    assert site.cluster.calls() == []


def test_a_licence_that_ended_is_warned_about_and_can_fail(site: Caretaker) -> None:
    (site.folder / "license.yaml").write_text(text(end=NOW - timedelta(days=100)))
    done = site.run("licence", "show")
    assert "warning: harness: the licence" in done.stderr
    assert "ended on 2026-08-15" in done.stderr
    assert "ended on" in site.run("licence", "show", "--fail", code=12).stderr
    site.run("licence", "show", "--fail", "--app", "harness-ng")


def test_licences_that_are_missing_are_all_named(site: Caretaker) -> None:
    for name in ("license", "license-ng"):
        (site.folder / f"{name}.yaml").unlink()
    done = site.run("licence", "show", code=5)
    assert "applications.harness.licenseFile" in done.stderr
    assert "applications.harness-ng.licenseFile" in done.stderr


def order(site: Caretaker) -> tuple[str | Path, ...]:
    return "licence", "upload", site.folder / "renewed.yaml", "--app", "harness"


def test_a_person_uploads_and_the_rest_is_checked(site: Caretaker) -> None:
    done = site.run(*order(site), code=11)
    assert "upload-licence: not confirmed" in done.stderr
    assert f"and the file {site.folder}/renewed.yaml" in " ".join(done.stderr.split())
    assert "kubectl kots admin-console --port=8800 --namespace=harness" in done.stderr
    renewed = (site.folder / "renewed.yaml").read_text()
    upload_licence(site.cluster, renewed)
    done = site.run(*order(site), "--confirmed", "upload-licence")
    new = site.folder / "renewed.yaml"
    assert done.stdout.splitlines() == [
        "the newest version of harness is deployed",
        f"harness runs with the licence {new}",
    ]
    assert not (site.folder / "site.harness-licence").exists()
    assert (site.folder / "license.yaml").read_text() == renewed
    again = site.run(*order(site))
    assert "is this licence already" in again.stderr
    assert again.stdout == "Nothing was to be done.\n"
    for path in (site.folder / "site.journal.jsonl", site.cluster.log):
        assert ID not in path.read_text()


@pytest.mark.parametrize("wrong", ["nothing", "old", "another holder", "another end"])
def test_what_was_only_confirmed_is_not_believed(site: Caretaker, wrong: str) -> None:
    new, old = (site.folder / name for name in ("renewed.yaml", "license.yaml"))
    before, end = old.read_text(), end_of(parsed(new.read_text()))
    upload_licence(site.cluster, before)  # a version with this source is there since years
    if wrong == "another holder":
        upload_licence(site.cluster, text(end=end, sequence=4, identity="x"))
    if wrong == "another end":
        upload_licence(site.cluster, text(end=LATER, sequence=4))
    if wrong == "old":
        upload_licence(site.cluster, before)
    done = site.run(*order(site), "--confirmed", "upload-licence", code=10)
    assert f"harness has another licence; expected: harness runs with the licence {new}" in (
        done.stderr
    )
    assert "whose source is License Change; then run the same command again" in done.stderr
    assert old.read_text() == before
    upload_licence(site.cluster, new.read_text())
    site.run(*order(site))  # what was confirmed is not asked again
    assert old.read_text() == new.read_text()
    for secret in (ID, SIGNATURE):
        assert secret not in done.stdout + done.stderr


def test_the_folder_of_the_proof_is_for_its_owner_alone(site: Caretaker) -> None:
    site.run(*order(site), "--confirmed", "upload-licence", code=10)
    folder = site.folder / "site.harness-licence"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "harness/upstream/userdata/license.yaml").exists()


def test_a_folder_with_other_files_is_left_alone(site: Caretaker) -> None:
    other = site.folder / "site.harness-licence" / "mine"
    other.parent.mkdir()
    other.write_text("mine")
    done = site.run(*order(site), code=8)
    assert f"folder {other.parent}: there are files in it, and they are not ours" in done.stderr
    assert other.read_text() == "mine"


def test_what_the_person_forgot_to_deploy_is_found(site: Caretaker) -> None:
    application = site.site.application("harness")
    there = New(
        file=str(site.folder / "renewed.yaml"),
        folder=str(site.folder / "manifests"),
        licence=OLD,
        old=OLD,
        channel_id="1aCHANNEL",
    )
    check_newest(site.site, application, site.hands().ask)
    plan = plan_upload(site.site, application, there)
    state = site.cluster.load()["namespaces"]
    versions = state["harness"]["apps"]["harness"]["versions"]
    versions.insert(0, {**versions[0], "status": "pending", "source": "License Change"})
    site.cluster.change(namespaces=state)
    with pytest.raises(ToolError, match="harness, newest version: pending after 2 s"):
        site.carry_out(plan)
    done = site.run(*order(site), code=12)
    assert "the newest version is not the deployed one: 79915 is pending" in done.stderr


def test_what_was_confirmed_is_not_asked_again(site: Caretaker) -> None:
    licence = parsed((site.folder / "renewed.yaml").read_text())
    new, folder = str(site.folder / "renewed.yaml"), str(site.folder / "manifests")
    given = New(file=new, folder=folder, licence=licence, old=OLD)
    plan = plan_upload(site.site, site.site.application("harness"), given)
    with pytest.raises(Stopped):
        site.carry_out(plan, Stop(at=2))  # after the person, before the console is asked
    asked: list[str] = []

    def confirm(step: Step) -> bool:
        asked.append(step.name)
        return True

    upload_licence(site.cluster, (site.folder / "renewed.yaml").read_text())
    run(site.site, plan, site.hands(confirm=confirm))
    assert asked == []


def test_a_licence_of_somebody_else_is_refused_before_anything(site: Caretaker) -> None:
    (site.folder / "renewed.yaml").write_text(text(end=LATER, sequence=4, identity="x"))
    before = (site.folder / "license.yaml").read_text()
    done = site.run(*order(site), code=12)
    assert "the two licences have different IDs" in done.stderr
    assert (site.folder / "license.yaml").read_text() == before
    (site.folder / "renewed.yaml").write_text("kind: Secret\n")
    assert "not a licence" in site.run(*order(site), code=3).stderr


def test_a_dry_run_asks_nothing(site: Caretaker) -> None:
    assert "By hand, then --confirmed upload-licence" in site.run(*order(site), "--dry-run").stdout
    assert site.cluster.calls() == []


def test_commands_warn_of_what_they_can_read(site: Caretaker) -> None:
    said: list[str] = []
    warn_of_licences(site.site.applications, said.append)
    assert said == []
    (site.folder / "license.yaml").write_text(text(end=NOW - timedelta(days=100)))
    (site.folder / "license-ng.yaml").write_text("kind: Secret\n")
    warn_of_licences(site.site.applications, said.append)
    (one,) = said
    assert one.startswith(
        f"warning: harness: the licence {site.folder}/license.yaml ended on 2026-"
    )


@pytest.mark.parametrize("order", [("install", "--skip-console"), ("upgrade",)])
def test_an_install_or_upgrade_warns_before_all_else(
    order: tuple[str, ...], site: Caretaker
) -> None:
    dry = (*order, "--connected", "--dry-run")
    assert site.run(*dry).stderr == ""
    (site.folder / "license.yaml").write_text(text(end=NOW - timedelta(days=100)))
    told = site.run(*dry).stderr
    assert "warning: harness: the licence" in told.splitlines()[0]
    assert "ended on 2026-08-15" in told
