"""`airgap-mirror install` and `upgrade`, with a real registry and a cluster that acts as KOTS does.

The bundle is built by `airgap-bundler` and pushed by `airgap-mirror`, both as their users run
them.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.spec import parse_spec
from bundler.spec.origin import PortalRelease
from scripts import sample_archives as sample
from tests.fakes.cluster import digest
from tests.mirror.kots_operator import CONSOLE_PASSWORD, PASSWORD, USER, Carried, Operator, ours
from tests.mirror.kots_world import FAKES, KOTS, OLD_KOTS, running
from tests.processes import wait_for
from tests.real.product import ENVIRONMENT, command, write_spec
from tests.servers import Certificate, docker_registry
from tests.tools import need

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real


BACKED_UP = ("--confirmed", "backup")


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory, tls: Certificate) -> Iterator[Carried]:
    folder = tmp_path_factory.mktemp("carried")
    downloads = folder / "downloads"
    downloads.mkdir()
    sample.write_console(downloads / "kotsadm.tar.gz")
    release = sample.Release("79915", 412, [("78000", 377)])
    sample.write_application(downloads / "harness.airgap", release=release)
    sample.write_docker_archive_application(downloads / "harness-old.airgap")
    sample.write_application(downloads / "harness-ng.airgap", "harness-ng")
    sample.write_plugin(downloads / "kots_linux_amd64.tar.gz")
    paths = {path.name: {"path": str(path)} for path in downloads.iterdir()}
    first = [{"archive": paths["harness-old.airgap"]}, {"archive": paths["harness.airgap"]}]
    second = [{"archive": paths["harness-ng.airgap"]}]
    write_spec(
        folder / "harness.yaml",
        kots={
            "version": KOTS,
            "archive": paths["kotsadm.tar.gz"],
            "plugins": [{"platform": "linux/amd64", **paths["kots_linux_amd64.tar.gz"]}],
        },
        applications=[
            {"slug": "harness", "releases": first},
            {"slug": "harness-ng", "releases": second},
        ],
    )
    with docker_registry(folder / "registry", tls=tls, htpasswd=(USER, PASSWORD)) as registry:
        found = Carried(folder / "bundle", downloads, registry, tls)
        ours("bundler", "build", folder / "harness.yaml", "-o", found.bundle)
        access = ("--ca-file", tls.ca, "--username", USER, "--password-stdin")
        ours("mirror", "push", found.bundle, "--to", found.endpoint, *access, stdin=PASSWORD)
        yield found


@pytest.fixture
def operator(tmp_path: Path, carried: Carried) -> Operator:
    return Operator(tmp_path, carried)


@pytest.fixture
def changing(operator: Operator) -> Path:
    """A folder whose archive of harness-ng is another one once harness is being installed."""
    folder = operator.folder / "disk"
    shutil.copytree(operator.carried.bundle, folder / "bundle")
    shutil.copytree(operator.carried.downloads, folder / "downloads")
    program = operator.folder / "bin/kubectl"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        'case "$*" in "kots install harness/"*)\n'
        f"  for file in {folder}/bundle/kots/harness-ng/*.airgap"
        f" {folder}/downloads/harness-ng.airgap; do\n"
        "    printf x >>$file\n"
        "  done;;\n"
        "esac\n"
        f'exec {FAKES}/kubectl "$@"\n'
    )
    program.chmod(0o755)
    operator.environment["PATH"] = f"{program.parent}:{operator.environment['PATH']}"
    return folder


@pytest.mark.parametrize("names", [["bundle"], ["kotsadm.tar.gz", "harness.airgap"]])
def test_what_kots_gets_is_proven_when_it_gets_it(
    operator: Operator, changing: Path, names: list[str]
) -> None:
    files = [*names, "harness-ng.airgap"] if "bundle" not in names else []
    sources = tuple(changing / "downloads" / name for name in files) or (changing / "bundle",)
    done = operator.run("install", sources=sources, code=4)
    assert "harness-ng" in done.stderr
    assert ": expected sha256:" in done.stderr or ", and is sha256:" in done.stderr
    assert operator.changes() == ["install harness/stable"]


def test_an_install_and_the_same_command_again(operator: Operator) -> None:
    done = operator.run("install")
    assert done.stdout.splitlines()[-5:] == [
        f"14 images are in {operator.carried.endpoint}",
        "harness 79915 is deployed",
        "harness is ready",
        "harness-ng 79915 is deployed",
        "harness-ng is ready",
    ]
    assert "[2/7] Install the admin console v1.131.4, and harness 79915 with it." in done.stderr
    assert "• Uploading app archive" in done.stderr
    note, _, work = done.stderr.partition("[1/7]")
    assert "note: The nodes pull from" in note  # before the work, where it can still be heeded
    assert "note: " not in work
    assert operator.deployed() == {"harness": "79915", "harness-ng": "79915"}
    state = operator.cluster.load()["namespaces"]["harness"]
    assert state["password"] == digest(CONSOLE_PASSWORD)
    assert state["console"]["registry"] == operator.carried.endpoint
    del operator.environment["REGISTRY_PASSWORD"]  # not needed where nothing is to be done
    again = operator.run("install", "--output", "json")
    assert json.loads(again.stdout)["achieved"] == []
    assert operator.changes() == ["install harness/stable", "install harness-ng/stable"]


def test_an_upgrade_takes_console_and_application_along(operator: Operator) -> None:
    operator.has(OLD_KOTS, harness=running("77000", 370))
    done = operator.run("upgrade", "--app", "harness", "--quiet", *BACKED_UP)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-5:] == [
        "the admin console is v1.131.4",
        "harness 78000 is deployed",
        "harness is ready",
        "harness 79915 is deployed",
        "harness is ready",
    ]
    assert operator.changes() == ["admin-console upgrade", *(["upstream upgrade"] * 2)]
    assert operator.deployed() == {"harness": "79915"}


def test_an_upgrade_waits_for_the_backup(operator: Operator) -> None:
    operator.has(OLD_KOTS, harness=running("77000", 370))
    done = operator.run("upgrade", "--app", "harness", code=11)
    assert (
        "This upgrade ends with harness 79915, the admin console v1.131.4 or newer." in done.stderr
    )
    assert "backup: not confirmed" in done.stderr
    assert operator.changes() == []


def test_what_an_upgrade_lacks_is_written_for_the_connected_side(operator: Operator) -> None:
    operator.has(OLD_KOTS, harness=running("77000", 370))
    downloads, file = operator.carried.downloads, operator.folder / "request.yaml"
    sources = (downloads / "kotsadm.tar.gz", downloads / "harness.airgap")
    done = operator.run("upgrade", sources=sources, code=12)
    assert "only after 78000" in done.stderr
    assert "--request FILE" in done.stderr
    done = operator.run("upgrade", "--request", file, sources=sources)
    assert done.stdout.startswith(str(file))
    (archive,) = parse_spec(file.read_text(), str(file)).archives
    assert archive.input.origin == PortalRelease(slug="harness", label="78000")
    file.unlink()
    whole = operator.run("upgrade", "--app", "harness", "--request", file, "--output", "json")
    assert json.loads(whole.stdout) == {"request": None}
    assert not file.exists()
    assert operator.changes() == []


def test_the_vendors_files_do_as_well(operator: Operator) -> None:
    downloads = operator.carried.downloads
    sources = (downloads / "kotsadm.tar.gz", downloads / "harness.airgap")
    operator.run("install", sources=sources)
    assert operator.deployed() == {"harness": "79915"}
    (install,) = [call for call in operator.cluster.calls() if "install" in call["argv"]]
    assert f"--airgap-bundle={downloads / 'harness.airgap'}" in install["argv"]
    assert "--disable-image-push" in install["argv"]


def test_kots_pushes_full_archives_that_were_put_together_again(operator: Operator) -> None:
    work = operator.folder / "work"
    operator.has(OLD_KOTS, harness=running("77000", 370))
    arguments = ("upgrade", "--app", "harness", "--engine", "kots", "--work-dir", work, *BACKED_UP)
    operator.run(*arguments)
    pushed = [Path(archive) for archive, _ in operator.cluster.load()["pushed"]]
    assert {path.parent for path in pushed} == {work}
    assert [path.name.partition("-")[2] for path in pushed] == [
        "kotsadm.tar.gz",
        "harness-old.airgap",
        "harness.airgap",
    ]
    shown = ours("mirror", "show", *pushed, "--output", "json")
    archives = [contents["archives"][0] for contents in json.loads(shown.stdout)]
    assert [archive["release"]["versionLabel"] for archive in archives] == [KOTS, "78000", "79915"]
    assert [len(archive["images"]) for archive in archives] == [6, 5, 5]
    ours("mirror", "verify", *pushed)
    plain = [call["plain"] for call in operator.cluster.calls() if "upstream" in call["argv"]]
    assert plain == [{"TMPDIR": str(work)}] * 2


def test_a_dry_run_needs_nothing_but_the_files(operator: Operator, tmp_path: Path) -> None:
    bare = {"PATH": str(tmp_path / "no-programs"), "PYTHONPATH": ENVIRONMENT["PYTHONPATH"]}
    operator.environment = bare
    operator.write_site(
        registry={
            "endpoint": "registry.invalid:5000/harness",
            "credentials": {"usernameEnv": "REGISTRY_USER", "passwordEnv": "REGISTRY_PASSWORD"},
        }
    )
    done = operator.run("install", "--dry-run")
    assert 'KOTS_REGISTRY_PASSWORD="$REGISTRY_PASSWORD"' in done.stdout
    assert "--kotsadm-registry=registry.invalid:5000/harness" in done.stdout
    stated = ("--from", "harness=78000", "--from", "kotsadm=1.131.4")
    arguments = ("upgrade", "--dry-run", "--output", "json", *stated)
    plan = json.loads(operator.run(*arguments).stdout)
    changes = [step["argv"][4] for step in plan["steps"] if step["name"].startswith("upgrade-")]
    assert changes == ["harness", "harness-ng"]
    assert "The admin console in namespace harness is v1.131.4" in plan["assumptions"][0]


def test_images_that_are_not_there_stop_it(operator: Operator) -> None:
    host = operator.carried.registry.host
    registry = json.loads(operator.site.read_text())["registry"]
    operator.write_site(registry={**registry, "endpoint": f"{host}/elsewhere"})
    done = operator.run("install", code=12)
    assert len(re.findall(rf"{host}/elsewhere/\S+: the name is not there", done.stderr)) == 14
    assert "push the same sources there first: airgap-mirror push … --site …" in done.stderr
    assert operator.changes() == []


def test_an_archive_without_images_proves_nothing(operator: Operator) -> None:
    slim = operator.carried.bundle / "kots/harness/79915.airgap"
    sources = (operator.carried.downloads / "kotsadm.tar.gz", slim)
    for options in ((), ("--dry-run",)):
        done = operator.run("install", *options, code=3, sources=sources)
        assert f"archive {slim}: has no images in it" in done.stderr
    assert operator.cluster.calls() == []


def test_another_plugin_stops_it(operator: Operator) -> None:
    operator.cluster.change(plugin=OLD_KOTS)
    done = operator.run("install", code=12)
    assert "kubectl-kots is v1.130.0; the admin console is v1.131.4" in done.stderr


@pytest.mark.parametrize(
    ("trap", "message"),
    [
        ("pending_config", "the application still waits for required configuration"),
        ("preflight", "There are preflight check warnings"),
    ],
)
def test_an_install_that_did_not_deploy_fails(operator: Operator, trap: str, message: str) -> None:
    operator.cluster.change(traps={"install": trap})
    done = operator.run("install", code=10)
    assert message in done.stderr
    assert operator.changes() == ["install harness/stable"]


def test_an_upgrade_that_ends_with_0_and_an_error_fails(operator: Operator) -> None:
    operator.has(KOTS, harness=running("78000", 377))
    operator.cluster.change(traps={"upstream upgrade": "error"})
    done = operator.run("upgrade", "--app", "harness", "--output", "json", *BACKED_UP, code=10)
    assert "Unexpected response from the API: 500" in done.stdout + done.stderr


def test_what_kots_prints_of_a_password_is_hidden(operator: Operator) -> None:
    operator.cluster.change(traps={"install": "leak"})
    done = operator.run("install", "--app", "harness")
    assert done.stderr.count("user:***@registry") == 2


def test_a_slim_archive_that_changed_is_never_handed_over(
    operator: Operator, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(operator.carried.bundle, copy)
    slim = copy / "kots/harness-ng/79915.airgap"
    content = bytearray(slim.read_bytes())
    content[len(content) // 2] ^= 1
    slim.write_bytes(content)
    done = operator.run("install", code=4, sources=(copy,))
    assert "kots/harness-ng/79915.airgap" in done.stderr
    assert operator.cluster.calls() == []


def test_kots_pushes_the_vendors_files_that_a_bundle_kept(operator: Operator) -> None:
    kept = operator.folder / "kept"
    spec = operator.carried.bundle.parent / "harness.yaml"
    ours("bundler", "build", spec, "-o", kept, "--keep-archives")
    order = ("install", "--app", "harness", "--engine", "kots")
    operator.run(*order, sources=(kept,))
    pushed = [Path(archive).name for archive, _ in operator.cluster.load()["pushed"]]
    assert pushed == ["kotsadm.tar.gz", "harness.airgap"]
    calls = len(operator.cluster.calls())
    archive = kept / "files/archives/harness.airgap"
    archive.chmod(0o644)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    done = operator.run(*order, sources=(kept,), code=4)
    assert "files/archives/harness.airgap" in done.stderr
    assert len(operator.cluster.calls()) == calls


def test_files_that_are_missing_are_all_named(operator: Operator) -> None:
    (operator.folder / "harness.yaml").unlink()
    (operator.folder / "harness-ng.yaml").unlink()
    done = operator.run("install", code=5)
    assert "applications.harness.licenseFile" in done.stderr
    assert "applications.harness-ng.licenseFile" in done.stderr
    operator.write_site(cluster={"kubeconfig": "nowhere"})
    done = operator.run("upgrade", code=5)
    assert f"cluster.kubeconfig: {operator.folder}/nowhere does not exist" in done.stderr
    assert "licenseFile" not in done.stderr  # an upgrade needs none


def test_secrets_that_are_missing_are_all_named(operator: Operator) -> None:
    del operator.environment["REGISTRY_PASSWORD"], operator.environment["CONSOLE_PASSWORD"]
    done = operator.run("install", code=3)
    assert "environment variable REGISTRY_PASSWORD is not set" in done.stderr
    assert "environment variable CONSOLE_PASSWORD is not set" in done.stderr
    assert operator.changes() == []


def test_a_site_file_with_five_mistakes(operator: Operator) -> None:
    operator.write_site(
        namespace="a_b",
        registry={"endpoint": "https://x", "plainHttp": "yes"},
        applications={"harness": {"licenceFile": "x"}},
    )
    done = operator.run("install", "--dry-run", code=3)
    for path in (
        "namespace: not the name",
        "registry.endpoint: ",
        "registry.plainHttp: expected true or false",
        "applications.harness.licenceFile: unknown key",
        "applications.harness.licenseFile: is missing",
    ):
        assert path in done.stderr
    assert "5 mistakes" in done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ("--from", "=1"),
        ("--from", "harness="),
        ("--from", "1", "--from", "2"),
        ("--console-only", "--skip-console"),
        ("--engine", "docker"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(operator: Operator, wrong: tuple[str, ...]) -> None:
    operator.run("upgrade", "--dry-run", *wrong, code=2)


def test_ctrl_c_ends_kots_and_us(operator: Operator) -> None:
    operator.cluster.change(traps={"install": "hang"})
    argv = command("mirror", "install", operator.carried.bundle, "--site", operator.site)
    log = operator.folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(argv, env=operator.environment, stdout=stream, stderr=stream)
        try:
            hangs = operator.folder / "cluster" / "hangs"
            wait_for(lambda: hangs.exists() or None, process, log)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 130
        finally:
            process.kill()
            process.wait()
    assert "interrupted" in log.read_text()
    assert operator.changes() == ["install harness/stable"]


def test_the_real_kubectl_without_a_plugin_or_a_cluster(operator: Operator, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "kubectl").symlink_to(need("kubectl"))
    operator.environment |= {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = operator.run("install", code=10)
    assert "hint: unpack the kots_….tar.gz below files/kubectl-kots/ of the bundle" in done.stderr
    plugin = programs / "kubectl-kots"
    plugin.write_text(f'#!/bin/sh\necho \'{{"version": "{KOTS}"}}\'\n')
    plugin.chmod(0o755)
    done = operator.run("install", code=10)
    assert "hint: try kubectl get nodes; cluster.kubeconfig and cluster.context" in done.stderr


def test_the_real_kubectl_passes_the_commands_on_to_its_plugin(
    operator: Operator, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "kubectl").symlink_to(need("kubectl"))
    plugin = Path(__file__).resolve().parents[1] / "fakes" / "kubectl-kots"
    (programs / "kubectl-kots").symlink_to(plugin)
    steps = json.loads(operator.run("install", "--dry-run", "--output", "json").stdout)["steps"]
    path = f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin"
    for step in steps:
        if "kots" in step.get("argv", ()):
            line = ["sh", "-c", step["command"]]
            environment = {**operator.environment, "PATH": path}
            subprocess.run(line, env=environment, check=True, capture_output=True)
    assert operator.deployed() == {"harness": "79915", "harness-ng": "79915"}
