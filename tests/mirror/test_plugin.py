"""`airgap-mirror plugin`: kubectl-kots out of a bundle, whole, proven, for this machine."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from mirror.deploy.plugin import CarriedPlugin, plan_plugin
from mirror.operation.byhand import by_hand
from mirror.operation.edits import edit
from mirror.operation.journalfile import hold_journal
from mirror.operation.model import Edit, InstallPlugin
from scripts import sample_archives as sample
from tests.mirror.kots_operator import ours
from tests.mirror.kots_world import KOTS, OLD_KOTS
from tests.mirror.shells import step
from tests.mirror.stops import NOW
from tests.mirror.supply import Ran, mirror
from tests.real.product import write_spec
from transfer.digest import Digest
from transfer.errors import DigestMismatch, NotFound, PolicyError, StorageError

PROGRAM = f'#!/bin/sh\necho \'{{"version": "{KOTS.removeprefix("v")}"}}\'\n'
FLAGS = "# replicatedhq/kots/pkg/buildversion.version="


def write_plugin(path: Path, version: str = KOTS, program: str = PROGRAM) -> Path:
    """An archive with a program that runs, and says its version as Go does."""
    text = f"{program}{FLAGS}{version} \n"
    path.write_bytes(sample.pack({"LICENSE": b"Apache", "kots": text.encode()}))
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugins")
    sample.write_console(folder / "kotsadm.tar.gz", size=20_000)
    write_plugin(folder / "kots_linux_amd64.tar.gz")
    broken = "#!/bin/sh\necho cannot run >&2; exit 1\n"
    write_plugin(folder / "kots_linux_arm64.tar.gz", program=broken)
    plugins = [
        {"platform": f"linux/{one}", "path": str(folder / f"kots_linux_{one}.tar.gz")}
        for one in ("amd64", "arm64")
    ]
    write_spec(
        folder / "spec.yaml",
        kots={
            "version": KOTS,
            "archive": {"path": str(folder / "kotsadm.tar.gz")},
            "plugins": plugins,
        },
    )
    ours("bundler", "build", folder / "spec.yaml", "-o", folder / "bundle")
    return folder / "bundle"


def run(*words: str | Path, path: str = "") -> Ran:
    return mirror("plugin", *words, env={"PATH": path or os.environ["PATH"]})


def test_the_plugin_is_there_and_runs(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new/bin"
    done = run(bundle, "--to", folder, "--platform", "linux/amd64")
    assert done.code == 0, done.err
    program = folder / "kubectl-kots"
    assert program.read_text().startswith(PROGRAM)
    assert stat.S_IMODE(program.stat().st_mode) == 0o755
    assert [path.name for path in folder.iterdir()] == ["kubectl-kots"]
    assert f"note: {folder} is not on PATH" in done.out
    quiet = run(bundle, "--to", folder, "--platform", "linux/amd64", path=f"{folder}:/usr/bin:/bin")
    assert "note" not in quiet.out


def test_the_one_before_stays_until_the_new_one_is_whole(bundle: Path, tmp_path: Path) -> None:
    program = tmp_path / "kubectl-kots"
    program.write_text("the one before")
    archive = next((bundle / "files/kubectl-kots/linux/amd64").iterdir())
    change = InstallPlugin(archive=str(archive), digest=f"sha256:{'0' * 64}")
    with pytest.raises(DigestMismatch, match="nothing of it was used"):
        edit(Edit(path=str(program), change=change))
    digest = str(Digest.of(archive.read_bytes()))
    other = InstallPlugin(archive=str(archive), digest=digest, member="other")
    with pytest.raises(NotFound, match="no program other"):
        edit(Edit(path=str(program), change=other))
    assert program.read_text() == "the one before"
    assert [path.name for path in tmp_path.iterdir()] == ["kubectl-kots"]


def test_a_damaged_bundle_changes_nothing(bundle: Path, tmp_path: Path) -> None:
    archive = next((bundle / "files/kubectl-kots/linux/amd64").iterdir())
    before = archive.read_bytes()
    try:
        archive.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        done = run(bundle, "--to", tmp_path, "--platform", "linux/amd64")
    finally:
        archive.write_bytes(before)
    assert done.code == 4
    assert not list(tmp_path.iterdir())


def test_a_platform_that_did_not_cross_is_refused(bundle: Path, tmp_path: Path) -> None:
    done = run(bundle, "--to", tmp_path, "--platform", "darwin/arm64")
    assert done.code == 5
    assert "no kubectl-kots for darwin/arm64 among the sources; they have it for:" in done.err
    assert "linux/amd64, linux/arm64" in done.err


def test_a_dry_run_shows_it_and_does_nothing(bundle: Path, tmp_path: Path) -> None:
    words = (bundle, "--to", tmp_path / "bin", "--platform", "linux/arm64", "--dry-run")
    done = run(*words)
    assert done.code == 0, done.err
    assert f"Put kubectl-kots {KOTS} for linux/arm64 there" in done.out
    assert not (tmp_path / "bin").exists()
    steps = json.loads(run(*words, "--output", "json").out)["steps"]
    assert steps[0]["path"] == f"{tmp_path}/bin/kubectl-kots"


def test_its_script_and_runbook_do_without_us(bundle: Path, tmp_path: Path) -> None:
    words = (bundle, "--to", tmp_path / "bin", "--platform", "linux/arm64", "--dry-run")
    script = run(*words, "--output", "script").out.replace("\n# ", " ")  # a long path has a line
    assert script.startswith("#!/bin/sh Install kubectl-kots to ")
    assert run(*words, "--output", "runbook").out.startswith("# Install kubectl-kots to ")
    assert run(*words[:-1], "--output", "script").code == 2


def test_it_is_noted_where_it_is_asked_for(bundle: Path, tmp_path: Path) -> None:
    journal, words = tmp_path / "notes", (bundle, "--to", tmp_path / "bin")
    done = run(*words, "--platform", "linux/amd64", "--journal", journal)
    assert done.code == 0, done.err
    assert "[1/2] Put kubectl-kots " in done.err
    lines = list(map(json.loads, journal.read_text().splitlines()))
    assert [(line["event"], line.get("step", "")) for line in lines] == [
        ("opened", ""),
        *((event, "install-plugin") for event in ("began", "done")),
        *((event, "try-plugin") for event in ("began", "done")),
        ("ended", ""),
    ]
    with hold_journal(journal, "somebody", lambda: NOW):
        done = run(*words, "--platform", "linux/amd64", "--journal", journal)
    assert (done.code, "another run is under way: somebody" in done.err) == (8, True)


def test_done_by_hand_the_one_before_stays_until_the_new_one_is_proven(tmp_path: Path) -> None:
    archive, program = write_plugin(tmp_path / "kots.tar.gz"), tmp_path / "a b/kubectl-kots"
    program.parent.mkdir()
    program.write_text("the one before")
    good = str(Digest.of(archive.read_bytes()))
    for digest, member, whole in (
        (f"sha256:{'0' * 64}", "kots", False),
        (good, "other", False),
        (good, "kots", True),
    ):
        change = InstallPlugin(archive=str(archive), digest=digest, member=member)
        install = step(Edit(path=str(program), change=change))
        lines = [line for line in by_hand(install).splitlines() if line.startswith("  ")]
        done = subprocess.run(["sh"], input="\n".join(lines), text=True, check=False)
        assert (done.returncode == 0) is whole
        assert (program.read_text() != "the one before") is whole
    assert program.read_text().startswith(PROGRAM)
    assert os.access(program, os.X_OK)


CARRIED = CarriedPlugin(
    platform="linux/amd64",
    archive="/usb/kots_linux_amd64.tar.gz",
    digest=f"sha256:{'1' * 64}",
    version=KOTS,
    console=KOTS,
)


def plugin_of(version: str | None, console: str | None) -> CarriedPlugin:
    return CarriedPlugin(
        platform="linux/amd64",
        archive=CARRIED.archive,
        digest=CARRIED.digest,
        version=version,
        console=console,
    )


def test_one_of_another_version_than_the_console_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"is kubectl-kots v1\.130\.0; the admin console is v1"):
        plan_plugin([plugin_of(OLD_KOTS, KOTS)], "linux/amd64", "/bin", foreign=False)
    for version in (KOTS, KOTS.removeprefix("v")):
        found = plan_plugin([plugin_of(version, KOTS)], "linux/amd64", "/bin", foreign=False)
        assert [step.name for step in found.work] == ["install-plugin", "try-plugin"]


def test_what_nobody_can_tell_is_told() -> None:
    (note,) = plan_plugin([plugin_of(None, KOTS)], "linux/amd64", "/b", foreign=True).notes
    assert "does not say its version" in note
    (note,) = plan_plugin([plugin_of(KOTS, None)], "linux/amd64", "/b", foreign=True).notes
    assert "has to be of the same version" in note


def test_one_for_another_machine_is_not_tried() -> None:
    found = plan_plugin([CARRIED], "linux/amd64", "/bin", foreign=True)
    assert [step.name for step in found.work] == ["install-plugin"]


def test_a_folder_that_cannot_be_made_is_named(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    archive = next((bundle / "files/kubectl-kots/linux/amd64").iterdir())
    digest = str(Digest.of(archive.read_bytes()))
    change = InstallPlugin(archive=str(archive), digest=digest)
    with pytest.raises(StorageError, match="file/bin"):
        edit(Edit(path=f"{tmp_path}/file/bin/kubectl-kots", change=change))
