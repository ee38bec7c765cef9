"""What every operation has on the command line: dry runs, confirmations, the journal."""

from __future__ import annotations

import json
import os
import platform
import pwd
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mirror.operation import as_json, as_runbook, as_script, as_text
from mirror.operation.journalfile import hold_journal
from tests.disks import make_read_only, small_disk
from tests.mirror.kots_world import SITE, licence_text
from tests.mirror.operation_command import PLAN
from tests.mirror.stops import NOW
from tests.processes import wait_for
from tests.terminals import on_terminal
from tests.tools import need

ROOT = Path(__file__).parents[2]
PASSWORD = "reg 'secret' \"1\""


@dataclass
class Place:
    """A site file, a kubectl, and whoever runs the command."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the site file and a kubectl that does nothing."""
        text = SITE.replace("~/", f"{self.folder}/")
        self.site.write_text(text, encoding="utf-8")
        for name, slug in (("license", "harness"), ("license-ng", "harness-ng")):
            (self.folder / f"{name}.yaml").write_text(licence_text(slug))
        (self.folder / "bin").mkdir()
        self.kubectl("")
        self.environment = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "REGISTRY_USER": "pusher",
            "REGISTRY_PASSWORD": PASSWORD,
            "CONSOLE_PASSWORD": "x",
        }

    @property
    def site(self) -> Path:
        """The site file."""
        return self.folder / "site.yaml"

    @property
    def journal(self) -> Path:
        """Where it is noted what was done."""
        return self.folder / "site.journal.jsonl"

    @property
    def seen(self) -> Path:
        """Is there once the command has looked at what it plans from."""
        return self.folder / "seen"

    def kubectl(self, body: str) -> None:
        """A program for the only command."""
        path = self.folder / "bin/kubectl"
        note = f"printf '%s\\n' \"$*\" >> '{self.folder}/calls'"
        path.write_text(f"#!/bin/sh\n{note}\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def argv(self, *arguments: str | Path) -> list[str]:
        """The command."""
        words = ("-m", "tests.mirror.operation_command", "try", "--site", self.site, *arguments)
        return [sys.executable, *map(str, words)]

    def run(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run it without a terminal; it has to end with `code`, and to say no secret."""
        done = subprocess.run(
            self.argv(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done

    def calls(self) -> int:
        """How often kubectl was called."""
        path = self.folder / "calls"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def noted(self) -> list[tuple[str, str]]:
        """Events and their steps."""
        found = map(json.loads, self.journal.read_text().splitlines())
        return [(one["event"], one.get("step", "")) for one in found]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "at site"
    folder.mkdir()
    return Place(folder)


def test_a_dry_run_in_each_form(place: Place) -> None:
    place.environment = {"PATH": place.environment["PATH"], "PYTHONPATH": str(ROOT)}
    for output, text in (
        ("text", as_text(PLAN)),
        ("script", as_script(PLAN)),
        ("runbook", as_runbook(PLAN)),
    ):
        assert place.run("--dry-run", "--output", output).stdout == text
    assert json.loads(place.run("--dry-run", "--output", "json").stdout) == as_json(PLAN)
    assert place.run("--dry-run").stdout == as_text(PLAN)
    assert not place.journal.exists()
    assert place.calls() == 0


@pytest.mark.parametrize("output", ["script", "runbook"])
def test_a_run_is_no_script(output: str, place: Place) -> None:
    done = place.run("--output", output, code=2)
    assert f"--output {output} goes with --dry-run" in done.stderr
    assert not place.journal.exists()


def test_an_unknown_form_is_a_usage_error(place: Place) -> None:
    place.run("--dry-run", "--output", "pdf", code=2)


def test_a_confirmed_step_goes_on(place: Place) -> None:
    done = place.run("--confirmed", "other", "--confirmed", "backup")
    assert done.stderr.splitlines() == [
        "[1/2] Have a backup.",
        "  confirmed",
        "[2/2] Install it.",
    ]
    assert done.stdout == "Done: try something at dc-north.\n"
    assert place.calls() == 1


def test_a_step_that_nobody_confirms_stops_it(place: Place) -> None:
    done = place.run(code=11)
    assert "\n  kubectl kots backup\n" in done.stderr
    assert "--confirmed backup" in done.stderr
    assert place.calls() == 0
    assert place.noted() == [("opened", ""), ("began", "backup"), ("failed", "backup")]


def test_json_goes_to_stdout_alone(place: Place) -> None:
    done = place.run("--confirmed", "backup", "--output", "json", "--quiet")
    assert json.loads(done.stdout) == {"title": PLAN.title, "notes": [], "achieved": []}
    assert done.stderr == ""
    place.kubectl("exit 1")
    done = place.run("--confirmed", "backup", "--output", "json", code=10)
    assert json.loads(done.stdout)["error"]["exitCode"] == 10


@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("n", 11), ("", 11)])
def test_a_person_is_asked_on_the_terminal(typed: str, code: int, place: Place) -> None:
    with on_terminal(place.argv(), place.folder, place.environment) as terminal:
        ended, _ = terminal.type(("Done? [y/N]: ", typed)).end()
    assert ended == code, terminal.shown
    assert "\n  kubectl kots backup\n" in terminal.shown
    assert place.calls() == (0 if code else 1)


def test_ctrl_d_at_the_question_changes_nothing(place: Place) -> None:
    with on_terminal(place.argv(), place.folder, place.environment) as terminal:
        terminal.close("Done? [y/N]: ")
        assert terminal.end()[0] == 130
    assert place.calls() == 0
    assert place.noted() == [("opened", ""), ("began", "backup"), ("failed", "backup")]


def test_ctrl_c_at_the_question_changes_nothing(place: Place) -> None:
    with on_terminal(place.argv(), place.folder, place.environment) as terminal:
        terminal.interrupt("Done? [y/N]: ")
        assert terminal.end()[0] == 130
    assert place.calls() == 0
    assert place.noted()[1:] == [("began", "backup"), ("failed", "backup")]


def test_the_same_command_continues_after_a_failure(place: Place) -> None:
    place.kubectl("echo no more; exit 3")
    done = place.run("--confirmed", "backup", code=10)
    assert "no more" in done.stderr
    assert "To go back from here, the last step first:\n  install: take it out again" in done.stderr
    place.kubectl("")
    done = place.run()
    assert "[1/2] Have a backup.\n  done before\n" in done.stderr
    assert place.noted() == [
        *(("opened", ""), ("began", "backup"), ("done", "backup")),
        *(("began", "install"), ("failed", "install")),
        *(("opened", ""), ("began", "install"), ("done", "install"), ("ended", "")),
    ]
    assert "Have a backup.\n  done before" not in place.run(code=11).stderr


def test_a_secret_reaches_its_command_and_no_file(place: Place) -> None:
    place.kubectl(f"""[ "$KOTS_REGISTRY_PASSWORD" = {json.dumps(PASSWORD)} ] || exit 3
echo "password=$KOTS_REGISTRY_PASSWORD"; echo "$KOTS_REGISTRY_PASSWORD" >&2""")
    done = place.run("--confirmed", "backup")
    assert "password=***" in done.stderr
    for path in place.folder.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


def test_two_runs_at_once(place: Place) -> None:
    with hold_journal(place.journal, "somebody", lambda: NOW):
        done = place.run("--confirmed", "backup", code=8)
        assert "another run is under way: somebody, since 2026-11-22T22:00" in done.stderr
        assert not place.seen.exists(), "it does not even look at what the other one changes"
        place.run("--dry-run")
    assert place.calls() == 0
    place.run("--confirmed", "backup")
    assert place.seen.exists()


def test_whoever_is_refused_hears_who_is_at_work(place: Place) -> None:
    with on_terminal(place.argv(), place.folder, place.environment) as terminal:
        terminal.wait_for("Done? [y/N]: ")
        done = place.run("--confirmed", "backup", code=8)
        found = re.search(
            r"under way: .* try of (.+) on (\S+), process (\d+), since \d", done.stderr
        )
        assert found, done.stderr
        assert found[2] == platform.node()
        assert int(found[3]) == terminal.process
        assert found[1] in (pwd.getpwuid(os.getuid()).pw_name, f"user {os.getuid()}")
        terminal.type(("", "y"))
        assert terminal.end()[0] == 0, terminal.shown
    assert place.calls() == 1


def test_quiet_hides_no_way_back(place: Place) -> None:
    place.kubectl("exit 1")
    done = place.run("--confirmed", "backup", "--quiet", code=10)
    assert done.stderr.startswith(
        "To go back from here, the last step first:\n  install: take it out again\nerror: "
    )


def test_a_folder_that_is_read_only(place: Place) -> None:
    with small_disk(place.folder / "disk", "1m") as disk:
        moved = disk / "site.yaml"
        moved.write_text(place.site.read_text())
        make_read_only(disk)
        done = place.run("--site", moved, "--confirmed", "backup", code=9)
        assert "hint: --journal FILE notes it elsewhere" in done.stderr
        assert place.calls() == 0
        place.run("--site", moved, "--confirmed", "backup", "--journal", place.folder / "j")
    assert len((place.folder / "j").read_text().splitlines()) == 6


def test_ctrl_c_ends_the_program_and_tells_the_way_back(place: Place) -> None:
    here = place.folder / "here"
    place.kubectl(f"touch '{here}'\nexec {need('sleep')} 60")
    log = place.folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            place.argv("--confirmed", "backup"),
            cwd=place.folder,
            env=place.environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
        try:
            wait_for(lambda: here.exists() or None, process, log)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 130
        finally:
            process.kill()
            process.wait()
    assert "install: take it out again" in log.read_text()
    assert place.noted()[-1] == ("failed", "install")
