from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from mirror import kots
from mirror.command import Command
from mirror.kots import Handover, connected
from mirror.site import Site
from tests.fakes.goflags import Refused, parse
from tests.mirror.kots_world import SITE, read_site

ENDPOINT = "registry.dc-north.example:5000/harness"
PUSHED = Handover(archive="/usb/79915.airgap", push=False, channel="stable")
FULL = Handover(
    archive="/srv/kots/79915.airgap", push=True, channel="stable", temporary="/srv/kots"
)
PULLER = "  pullCredentials: {username: puller, passwordFile: pull}\ncluster:"


def every_command(site: Site) -> Mapping[str, Command]:
    first, second = site.applications
    return {
        "version": kots.plugin_version(site),
        "apps": kots.get_apps(site, "harness"),
        "versions": kots.get_versions(site, first),
        "push": kots.push_images(site, "harness", "/srv/kots/kotsadm.tar.gz", "/srv/kots"),
        "install": kots.install(site, first, PUSHED, minio=True, console=True),
        "install full": kots.install(site, first, FULL, minio=False, console=True),
        "add": kots.install(site, second, PUSHED, minio=True, console=False),
        "upgrade": kots.upgrade_application(site, first, PUSHED),
        "upgrade full": kots.upgrade_application(site, second, FULL),
        "console": kots.upgrade_console(site, "harness", minio=False),
    }


def without_registry(site: Site) -> Mapping[str, Command]:
    """Commands that have nothing to do with a registry."""
    first, second = site.applications
    return {
        "config": kots.get_config(site, first),
        "config in the clear": kots.get_config(site, first, decrypt=True),
        "snapshot": kots.take_snapshot(site, "harness"),
        "remove": kots.remove(site, first),
        "online": connected.install(site, first, "stable", console=True),
        "online added": connected.install(site, second, None, console=False),
        "online upgrade": connected.upgrade_application(site, first, None),
        "online upgrade to one": connected.upgrade_application(site, first, "80110"),
        "online console": connected.upgrade_console(site, "harness"),
    }


SITES = {
    "login": SITE,
    "pull": SITE.replace("cluster:", PULLER),
    "docker": SITE.replace(
        "{usernameEnv: REGISTRY_USER, passwordEnv: REGISTRY_PASSWORD}", "{dockerConfig: true}"
    ),
    "preflights": SITE.replace("license.yaml\n", "license.yaml\n    skipPreflights: true\n"),
    "minimal": SITE.replace("context: dc-north}", "context: dc-north, rbac: minimal}"),
    "given": SITE.replace("context: dc-north}", "context: dc-north, rbac: given}"),
    "plain": SITE.replace("cluster: {kubeconfig: ~/.kube/config, context: dc-north}\n", ""),
}


@pytest.mark.parametrize("text", SITES.values(), ids=SITES)
def test_kots_accepts_every_command_as_it_is_meant(text: str) -> None:
    for name, command in every_command(read_site(text)).items():
        environment = {key: value for key, value in command.environment if isinstance(value, str)}
        call = parse(command.argv[2:], environment)
        assert "--kotsadm-namespace" not in str(command), name
        if "kotsadm-registry" in call.specification["flags"]:
            assert call.get("kotsadm-registry") == ENDPOINT, name
        if name != "version":
            assert call.get("namespace") == "harness", name
        if "disable-image-push" in call.specification["flags"]:
            assert call.on("disable-image-push") == (not name.endswith("full")), name


@pytest.mark.parametrize("text", SITES.values(), ids=SITES)
def test_kots_accepts_commands_that_need_no_registry(text: str) -> None:
    for name, command in without_registry(read_site(text)).items():
        environment = {key: value for key, value in command.environment if isinstance(value, str)}
        call = parse(command.argv[2:], environment)
        assert call.get("namespace") == "harness", name
        assert "registry" not in " ".join(command.argv), name
        assert not [key for key, _ in command.environment if "REGISTRY" in key], name
        assert not [word for word in command.argv if "password" in word.lower()], name


@pytest.mark.parametrize("text", SITES.values(), ids=SITES)
def test_no_secret_is_in_a_command(text: str) -> None:
    for command in every_command(read_site(text)).values():
        assert not [word for word in command.argv if "password" in word.lower()]
        for name, value in command.environment:
            assert "PASSWORD" not in name or not isinstance(value, str) or value == ""


@pytest.mark.parametrize(
    ("rbac", "install", "upgrade"),
    [
        ("cluster", (True, False, False), (True, False)),
        ("minimal", (True, True, True), (False, True)),
        ("given", (False, False, True), (False, True)),
    ],
)
def test_kots_is_told_whose_role_it_has(
    rbac: str, install: tuple[bool, ...], upgrade: tuple[bool, ...]
) -> None:
    site = read_site(SITE.replace("context: dc-north}", f"context: dc-north, rbac: {rbac}}}"))
    commands = [*every_command(site).values(), *without_registry(site).values()]
    calls = [parse(one.argv[2:], {}) for one in commands]
    installs = [call for call in calls if call.command == "install"]
    upgrades = [call for call in calls if call.command == "admin-console upgrade"]
    assert len(installs) > 1
    assert len(upgrades) > 1
    words = ("ensure-rbac", "use-minimal-rbac", "skip-rbac-check")
    assert {tuple(map(call.on, words)) for call in installs} == {install}
    assert {(call.on(words[0]), call.on(words[2])) for call in upgrades} == {upgrade}


def test_an_install_is_complete() -> None:
    command = every_command(read_site())["install"]
    assert command.argv == (
        "kubectl",
        "kots",
        "install",
        "harness/stable",
        "--kubeconfig=/home/ops/.kube/config",
        "--context=dc-north",
        "--namespace=harness",
        "--license-file=/etc/airgap/license.yaml",
        "--config-values=/etc/airgap/values/configvalues.yaml",
        "--airgap-bundle=/usb/79915.airgap",
        f"--kotsadm-registry={ENDPOINT}",
        "--disable-image-push",
        "--no-port-forward",
        "--wait-duration=30m",
        "--preflights-wait-duration=15m",
    )


def test_a_line_to_paste_names_where_secrets_come_from() -> None:
    commands = every_command(read_site(SITES["pull"]))
    assert (
        commands["push"]
        .shell_line()
        .startswith(
            'KOTS_REGISTRY_USERNAME="$REGISTRY_USER" KOTS_REGISTRY_PASSWORD="$REGISTRY_PASSWORD" '
            "TMPDIR=/srv/kots kubectl kots admin-console push-images /srv/kots/kotsadm.tar.gz "
        )
    )
    line = commands["install"].shell_line()
    assert 'KOTS_REGISTRY_PASSWORD="$(cat /etc/airgap/pull)"' in line
    assert 'KOTS_SHARED_PASSWORD="$CONSOLE_PASSWORD"' in line
    second = read_site().applications[1]
    line = kots.install(read_site(), second, PUSHED, minio=True, console=True).shell_line()
    assert "KOTS_SHARED_PASSWORD=\"$(cat '/home/ops/console password')\"" in line


def test_who_pushes_and_who_pulls_are_two_users() -> None:
    commands = every_command(read_site(SITES["pull"]))
    pullers = {"install", "add", "upgrade", "console"}
    for name, command in commands.items():
        user = dict(command.environment).get("KOTS_REGISTRY_USERNAME")
        if user is not None:
            assert (user == "puller") == (name in pullers), name


def test_the_registry_check_is_skipped_only_for_docker_credential_files() -> None:
    for name, text in SITES.items():
        for command in every_command(read_site(text)).values():
            checked = any(part in command.argv for part in ("push-images", "install", "upstream"))
            skipped = "--skip-registry-check" in command.argv
            assert skipped == (checked and name == "docker")


def test_a_second_application_leaves_the_console_and_its_password_alone() -> None:
    command = every_command(read_site())["add"]
    assert "--exclude-admin-console" in command.argv
    assert dict(command.environment)["KOTS_SHARED_PASSWORD"] == ""
    assert "KOTS_SHARED_PASSWORD='' kubectl" in command.shell_line()


def test_a_console_without_minio_is_said() -> None:
    commands = every_command(read_site())
    assert "--with-minio=false" in commands["install full"].argv
    assert "--with-minio=false" in commands["console"].argv
    assert "--with-minio=false" not in commands["install"].argv


def test_a_channel_is_named_only_where_one_is_known() -> None:
    site = read_site()
    handover = replace(PUSHED, channel=None)
    command = kots.install(site, site.applications[0], handover, minio=True, console=True)
    assert command.argv[3] == "harness"


REFUSED = [
    (["install"], "Usage:"),
    (["install", "a", "--nonsense=1"], "unknown flag: --nonsense"),
    (["install", "a", "--wait-duration=10"], "invalid duration"),
    (["install", "a", "--disable-image-push=yes"], "strconv.ParseBool"),
    (["install", "a", "--port=x"], "strconv.ParseInt"),
    (["install", "a", "--namespace"], "flag needs an argument"),
    (["install", "a", "-x"], "unknown shorthand flag"),
    (["upstream", "upgrade", "a", "-o", "yaml"], "output format yaml not supported"),
    (["admin-console", "push-images", "one"], "Usage:"),
    (["admin-console", "push-images", "a", "b", "c"], "Usage:"),
    (["polish"], "unknown command"),
]


@pytest.mark.parametrize(("words", "text"), REFUSED, ids=[" ".join(w) for w, _ in REFUSED])
def test_the_fake_refuses_what_kots_refuses(words: list[str], text: str) -> None:
    with pytest.raises(Refused, match=text):
        parse(words, {})


def test_the_fake_reads_variables_as_kots_does() -> None:
    environment = {"KOTS_SHARED_PASSWORD": "a", "KOTS_WAIT_DURATION": "5m", "KOTS_NAMESPACE": ""}
    call = parse(["install", "a", "--wait-duration=7m", "-nharness"], environment)
    assert call.get("shared-password") == "a"
    assert call.get("wait-duration") == "7m"
    assert call.get("preflights-wait-duration") == "15m"
    assert call.get("namespace") == "harness"
    with pytest.raises(Refused, match="invalid duration"):
        parse(["install", "a"], {"KOTS_WAIT_DURATION": "soon"})
