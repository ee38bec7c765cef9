from __future__ import annotations

from pathlib import Path

import pytest

from mirror import duration
from mirror.downtime import Downtime, Scaled, downtime_of
from mirror.secret import FromEnvironment, FromFile, Mask, Secret
from mirror.site import DockerConfig, Login, Site, Waits, parse_site
from mirror.site.file import load_site
from tests.mirror.kots_world import SITE, read_site
from transfer.errors import InvalidInput, NotFound

EXAMPLE = Path(__file__).resolve().parents[2] / "manifests" / "site.yaml"


def faults_of(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_site(text)
    assert caught.value.exit_code == 3
    return [str(fault) for fault in caught.value.faults]


def change(old: str, new: str) -> str:
    assert old in SITE
    return SITE.replace(old, new)


def test_a_site_is_read_with_its_paths_made_absolute() -> None:
    site = read_site()
    assert str(site.registry.endpoint) == "registry.dc-north.example:5000/harness"
    assert site.registry.ca_file == "/etc/airgap/dc-north.pem"
    assert site.registry.credentials == Login(
        username=FromEnvironment("REGISTRY_USER"), password=FromEnvironment("REGISTRY_PASSWORD")
    )
    assert site.cluster.kubeconfig == "/home/ops/.kube/config"
    first, second = site.applications
    assert (first.slug, first.license_file) == ("harness", "/etc/airgap/license.yaml")
    assert first.config_values == "/etc/airgap/values/configvalues.yaml"
    assert (first.namespace, first.with_minio, first.skip_preflights) == ("harness", None, False)
    assert second.shared_password == FromFile("/home/ops/console password")
    assert site.waits == Waits(wait="30m", preflights="15m")


def test_the_example_is_a_site() -> None:
    site = load_site(EXAMPLE, Path("/home/ops"))
    assert [application.slug for application in site.applications] == ["harness", "harness-ng"]
    pull = site.registry.pull_credentials
    assert pull == Login(
        username="harness-pull", password=FromFile("/home/ops/.config/harness/pull-password")
    )
    assert site.applications[0].license_file == str(EXAMPLE.parent / "licences/harness.yaml")


def test_a_home_that_nobody_knows_is_missed_only_where_it_is_meant() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_site(SITE, "site.yaml", folder="/etc/airgap", home=None)
    assert [str(fault).partition(": ")[0] for fault in caught.value.faults] == [
        "cluster.kubeconfig",
        "applications.harness-ng.sharedPasswordFile",
    ]
    assert "nothing says what ~ stands for in ~/.kube/config" in str(caught.value.faults[0])
    parse_site(SITE.replace("~/", "/root/"), "site.yaml", folder="/etc/airgap", home=None)


def test_five_mistakes_are_five_faults() -> None:
    text = (
        SITE.replace("registry.dc-north.example:5000/harness", "https://registry.example/harness")
        .replace("usernameEnv: REGISTRY_USER, ", "")
        .replace("namespace: harness", "namespace: har_ness")
        .replace("configValues", "configvalues")
    )
    text += "waits: {waitDuration: 30 minutes}\n"
    found = faults_of(text)
    for path in (
        "registry.endpoint: registry endpoint 'https://",
        "registry.credentials: expected either username or usernameEnv",
        "namespace: not the name of a namespace",
        "applications.harness.configvalues: unknown key",
        "waits.waitDuration: expected a duration such as 30m",
    ):
        assert any(fault.startswith(path) for fault in found), path
    assert len(found) == 5


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (":5000/harness", ":5000/harness/", "ends with a slash"),
        ("endpoint: registry.", "endpoint: http-registry.", "starts with http for a URL"),
        ("caFile: dc-north.pem", "caFile: a.pem\n  plainHttp: true", "caFile and plainHttp"),
        ("passwordEnv: REGISTRY_PASSWORD", "passwordEnv: A, passwordFile: b", "choose one of"),
        ("passwordEnv: REGISTRY_PASSWORD", "username: bob", "username or usernameEnv"),
        (", passwordEnv: REGISTRY_PASSWORD", "", "passwordEnv or passwordFile"),
        ("usernameEnv: REGISTRY_USER", "dockerConfig: true", "together with dockerConfig"),
        (
            "{usernameEnv: REGISTRY_USER, passwordEnv: REGISTRY_PASSWORD}",
            "{dockerConfig: false}",
            "dockerConfig: expected true",
        ),
        ("context: dc-north", "contexts: dc-north", "cluster.contexts: unknown key"),
        ("  harness-ng:", "  Harness_NG:", "not the slug of an application"),
        ("sharedPasswordEnv: CONSOLE_PASSWORD", "namespace: A B", "not the name of a namespace"),
        ("kind: Site", "kind: Pod", "expected 'Site'"),
        ("    sharedPasswordEnv: CONSOLE_PASSWORD", "    withMinio: maybe", "true or false"),
        ("registry:\n", "registry: none\nother:\n", "registry: expected a mapping"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, fault: str) -> None:
    assert any(fault in found for found in faults_of(change(old, new)))


def test_a_site_without_applications_or_registry_is_refused() -> None:
    found = faults_of("apiVersion: airgap/v1\nkind: Site\nname: a\nnamespace: b\n")
    assert sorted(found) == [
        "applications: expected at least one application",
        "registry: is missing",
    ]


def test_a_password_written_as_a_variable_name_is_not_repeated() -> None:
    found = faults_of(change("passwordEnv: REGISTRY_PASSWORD", "passwordEnv: pa$$w0rd"))
    (fault,) = found
    assert fault == (
        "registry.credentials.passwordEnv: expected the name of an environment variable, "
        "such as REGISTRY_USER"
    )


def test_docker_credential_files_and_no_credentials_are_choices() -> None:
    written = "{usernameEnv: REGISTRY_USER, passwordEnv: REGISTRY_PASSWORD}"
    assert read_site(change(written, "{dockerConfig: true}")).registry.credentials == DockerConfig()
    assert read_site(change(f"  credentials: {written}\n", "")).registry.credentials is None


def test_an_application_that_is_not_listed_is_named() -> None:
    with pytest.raises(
        InvalidInput, match=r"applications\.chaos: not in the site file of dc-north"
    ):
        read_site().application("chaos")


def test_a_site_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="site file"):
        load_site(tmp_path / "site.yaml", tmp_path)
    (tmp_path / "site.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(InvalidInput, match="not text in UTF-8"):
        load_site(tmp_path / "site.yaml", tmp_path)


def test_relative_paths_start_at_the_site_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    monkeypatch.chdir(tmp_path)
    site: Site = load_site(Path("site.yaml"), Path("/home/ops"))
    assert site.applications[0].license_file == str(tmp_path / "license.yaml")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("1h15m", 4500), ("1.5s", 1.5), (".5m", 30), ("250ms", 0.25), ("2us", 2e-6)],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert duration.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "30", "30 m", "0s", "-5m", "5d", "m", "30mm", "1h-5m"])
def test_what_is_no_duration_or_none_at_all(text: str) -> None:
    assert duration.seconds(text) is None


def test_a_secret_does_not_print() -> None:
    secret = Secret("s3cret")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    assert secret.reveal() == "s3cret"


def test_a_mask_hides_every_spelling_and_the_longest_first() -> None:
    mask = Mask((Secret('a"b c'), Secret('a"b c, and more'), Secret("x")))
    assert mask('a"b c, and more | a\\"b c | a%22b%20c | x') == "*** | *** | *** | ***"
    assert Mask(())("nothing to hide") == "nothing to hide"


@pytest.mark.parametrize(
    "spelling",
    [
        'p"ss <ö> & 1',
        r"p\"ss <ö> & 1",
        r"p\"ss <\u00f6> & 1",
        r"p\"ss \u003cö\u003e \u0026 1",
        "p%22ss%20%3C%C3%B6%3E%20%26%201",
        "p%22ss%20%3C%C3%B6%3E%20&%201",
        "p%22ss+%3C%C3%B6%3E+%26+1",
        "cCJzcyA8w7Y+ICYgMQ==",
    ],
)
def test_a_secret_is_hidden_however_a_program_spells_it(spelling: str) -> None:
    mask = Mask((Secret('p"ss <ö> & 1'), Secret("")))
    assert mask(f"user:{spelling}@host") == "user:***@host"


def test_parse_site_names_the_file() -> None:
    with pytest.raises(InvalidInput, match=r"^/srv/site\.yaml: not valid YAML"):
        parse_site("a: [", "/srv/site.yaml", folder="/", home="/")


def test_a_downtime_is_read_and_known_without() -> None:
    said = "downtime: {stop: [deploy/manager, sts/queue=2], first: [statefulset/db=3]}"
    site = read_site(change("licenseFile: license.yaml", f"licenseFile: license.yaml\n    {said}"))
    first, second = site.applications
    assert first.downtime == Downtime(
        stop=(Scaled(workload="deployment/manager"), Scaled(workload="statefulset/queue", pods=2)),
        first=(Scaled(workload="statefulset/db", pods=3),),
    )
    assert downtime_of(first.slug, first.downtime) == first.downtime
    known = downtime_of(second.slug, second.downtime)
    assert [one.workload for one in known.stop] == ["deployment/ng-manager"]
    assert downtime_of("another", None) == Downtime()


def test_a_downtime_of_no_workloads_is_refused() -> None:
    said = "downtime: {stop: [manager, deployment/a=0], first: [sts/a, statefulset/a=3]}"
    text = change("licenseFile: license.yaml", f"licenseFile: license.yaml\n    {said}")
    place = "applications.harness.downtime"
    assert faults_of(text) == [
        f"{place}.stop[0]: expected deployment/NAME or statefulset/NAME=PODS: 'manager'",
        f"{place}.stop[1]: expected deployment/NAME or statefulset/NAME=PODS: 'deployment/a=0'",
        f"{place}.first[1]: stands there twice: statefulset/a",
    ]
