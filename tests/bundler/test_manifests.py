"""The ready specs in `manifests/`: each says what its name says, and stays right uncommented."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator as Validator

from bundler.schema import spec_schema
from bundler.spec import BundleSpec, parse_spec
from scripts.sample_archives import write_application, write_console
from tests.bundler.commands import Workplace
from tests.commented import uncommented
from transfer.contents import ReleaseRecord
from transfer.kots.finding import Rule
from transfer.kots.upgrade import Installed, check_path

FOLDER = Path(__file__).parents[2] / "manifests"
SPECS = [
    "first-install",
    "four-hop-upgrade",
    "helm-modules",
    "monthly-upgrade",
    "nextgen-on-firstgen",
]


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.yaml").read_text()


def spec_of(name: str) -> BundleSpec:
    return parse_spec(text_of(name), name)


def sources(spec: BundleSpec) -> list[str]:
    return [archive.input.source for archive in spec.archives]


def test_every_file_is_known_here() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {*SPECS, "site"}


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_says_where_its_facts_are_from(name: str) -> None:
    text = text_of(name)
    assert "\n# Where the facts are from\n" in text
    assert f"manifests/{name}.yaml" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("name", SPECS)
def test_what_is_commented_out_is_right_too(name: str) -> None:
    text = uncommented(text_of(name))
    assert text != text_of(name)
    assert list(Validator(spec_schema()).iter_errors(yaml.safe_load(text))) == []
    parse_spec(text, name)


def test_a_first_install_is_the_console_and_firstgen() -> None:
    spec = spec_of("first-install")
    assert sources(spec) == [
        "https://api.github.com/repos/replicatedhq/kots@v1.131.4/kotsadm.tar.gz",
        "downloads/harness-79915.airgap",
    ]
    assert [file.platform for file in spec.files] == ["linux/amd64"]
    assert spec.applications[0].installed is None
    assert spec.toolkit is not None


def test_a_first_install_is_built_from_downloads_alone(workplace: Workplace) -> None:
    value = yaml.safe_load(uncommented(text_of("first-install")))
    for key in ("images", "toolkit"):  # they are pulled
        del value[key]
    del value["kots"]["minio"]
    for application in value["applications"]:
        application.pop("license", None)
        application.pop("configValues", None)
    write_console(workplace.downloads / "kotsadm.tar.gz", size=20_000)
    for name, slug in {"harness-79915": "harness", "harness-ng-412": "harness-ng"}.items():
        write_application(workplace.downloads / f"{name}.airgap", slug, size=20_000)
    (workplace.folder / "configvalues.yaml").write_text("hostname: harness.example\n")
    spec = workplace.folder / "first-install.yaml"
    spec.write_text(yaml.safe_dump(value))
    ran = workplace.build(spec)
    assert ran.code == 0, ran.err
    plugin = workplace.bundle / "files/kubectl-kots/linux/amd64/kots_linux_amd64.tar.gz"
    assert plugin.read_bytes() == b"the plugin"


def test_nextgen_joins_the_console_that_runs() -> None:
    spec = spec_of("nextgen-on-firstgen")
    assert spec.console is None
    assert [one.slug for one in spec.applications] == ["harness-ng"]
    with_console = parse_spec(uncommented(text_of("nextgen-on-firstgen")), "uncommented")
    assert with_console.console is not None


def test_four_hops_keep_the_rule() -> None:
    spec = spec_of("four-hop-upgrade")
    (harness,) = spec.applications
    labels = [source.rpartition("/")[2] for source in sources(spec)[1:]]
    assert [harness.installed, *labels] == [*harness.major_releases]
    assert len(labels) == 4
    start, majors = Installed(label=harness.installed or ""), harness.major_releases
    hops = [Hop(ReleaseRecord(version_label=label)) for label in labels]
    assert check_path("harness", start, hops, majors) == ()
    beyond = Hop(ReleaseRecord(version_label="60000"))
    (found,) = check_path("harness", start, [beyond], (*majors, "60000"))
    assert found.rule is Rule.UPGRADE_PATH
    assert check_path("harness", start, [*hops, beyond], (*majors, "60000")) == ()


class Hop:
    """What carries a release."""

    def __init__(self, release: ReleaseRecord) -> None:
        self.release = release


def test_a_monthly_upgrade_starts_from_what_runs() -> None:
    spec = spec_of("monthly-upgrade")
    assert [one.installed for one in spec.applications] == ["79915", "412"]
    assert sources(spec)[1:] == [
        "downloads/harness-80110.airgap",
        "https://downloads.example.com/harness/harness-80307.airgap",
        "portal:harness-ng/sequence/415",
    ]
    assert spec.archives[2].input.sha256 is not None


def test_the_helm_line_brings_modules_delegates_and_images_of_ci() -> None:
    spec = spec_of("helm-modules")
    assert [source.partition("#")[2] for source in sources(spec)] == [
        "platform",
        "cdng",
        "ci",
        "ci/plugins",
    ]
    assert [str(image.reference) for image in spec.images] == [
        "docker.io/harness/delegate:26.06.89501",
        "docker.io/harness/upgrader:1.12.0",
        "docker.io/harness/ci-addon:CHANGE-ME",
        "docker.io/harness/ci-lite-engine:CHANGE-ME",
    ]
    assert {image.platforms for image in spec.images} == {("linux/amd64",)}


@pytest.mark.parametrize(
    "name", ["four-hop-upgrade", "helm-modules", "monthly-upgrade", "nextgen-on-firstgen"]
)
def test_what_is_made_up_is_called_a_placeholder(name: str) -> None:
    assert "PLACEHOLDER" in text_of(name)
