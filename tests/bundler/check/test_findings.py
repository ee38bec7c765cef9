"""Each rule has something that breaks it and something that keeps it, at the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bundler.check import ALLOWABLE
from scripts.sample_archives import Release, chart
from tests.bundler.check.scene import CHANNEL, CONFIG, LICENCE, VALUES, Scene, release
from tests.bundler.commands import Ran, Workplace
from tests.transfer.archive.forge import Forge
from transfer.kots.finding import WARNINGS, Rule

GOOD = Scene()


def pod(*images: str, key: str = "containers") -> str:
    """A Deployment with a container of each image."""
    containers = "".join(f"        - {{name: c, image: {image}}}\n" for image in images)
    return (
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n"
        f"      {key}:\n{containers}"
    )


def names(**files: str | bytes) -> Scene:
    """A release with more files; `_` stands for `.`."""
    made = {name.replace("_", "."): content for name, content in files.items()}
    return replace(GOOD, releases=(release(files=made),))


def licensed(**fields: Any) -> Scene:  # noqa: ANN401 - JSON
    return replace(GOOD, licence={**LICENCE, **fields})


def expiring(value: str) -> Scene:
    return licensed(entitlements={"expires_at": {"value": value}})


def answered(name: str, answer: Mapping[str, Any] | None) -> Scene:
    values = {key: value for key, value in VALUES.items() if key != name}
    return replace(GOOD, values={**values, **({name: answer} if answer is not None else {})})


def upgrade(*releases: Release, installed: str = "78000", majors: Sequence[str] = ()) -> Scene:
    application = {"installed": installed, "majorReleases": list(majors)}
    return replace(GOOD, releases=releases, application=application)


MAJORS = ["78000", "78500", "79000", "79200", "79400", "79915"]
CARRIED = "docker.io/harness/harness-manager-signed:79915"
TEMPLATE = 'spec:\n  containers:\n    - image: "{{ .Values.image }}"\n    - image: mongo:9\n'


@dataclass(frozen=True, slots=True)
class Case:
    """What breaks a rule, what is said of it, and what keeps the rule."""

    rule: Rule
    wrong: Scene
    message: str
    right: Scene = GOOD


CASES = {
    "a pod's image": Case(
        Rule.IMAGE_NOT_CARRIED,
        names(pod_yaml=pod("docker.io/harness/absent:1")),
        "its files name the image docker.io/harness/absent:1, which neither harness-79915.airgap",
        names(pod_yaml=pod(CARRIED, "registry.example/other/harness-manager-signed:79915")),
    ),
    "an init container's image": Case(
        Rule.IMAGE_NOT_CARRIED,
        names(pod_yaml=pod("absent:1", key="initContainers")),
        "the image absent:1",
    ),
    "an additional image": Case(
        Rule.IMAGE_NOT_CARRIED,
        names(
            app_yaml="apiVersion: kots.io/v1beta1\nkind: Application\nspec:\n"
            "  minKotsVersion: 1.88.0\n  additionalImages: [absent:2]\n"
        ),
        "the image absent:2",
    ),
    "an image of a chart": Case(
        Rule.IMAGE_NOT_CARRIED,
        names(mongo_tgz=chart({"templates/pod.yaml": TEMPLATE})),
        "the image mongo:9",
        names(mongo_tgz=chart({"templates/pod.yaml": f"  image: {CARRIED}\n"})),
    ),
    "an image that Helm names": Case(
        Rule.IMAGE_TEMPLATED,
        names(mongo_tgz=chart({"templates/pod.yaml": "  image: {{ .Values.image }}\n"})),
        "harness 79915: 1 image name in its files made by a template",
    ),
    "an image that KOTS names": Case(
        Rule.IMAGE_TEMPLATED,
        names(pod_yaml=pod("'repl{{ LocalImageName \"x\" }}'")),
        "1 image name in its files made by a template",
    ),
    "needs a newer console": Case(
        Rule.KOTS_TOO_OLD,
        replace(GOOD, releases=(release(needs="1.132.0"),)),
        "harness 79915 needs KOTS 1.132.0 or newer; the admin console is v1.131.4",
        replace(GOOD, releases=(release(needs="1.131.4"),)),
    ),
    "a step needs a newer console": Case(
        Rule.KOTS_TOO_OLD,
        upgrade(release("79000", 400, needs="1.132.0"), release()),
        "harness 79000 needs KOTS 1.132.0",
        # Installed already, it is nothing that anybody deploys.
        upgrade(release("79000", 400, needs="1.132.0"), release(), installed="79000"),
    ),
    "needs an older console": Case(
        Rule.KOTS_TOO_NEW,
        replace(GOOD, releases=(release(up_to="1.130.0"),)),
        "harness 79915 can be installed with KOTS up to 1.130.0; the admin console is v1.131.4",
        upgrade(release(up_to="1.130.0")),
    ),
    "another plugin": Case(
        Rule.PLUGIN_VERSION,
        replace(GOOD, plugin="1.124.18"),
        "kots_linux_amd64.tar.gz is kubectl-kots 1.124.18; the admin console is v1.131.4",
    ),
    "a plugin without a version": Case(
        Rule.PLUGIN_UNKNOWN, replace(GOOD, plugin=None), "does not say its version"
    ),
    "no plugin for a platform": Case(
        Rule.PLUGIN_MISSING,
        replace(GOOD, kots={"platforms": ["linux/amd64", "darwin/arm64"]}),
        "no kubectl-kots for darwin/arm64",
        replace(GOOD, kots={"platforms": ["linux/amd64"]}),
    ),
    "no Minio": Case(
        Rule.MINIO_MISSING,
        replace(GOOD, minio=False),
        "kotsadm-nominio.tar.gz holds no Minio, and the spec does not say kots.minio: false",
        replace(GOOD, minio=False, kots={"minio": False}),
    ),
    "Minio that nobody wants": Case(
        Rule.MINIO_CARRIED,
        replace(GOOD, kots={"minio": False}),
        "kotsadm.tar.gz holds Minio, and the spec says kots.minio: false",
        replace(GOOD, minio=False, kots={"minio": False}),
    ),
    "a required release is left out": Case(
        Rule.REQUIRED_RELEASE,
        upgrade(release(required=[("79400", 398)])),
        "harness 79915 can be deployed only after 79400; on the way there: 78000",
        upgrade(release("79400", 398), release(required=[("79400", 398)])),
    ),
    "a required release is installed": Case(
        Rule.REQUIRED_RELEASE,
        upgrade(release(required=[("79400", 398), ("79000", 390)]), installed="79000"),
        "only after 79400; on the way there: 79000",
        upgrade(release(required=[("79400", 398), ("79000", 390)]), installed="79400"),
    ),
    "a step too long": Case(
        Rule.UPGRADE_PATH,
        upgrade(release(), majors=MAJORS),
        "harness: from 78000 to 79915 it is 5 major releases; one step may take 4 at most",
        upgrade(release("79000", 400), release(), majors=MAJORS),
    ),
    "a path without numbers": Case(
        Rule.PATH_UNKNOWN,
        upgrade(release(required=[("79400", 398)]), installed="spring"),
        "requires 79400 to be deployed first, and nobody can tell from spring if it is",
        upgrade(release(), installed="spring"),
    ),
    "a licence for another application": Case(
        Rule.LICENSE_SLUG,
        licensed(appSlug="harness-ng"),
        "harness: the licence is for the application 'harness-ng'",
    ),
    "a licence for another channel": Case(
        Rule.LICENSE_CHANNEL,
        licensed(channels=[{"channelID": "else", "channelSlug": "beta"}]),
        "harness: the licence allows beta, but release 79915 (channel Stable) is of the channel "
        "with the ID channel-harness, which the licence does not have",
        licensed(channels=[{"channelID": i, "channelSlug": i} for i in ("else", CHANNEL)]),
    ),
    "a licence for one other channel": Case(
        Rule.LICENSE_CHANNEL,
        licensed(channels=[], channelID="else", channelName="Beta"),
        "harness: the licence allows Beta",
        licensed(channels=[]),
    ),
    "a licence that has ended": Case(
        Rule.LICENSE_EXPIRED,
        expiring("2020-01-31T00:00:00Z"),
        "harness: the licence license.yaml ended on 2020-01-31",
        expiring(""),
    ),
    "a licence whose end is no time": Case(
        Rule.LICENSE_EXPIRED,
        expiring("2999-01-01"),
        "expires_at is no time as 2026-12-31T00:00:00Z is",
        expiring("2999-01-01T00:00:00+01:00"),
    ),
    "a licence without a signature": Case(
        Rule.LICENSE_UNSIGNED,
        licensed(signature=""),
        "harness: the licence license.yaml has no signature",
    ),
    "an answer to no question": Case(
        Rule.CONFIG_UNKNOWN,
        answered("hostnam", {"value": "x"}),
        "values.yaml: hostnam: harness 79915 asks for no such item",
    ),
    "no answer": Case(
        Rule.CONFIG_MISSING,
        answered("hostname", None),
        "values.yaml: hostname: harness 79915 requires it, it has no default, and no value here",
        replace(
            answered("hostname", None),
            releases=(
                release(files={"config.yaml": CONFIG.replace("required: true", "default: a.b")}),
            ),
        ),
    ),
    "an answer that is no bool": Case(
        Rule.CONFIG_TYPE,
        answered("tls", {"value": "s3cret"}),
        'values.yaml: tls (bool): expected "0" or "1"',
        answered("tls", {"value": "1"}),
    ),
    "an answer that is a number": Case(
        Rule.CONFIG_TYPE,
        answered("password", {"valuePlaintext": 5_3_2_1}),
        "values.yaml: password (password): expected text, found a number; put it in quotes",
    ),
    "an answer that is no choice": Case(
        Rule.CONFIG_TYPE,
        answered("size", {"value": "s3cret"}),
        "values.yaml: size (select_one): expected one of small, large",
    ),
    "an answer that is no file": Case(
        Rule.CONFIG_TYPE,
        answered("certificate", {"value": "s3cret!"}),
        "values.yaml: certificate (file): expected a file's content in base64",
    ),
    "an airgap.yaml too large": Case(
        Rule.AIRGAP_YAML_TOO_LARGE,
        replace(GOOD, releases=(release(notes="x" * 750_000),)),
        "harness-79915.airgap: its airgap.yaml has 751 kB; KOTS keeps it in a ConfigMap",
        replace(GOOD, releases=(release(notes="x" * 740_000),)),
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the archives are, once they are made."""
    return tmp_path_factory.mktemp("archives")


def named(rule: Rule, text: str) -> bool:
    return f"- {rule}: " in text or f"warning: {rule}: " in text


@pytest.mark.parametrize("name", CASES)
def test_what_breaks_a_rule_is_found(name: str, tmp_path: Path, store: Path) -> None:
    case = CASES[name]
    ran = Workplace(tmp_path).run("check", case.wrong.write(tmp_path, store))
    assert ran.code == (0 if case.rule in WARNINGS else 12), ran.err
    assert named(case.rule, ran.err)
    assert case.message in ran.err
    assert "s3cret" not in ran.err + ran.out
    assert "5321" not in ran.err + ran.out
    others = [rule for rule in Rule if rule != case.rule and named(rule, ran.err)]
    assert set(others) <= {Rule.IMAGE_TEMPLATED}, "one thing is wrong, and one rule is broken"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.right != GOOD])
def test_what_keeps_a_rule_passes(name: str, tmp_path: Path, store: Path) -> None:
    case = CASES[name]
    ran = Workplace(tmp_path).run("check", case.right.write(tmp_path, store))
    assert ran.code == 0, ran.err
    assert not named(case.rule, ran.err)


@pytest.mark.parametrize("rule", ALLOWABLE)
def test_what_is_allowed_passes_and_is_said(rule: Rule, tmp_path: Path, store: Path) -> None:
    case = next(case for case in CASES.values() if case.rule is rule)
    ran = Workplace(tmp_path).run(
        "check", case.wrong.write(tmp_path, store), "--allow", case.rule, "--output", "json"
    )
    assert ran.code == 0, ran.err
    assert {one["name"] for one in ran.json()["allowed"]} == {case.rule}
    assert case.message in ran.json()["allowed"][0]["message"]
    assert f"allowed: {case.rule}: " in ran.err


def test_every_rule_has_a_case() -> None:
    without = set(Rule) - {case.rule for case in CASES.values()}
    assert without == {Rule.DESTINATION_COLLISION, Rule.LICENSE_EXPIRES}  # see test_judge.py


def test_all_findings_come_at_once(tmp_path: Path, store: Path) -> None:
    scene = replace(
        licensed(appSlug="x", signature=""),
        plugin="1.124.18",
        releases=(release(needs="1.140.0"),),
        values={},
    )
    ran = Workplace(tmp_path).run("check", scene.write(tmp_path, store), "--output", "json")
    assert ran.code == 12
    found = [fault["message"].partition(":")[0] for fault in ran.json()["error"]["faults"]]
    assert found == [
        "plugin-version",
        "kots-too-old",
        "license-slug",
        "license-unsigned",
        "config-missing",
    ]


def test_bytes_that_are_wrong_are_no_policy(tmp_path: Path, store: Path) -> None:
    """They stop everything, whatever is allowed: all that is wrong with them is named."""
    spec = GOOD.write(tmp_path, store)
    archive = Path(
        json.loads(spec.read_text())["applications"][0]["releases"][0]["archive"]["path"]
    )
    forge = Forge.open(archive)
    blobs = [name for name in forge.members if name.endswith("/data")]
    first, second = blobs[0], blobs[1]
    forge.members[first] = b"X" + forge.members[first][1:]
    del forge.members[second]
    damaged = forge.write(tmp_path / archive.name)
    spec.write_text(spec.read_text().replace(str(archive), str(damaged)))
    ran = Workplace(tmp_path).run("check", spec, *(f"--allow={rule}" for rule in ALLOWABLE))
    assert ran.code == 4
    assert first.split("/")[-2] in ran.err
    assert second.split("/")[-2] in ran.err


def test_an_unknown_name_is_told_the_known_ones(tmp_path: Path, store: Path) -> None:
    ran = Workplace(tmp_path).run("check", GOOD.write(tmp_path, store), "--allow", "kots-old")
    assert ran.code == 2
    assert all(f"'{rule}'" in ran.err for rule in ALLOWABLE)


def test_where_all_is_well_nothing_is_said_or_written(tmp_path: Path, store: Path) -> None:
    spec = GOOD.write(tmp_path, store)
    before = sorted(path.name for path in tmp_path.iterdir())
    ran = Workplace(tmp_path).run("check", spec, "--cache-dir", tmp_path.parent / "cache")
    assert ran.out == f"{spec}: 2 archives, 11 images, 1 file, nothing against it\n"
    assert "warning" not in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def built(spec: Path, *options: str) -> Ran:
    return Workplace(spec.parent).run("build", spec, "-o", spec.parent / "bundle", *options)


def test_a_build_refuses_and_goes_on_once_it_is_allowed(tmp_path: Path, store: Path) -> None:
    spec = replace(GOOD, plugin="1.124.18").write(tmp_path, store)
    refused = built(spec)
    assert refused.code == 12
    assert "- plugin-version: files/kubectl-kots/linux/amd64/kots_linux_amd64" in refused.err
    assert not (tmp_path / "bundle").exists()
    assert built(spec, "--allow", "plugin-version").code == 0
    [allowed] = json.loads((tmp_path / "bundle/bundle.json").read_text())["allowed"]
    assert allowed.startswith("plugin-version: files/kubectl-kots/linux/amd64/kots_linux_amd64")
    assert allowed in Workplace(tmp_path).run("show", tmp_path / "bundle").out


def test_the_bundle_tells_the_site_of_major_releases(tmp_path: Path, store: Path) -> None:
    spec = upgrade(release("79000", 400), release(), majors=MAJORS).write(tmp_path, store)
    assert built(spec).code == 0
    contents = json.loads((tmp_path / "bundle/bundle.json").read_text())
    assert contents["majorReleases"] == [{"slug": "harness", "labels": MAJORS}]
    assert "allowed" not in contents
    spec.write_text(spec.read_text().replace('"78500", ', ""))
    changed = Workplace(tmp_path).run("lock", spec, "--check")
    assert changed.code == 3
    assert "majorReleases: those of the spec are not those in the lock" in changed.err
