"""What cannot be shown with real archives at the command line: clashes, and time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bundler.check import (
    ALLOWABLE,
    Facts,
    Gatherer,
    ReleaseFacts,
    SiteFiles,
    judge,
    read_site_files,
    settle,
)
from bundler.spec import BundleSpec, parse_spec
from scripts.sample_archives import write_plugin
from tests.bundler.commands import HEAD
from tests.mirror.kots_world import console, image, release
from transfer.archive.appfiles import AppFiles
from transfer.contents import ArchiveRecord, Contents, FileRecord, PluginRecord
from transfer.digest import Digest
from transfer.errors import InvalidInput, NotFound, PolicyError
from transfer.kots.finding import WARNINGS, Finding, Rule
from transfer.kots.licence import Licence

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SPEC = "applications: [{slug: harness, releases: [{archive: {path: a.airgap}}]%s}]\n"
LICENCE = "kind: License\nspec: {appSlug: harness, channelID: 1aCHANNEL, signature: eA==%s}\n"


def spec(more: str = "") -> BundleSpec:
    return parse_spec(HEAD + SPEC % more, "harness.yaml")


def found(contents: Contents, facts: Facts | None = None) -> list[Finding]:
    return list(judge(spec(), contents, facts or Facts(), NOW))


def contents(*archives: ArchiveRecord) -> Contents:
    return Contents(name="x", version="1", archives=archives)


def test_two_images_of_one_name_are_found() -> None:
    first = release("1", 1)
    other = replace(
        release("1", 1, "chaos"),
        images=(replace(image("quay.io/x/mongo:4.4.22"), root=image("else").root),),
    )
    [finding] = found(contents(first, other))
    assert finding.rule is Rule.DESTINATION_COLLISION
    assert finding.subject == "mongo:4.4.22"
    assert "wanted by mongo:4.4.22 of harness-1.airgap" in finding.message
    assert "and by quay.io/x/mongo:4.4.22 of chaos-1.airgap" in finding.message
    assert Rule.DESTINATION_COLLISION not in ALLOWABLE
    later = replace(other, release=replace(first.release, version_label="2"))
    assert found(contents(first, later)) == [], "a site has one of them at a time"


def held(record: ArchiveRecord, *names: str) -> ReleaseFacts:
    """A release whose files name these images."""
    return ReleaseFacts(record=record, files=AppFiles(images=names))


def test_images_may_come_with_an_earlier_release_or_alone() -> None:
    """Archives of a later release may leave out what the site has by then."""
    first, second, other = release("1", 1), release("2", 2), release("1", 1, "chaos")
    name, alone = first.images[0].name, "harness/delegate:1"
    carried = replace(contents(first, second, other), images=(image(alone),))
    facts = [held(first, alone), held(second, name, alone)]
    assert found(carried, Facts(releases=tuple(facts))) == []
    for releases in ([held(other, name), *facts], [*facts, held(other, name)], facts[::-1]):
        [finding] = found(carried, Facts(releases=tuple(releases)))
        assert (finding.rule, finding.subject) == (Rule.IMAGE_NOT_CARRIED, name)


def test_only_what_the_site_will_deploy_is_judged() -> None:
    """A first install takes the newest release, whatever else is carried."""
    old, new = release("1", 1, min_kots_version="1.140.0"), release("2", 2)
    other = release("3", 3, "chaos", min_kots_version="1.140.0")
    facts = Facts(releases=tuple(map(held, (new, old, other))))
    assert found(contents(console(), old, new, other), facts) == []
    facts = Facts(releases=tuple(map(held, (old, other))))
    [finding] = found(contents(console(), old, other), facts)
    assert (finding.rule, finding.subject) == (Rule.KOTS_TOO_OLD, "harness 1")


@pytest.mark.parametrize(
    ("end", "rule"),
    [
        ("2026-11-21T00:00:00Z", Rule.LICENSE_EXPIRED),
        ("2026-12-01T00:00:00Z", Rule.LICENSE_EXPIRES),
        ("2027-12-01T00:00:00Z", None),
    ],
)
def test_a_licence_is_held_against_the_day(end: str, rule: Rule | None) -> None:
    text = LICENCE % f", entitlements: {{expires_at: {{value: '{end}'}}}}"
    licences = {"harness": Licence.parse(text, "license.yaml")}
    findings = found(contents(), Facts(site=SiteFiles(licences=licences)))
    assert [finding.rule for finding in findings] == ([rule] if rule else [])


def test_the_files_of_the_site_are_read_beside_the_spec(tmp_path: Path) -> None:
    (tmp_path / "l.yaml").write_text(LICENCE % "")
    (tmp_path / "v.yaml").write_text("kind: ConfigValues\nspec: {values: {a: {value: x}}}\n")
    site = read_site_files(spec(", license: l.yaml, configValues: v.yaml"), tmp_path)
    assert site.licences["harness"].is_signed
    assert list(site.values["harness"].answers) == ["a"]
    assert read_site_files(spec(), tmp_path) == SiteFiles()


def test_every_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"applications\[0\]\.license: l\.yaml"):
        read_site_files(spec(", license: l.yaml"), tmp_path)
    (tmp_path / "v.yaml").write_text("s3cret")
    with pytest.raises(InvalidInput) as caught:
        read_site_files(spec(", license: l.yaml, configValues: v.yaml"), tmp_path)
    missing, wrong = map(str, caught.value.faults)
    assert missing.startswith("applications[0].license: l.yaml")
    assert wrong.startswith("v.yaml: no configuration values")
    assert "s3cret" not in str(caught.value.faults)


def test_plugins_are_known_by_their_place_in_the_bundle(tmp_path: Path) -> None:
    gatherer = Gatherer()
    for path in ("files/kubectl-kots/linux/amd64/kots.tar.gz", "files/kots.tar.gz"):
        record = FileRecord(path=path, size=1, digest=Digest.of(b"x"))
        gatherer.take_file(write_plugin(tmp_path / "kots.tar.gz"), record)
    plugins = gatherer.facts(SiteFiles()).plugins
    assert plugins == {"files/kubectl-kots/linux/amd64/kots.tar.gz": "1.131.4"}


def plugin(path: str) -> PluginRecord:
    record = FileRecord(path=path, size=1, digest=Digest.of(b"x"))
    return PluginRecord(platform="linux/amd64", file=record)


@pytest.mark.parametrize(
    ("given", "says", "rules"),
    [
        ("", None, []),
        ("", "1.131.4", []),
        ("", "1.124.18", [Rule.PLUGIN_VERSION]),
        (", plugins: [{platform: linux/amd64, path: p}]", None, [Rule.PLUGIN_UNKNOWN]),
    ],
)
def test_a_plugin_of_the_release_need_not_say_its_version(
    given: str, says: str | None, rules: list[Rule]
) -> None:
    wanted = parse_spec(f"{HEAD}kots: {{version: v1.131.4{given}}}\n", "harness.yaml")
    path = wanted.files[0].path
    carried = Contents(name="x", version="1", plugins=(plugin(path),))
    findings = judge(wanted, carried, Facts(plugins={path: says}), NOW)
    assert [finding.rule for finding in findings] == rules


def test_a_verdict_sorts_and_refuses() -> None:
    one, two, three = (
        Finding(rule=rule, subject="s", message="m", hint="h")
        for rule in (Rule.KOTS_TOO_NEW, Rule.PLUGIN_MISSING, Rule.PLUGIN_UNKNOWN)
    )
    verdict = settle([one, two, three], ["kots-too-new", "plugin-unknown"])
    assert (verdict.allowed, verdict.refused, verdict.warnings) == ((one,), (two,), (three,))
    assert verdict.recorded == ("kots-too-new: m",)
    with pytest.raises(PolicyError, match="spec: 1 finding; ") as caught:
        verdict.raise_refused("spec")
    assert [str(fault) for fault in caught.value.faults] == ["plugin-missing: m"]
    settle([one, three], ["kots-too-new"]).raise_refused("spec")
    assert not WARNINGS & set(ALLOWABLE)
