"""The journal: what is noted, what counts, and who may write it."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mirror.operation import Step
from mirror.operation.journal import COUNTS, Event, Journal, done_before, entry, fingerprint
from mirror.operation.journalfile import hold_journal
from mirror.operation.model import Person, Run
from mirror.secret import FromEnvironment
from tests.disks import make_read_only, small_disk
from tests.mirror.operation_process import carry_out
from tests.mirror.shells import kubectl, step
from tests.processes import wait_for
from tests.tools import need
from transfer.errors import Conflict, NotFound, StorageError

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 23, 50, tzinfo=UTC)
ONE = step(Run(command=kubectl("one")), name="one")
TWO = step(Person(instructions="Do it."), name="two")


@contextmanager
def open_journal(path: Path, title: str) -> Iterator[Journal]:
    with hold_journal(path, "airgap-mirror try of ops on jump1", lambda: NOW) as held:
        yield held.of(title)


def lines(*events: tuple[Event, Step | None], title: str = "t", at: datetime = NOW) -> list[str]:
    return [entry(at, title, event, found) for event, found in events]


def test_a_line_says_what_and_when_and_no_more() -> None:
    found = json.loads(entry(NOW, "upgrade harness", Event.DONE, ONE))
    assert found == {
        "time": "2026-11-22T23:50:00+00:00",
        "run": "upgrade harness",
        "event": "done",
        "step": "one",
        "digest": fingerprint(ONE),
    }
    assert json.loads(entry(NOW, "t", Event.ENDED)).keys() == {"time", "run", "event"}


def test_a_step_that_was_planned_otherwise_is_another_one() -> None:
    others = [
        step(Run(command=kubectl("two")), name="one"),
        step(Run(command=kubectl("one", environment=(("A", "1"),))), name="one"),
        step(Run(command=kubectl("one")), name="one-2"),
        step(Person(instructions="one"), name="one"),
    ]
    assert len({fingerprint(found) for found in [ONE, *others]}) == 5


def test_what_was_done_since_the_last_end_counts() -> None:
    did = [(Event.BEGAN, ONE), (Event.DONE, ONE), (Event.BEGAN, TWO)]
    assert done_before(lines(*did), "t", NOW) == {fingerprint(ONE)}
    assert done_before(lines(*did), "other", NOW) == frozenset()
    assert done_before(lines(*did, (Event.FAILED, TWO)), "t", NOW) == {fingerprint(ONE)}
    assert done_before(lines(*did, (Event.ENDED, None)), "t", NOW) == frozenset()
    again = lines(*did, (Event.ENDED, None), (Event.DONE, TWO))
    assert done_before(again, "t", NOW) == {fingerprint(TWO)}


@pytest.mark.parametrize("time", ["now", "", None, 5])
def test_a_line_without_a_time_counts_for_nothing(time: object) -> None:
    (line,) = lines((Event.DONE, ONE))
    assert done_before([json.dumps({**json.loads(line), "time": time})], "t", NOW) == frozenset()


def test_what_is_long_ago_counts_for_nothing() -> None:
    old = lines((Event.DONE, ONE), at=NOW - COUNTS - timedelta(seconds=1))
    assert done_before(old, "t", NOW) == frozenset()
    assert done_before(lines((Event.DONE, ONE), at=NOW - COUNTS), "t", NOW) == {fingerprint(ONE)}


@pytest.mark.parametrize("rubbish", ["", "{", "[1]", "null", '"x"', '{"run": 3}', "\udcff"])
def test_lines_that_are_none_are_passed_over(rubbish: str) -> None:
    (line,) = lines((Event.DONE, ONE))
    assert done_before([rubbish, line, line[:-9]], "t", NOW) == {fingerprint(ONE)}


def test_a_cut_short_line_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    (began,) = lines((Event.DONE, ONE))
    path.write_text(began[:-20])
    with open_journal(path, "t") as journal:
        assert not journal.has_done(ONE)
        journal.note(Event.DONE, ONE)
    with open_journal(path, "t") as journal:
        assert journal.has_done(ONE)
        assert not journal.has_done(TWO)
    whole = path.read_text().splitlines()[1:]
    assert [json.loads(line)["event"] for line in whole] == ["opened", "done", "opened"]


def test_every_note_is_on_the_disk_at_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with open_journal(path, "t") as journal:
        journal.note(Event.BEGAN, ONE)
        assert json.loads(path.read_text().splitlines()[-1])["event"] == "began"
        journal.note(Event.DONE, ONE)
        journal.end()
        assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == [
            "opened",
            "began",
            "done",
            "ended",
        ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_secret_is_noted(tmp_path: Path) -> None:
    source = FromEnvironment("PASSWORD")
    secret = step(Run(command=kubectl("x", environment=(("KOTS_A", source),))))
    with open_journal(tmp_path / "j", "t") as journal:
        journal.note(Event.BEGAN, secret)
    opened, noted = (tmp_path / "j").read_text().splitlines(keepends=True)
    assert noted == entry(NOW, "t", Event.BEGAN, secret)
    assert json.loads(opened).keys() == {"time", "event", "by"}


def test_one_run_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with open_journal(path, "t"):
        before = path.read_bytes()
        with pytest.raises(Conflict) as caught:
            open_journal(path, "other").__enter__()
        assert caught.value.exit_code == 8
        assert str(caught.value) == (
            f"journal {path}: another run is under way: airgap-mirror try of ops on jump1, "
            "since 2026-11-22T23:50:00+00:00"
        )
        assert path.read_bytes() == before, "and leaves no trace"
    with open_journal(path, "other"):
        pass


def test_a_disk_that_is_read_only(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        make_read_only(disk)
        with pytest.raises(StorageError, match=r"journal .*: Read-only") as caught:
            open_journal(disk / "journal.jsonl", "t").__enter__()
    assert caught.value.exit_code == 9
    assert "--journal FILE" in str(caught.value.hint)


def fill(disk: Path) -> None:
    file = os.open(disk / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        with suppress(OSError):
            while os.write(file, bytes(4096)):
                pass
    finally:
        os.close(file)


def note_often(journal: Journal) -> None:
    for _ in range(64):
        journal.note(Event.BEGAN, ONE)


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    path = tmp_path / "disk/journal.jsonl"
    with (
        small_disk(path.parent, "64k"),
        open_journal(path, "t") as journal,
    ):
        journal.note(Event.DONE, ONE)
        fill(path.parent)
        with pytest.raises(StorageError, match="No space"):
            note_often(journal)
        assert done_before(path.read_text().splitlines(), "t", NOW) == {fingerprint(ONE)}


def test_a_note_that_is_written_in_part_is_none(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_journal(path, "t") as journal:
        whole = path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (whole + 40, hard))
        try:
            with pytest.raises(StorageError, match="File too large"):
                journal.note(Event.DONE, ONE)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.stat().st_size == whole + 40


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        open_journal(tmp_path / "none/journal.jsonl", "t").__enter__()


def test_a_kill_in_the_middle_of_a_step_is_continued_from(tmp_path: Path) -> None:
    program, pid = tmp_path / "bin/kubectl", tmp_path / "pid"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $$ > {pid}\nexec {need('sleep')} 60\n")
    program.chmod(0o755)
    path, log = tmp_path / "journal.jsonl", tmp_path / "log"
    argv = [sys.executable, "-m", "tests.mirror.operation_process", str(tmp_path)]
    with log.open("wb") as stream:
        process = subprocess.Popen(argv, cwd=ROOT, stdout=stream, stderr=stream)
    try:
        wait_for(lambda: pid.exists() and pid.read_text(), process, log)
        with pytest.raises(Conflict):
            carry_out(tmp_path)
    finally:
        process.kill()
        assert process.wait(timeout=30) == -signal.SIGKILL
    os.kill(int(pid.read_text()), signal.SIGKILL)
    begun = [("opened", ""), ("began", "backup"), ("done", "backup"), ("began", "install")]
    assert noted(path) == begun
    program.write_text("#!/bin/sh\n")
    said = carry_out(tmp_path)
    again = [("opened", ""), ("began", "install"), ("done", "install"), ("ended", "")]
    assert noted(path)[len(begun) :] == again
    assert "  done before" in said


def noted(path: Path) -> list[tuple[str, str]]:
    found = map(json.loads, path.read_text().splitlines())
    return [(note["event"], note.get("step", "")) for note in found]
