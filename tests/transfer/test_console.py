"""What a person sees at the terminal, and what a script gets from it."""

from __future__ import annotations

import io
import itertools
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.transfer.program import main
from tests.transfer.test_errors import CODES
from transfer.console import TerminalProgress, describe, emit, progress_for
from transfer.errors import EXIT_CODES, Conflict, NotFound, TransferError
from transfer.progress import SILENT

ROOT = Path(__file__).parents[2]


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


@contextmanager
def start(*args: str, stderr: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """The program as a process of its own, which does not outlive the test."""
    argv = [sys.executable, "-m", "tests.transfer.program", *args]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=ROOT, stdout=pipe, stderr=stderr, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


TOLD = """\
error: it went wrong
  - image 1
  - image 2
    - blob 2 is gone
hint: look for it
hint: try again
"""


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_every_error_ends_with_its_exit_code_and_is_told_on_stderr(
    kind: type[TransferError],
) -> None:
    found = run("fail", kind.__name__)
    assert found.exit_code == CODES[kind]
    assert (found.stdout, found.stderr) == ("", TOLD)


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_a_program_gets_the_error_as_json_on_stdout(kind: type[TransferError]) -> None:
    found = run("fail", kind.__name__, "--output", "json")
    assert found.exit_code == CODES[kind]
    assert found.stderr == TOLD
    assert json.loads(found.stdout) == {
        "error": {
            "kind": kind.__name__,
            "exitCode": CODES[kind],
            "message": "it went wrong",
            "hint": "look for it",
            "faults": [
                {"kind": "Unavailable", "exitCode": 7, "message": "image 1", "hint": "try again"},
                {
                    "kind": "NotFound",
                    "exitCode": 5,
                    "message": "image 2",
                    "faults": [
                        {
                            "kind": "NotFound",
                            "exitCode": 5,
                            "message": "blob 2 is gone",
                            "hint": "look for it",
                        }
                    ],
                },
            ],
        }
    }


def test_a_program_gets_one_document_even_if_an_error_follows_the_result() -> None:
    found = run("fail", "Incomplete", "--first", "--output", "json")
    assert found.exit_code == 11
    assert json.loads(found.stdout) == {"done": "in part"}
    assert found.stderr == TOLD


def test_an_error_in_an_option_is_told_the_same_way() -> None:
    found = run("report", "--from", "somewhere", "--output", "json")
    assert found.exit_code == 5
    assert json.loads(found.stdout)["error"]["message"] == "somewhere is not there"


def test_an_error_ends_a_real_process_the_same_way() -> None:
    with start("fail", "Conflict", "--output", "json") as process:
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 8
    assert json.loads(stdout)["error"]["exitCode"] == 8
    assert stderr == TOLD


def test_a_bug_keeps_its_traceback() -> None:
    with start("bug") as process:
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (1, "")
    assert stderr.startswith("Traceback")
    assert stderr.endswith("ZeroDivisionError: a bug\n")


@pytest.mark.parametrize(
    ("args", "stdout"),
    [
        ((), "4 jobs\n"),
        (("--jobs", "64", "--output", "text"), "64 jobs\n"),
        (("--output", "json", "--jobs", "1"), '{\n  "jobs": 1\n}\n'),
    ],
)
def test_a_result_goes_to_stdout_alone(args: tuple[str, ...], stdout: str) -> None:
    found = run("report", *args)
    assert (found.exit_code, found.stdout, found.stderr) == (0, stdout, "")


@pytest.mark.parametrize(
    "args",
    [("--jobs", "0"), ("--jobs", "65"), ("--jobs", "x"), ("--output", "yaml"), ("--news",)],
)
def test_a_wrong_command_line_ends_with_2(args: tuple[str, ...]) -> None:
    found = run("report", *args)
    assert (found.exit_code, found.stdout) == (2, "")
    assert args[0] in found.stderr


def test_help_lists_every_exit_code() -> None:
    found = run("--help")
    assert found.exit_code == 0
    _, _, codes = found.stdout.partition("Exit codes:\n")
    told = " ".join(codes.split())
    for code, text in EXIT_CODES.items():
        assert f"{code} {' '.join(text.split())}" in told


def test_ctrl_c_ends_with_130_at_once_and_keeps_what_was_written() -> None:
    with start("wait") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout == "part of a result\n"
    assert stderr == "interrupted; run the same command again to continue\n"


def test_ctrl_c_is_heard_while_a_command_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    code = "from transfer.console import Program; Program('p', modules={'late': 'late'})(['late'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}:{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = "interrupted; run the same command again to continue\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", told)


def test_ctrl_c_ends_with_130_even_if_nobody_reads_any_more() -> None:
    with start("wait") as process:
        assert process.stderr is not None
        assert process.stdout is not None
        assert process.stderr.readline() == "ready\n"
        process.stderr.close()
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130


def test_a_prompt_that_is_left_ends_with_130_too() -> None:
    done = program("", "leave")
    assert (done.returncode, done.stderr) == (
        130,
        "interrupted; run the same command again to continue\n",
    )


LINES = ["copying: 2 kB", "trying again: registry is busy"]


def test_progress_is_plain_lines_where_there_is_no_terminal() -> None:
    with start("work") as process:
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (0, "result\n")
    assert stderr.splitlines() == LINES, "what is quick needs no telling"


def program(redirections: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the program with its streams redirected as a shell does it."""
    line = f'exec "$@" {redirections}'
    argv = ["sh", "-c", line, "sh", sys.executable, "-m", "tests.transfer.program", *words]
    environment = {**os.environ, **environ}
    return subprocess.run(
        argv, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )


def test_a_result_that_cannot_be_written_is_an_error() -> None:
    done = program(">/dev/full", "report")
    assert done.returncode == 9
    assert done.stderr.startswith("error: stdout: No space left on device\nhint: ")
    assert "Exception" not in done.stderr
    done = program(">/dev/full", "fail", "Conflict", "--output", "json")
    assert (done.returncode, done.stderr) == (CODES[Conflict], TOLD)
    assert program(">/dev/full 2>/dev/full", "report").returncode == 9


def test_a_reader_that_has_seen_enough_does_not_change_how_the_work_ended() -> None:
    with start("report") as process:
        assert process.stdout is not None
        process.stdout.close()
        _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, "")


@pytest.mark.parametrize("stream", ["0<&-", "1>&-", "2>&-"])
def test_a_stream_that_is_closed_does_not_stop_the_work(stream: str) -> None:
    done = program(stream, "work")
    assert done.returncode == 0
    assert stream == "1>&-" or done.stdout == "result\n"


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [("łódź", "latin-1", "\\u0142\xf3d\\u017a"), ("bad\udcff", "utf-8:strict", "bad\\udcff")],
)
def test_what_a_terminal_cannot_show_is_spelled_out(text: str, encoding: str, shown: str) -> None:
    argv = ["-m", "tests.transfer.program", "tell", text]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, *argv], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    assert done.stdout.decode(encoding.partition(":")[0]) == f"{shown}\n"


def test_a_wrong_command_line_is_json_too_where_that_was_asked_for() -> None:
    found = run("report", "--output", "json", "--jobs", "0")
    assert found.exit_code == 2
    error = json.loads(found.stdout)["error"]
    assert (error["kind"], error["exitCode"]) == ("UsageError", 2)
    assert "--jobs" in error["message"]
    assert "Usage: " in found.stderr
    assert run("report", "--jobs", "0").stdout == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user without a name")
def test_a_user_without_a_name_has_no_home() -> None:
    code = (
        "import os, transfer.console as console; print(console.home()); "
        "del os.environ['HOME']; os.setuid(54321); print(console.home())"
    )
    environment = {**os.environ, "HOME": "/home/ops"}
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert done.stdout == b"/home/ops\nNone\n"


def test_a_result_may_be_written_outside_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    emit("json", "text", {"a": 1})
    emit("text", "text", {"a": 1})
    assert capsys.readouterr().out == '{\n  "a": 1\n}\ntext\n'


def test_quiet_is_quiet() -> None:
    found = run("work", "--quiet")
    assert (found.stdout, found.stderr) == ("result\n", "")
    assert progress_for(quiet=True) is SILENT
    SILENT.say("nobody hears this")


def test_a_bar_on_a_terminal_goes_away_at_the_end() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with start("work", stderr=theirs) as process:
        os.close(theirs)
        written = read_all(ours)
        stdout, _ = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (0, "result\n")
    assert "copying:" in written, "the bar was there"
    assert "2.00k" in written
    assert screen(written) == ["trying again: registry is busy", ""]


def test_a_bar_without_a_total_goes_away_too() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        progress = TerminalProgress(stream)
        progress.begin("reading", 0)
        progress.advance(5000)
        progress.advance(-2000)
        progress.say("a line")
        progress.end()
        progress.advance(10)
    written = read_all(ours)
    assert "reading: " in written
    assert "%" not in written
    assert screen(written) == ["a line", ""]


def read_all(terminal: int) -> str:
    """Everything that is written to the other side of a pty until it is closed."""
    blocks = []
    try:
        while block := os.read(terminal, 4096):
            blocks.append(block)
    except OSError:  # Linux says EIO where a pipe says end of file
        pass
    finally:
        os.close(terminal)
    return b"".join(blocks).decode()


def screen(written: str) -> list[str]:
    """What is left to see: a carriage return goes back, and what follows is written over."""
    lines = []
    for line in written.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


hours = itertools.count(step=3600.0).__next__
"""A clock by which every step takes an hour."""


def test_ten_lines_tell_of_a_long_phase() -> None:
    stream = io.StringIO()
    progress = TerminalProgress(stream, hours)
    progress.begin("verifying", 10_000)
    for _ in range(1000):
        progress.advance(10)
    progress.end()
    tens = [f"verifying: {percent} % of 10 kB" for percent in range(10, 101, 10)]
    assert stream.getvalue().splitlines() == ["verifying: 10 kB", *tens]


def test_steps_that_follow_at_once_are_told_once() -> None:
    stream = io.StringIO()
    seconds = iter([0.0, 0.0, 4.0, 5.0, 6.0, 9.0, 10.0])
    progress = TerminalProgress(stream, seconds.__next__)
    progress.begin("copying", 10)
    for _ in range(5):
        progress.advance(2)
    told = [line.split()[1] for line in stream.getvalue().splitlines()]
    assert told == ["10", "40", "100"]


def test_bytes_that_are_taken_back_are_not_told_twice() -> None:
    stream = io.StringIO()
    progress = TerminalProgress(stream, hours)
    progress.begin("copying", 100)
    for count in (55, -40, 40, 5, 40):
        progress.advance(count)
    progress.end()
    told = [line.split()[1] for line in stream.getvalue().splitlines()]
    assert told == ["100", "55", "60", "100"]


def test_every_phase_starts_anew() -> None:
    stream = io.StringIO()
    progress = TerminalProgress(stream, hours)
    for label in ("one", "two"):
        progress.begin(label, 10)
        progress.advance(10)
        progress.end()
        progress.advance(10)
    assert stream.getvalue().splitlines() == [
        "one: 10 B",
        "one: 100 % of 10 B",
        "two: 10 B",
        "two: 100 % of 10 B",
    ]


def test_an_unknown_total_tells_nothing_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    progress = TerminalProgress(stream, hours)
    progress.begin("reading", 0)
    progress.advance(10)
    progress.end()
    assert stream.getvalue() == ""


def test_threads_may_all_tell_at_once() -> None:
    stream = io.StringIO()
    progress = TerminalProgress(stream, hours)
    progress.begin("copying", 80_000)

    def tell() -> None:
        for _ in range(10_000):
            progress.advance(1)

    threads = [threading.Thread(target=tell) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stream.getvalue().splitlines()) == 11
    assert stream.getvalue().endswith("copying: 100 % of 80 kB\n")


class Gone(io.StringIO):
    """A pipe whose reader has gone home."""

    def write(self, text: str, /) -> int:
        raise BrokenPipeError


def test_work_goes_on_when_nobody_watches_any_more() -> None:
    progress = TerminalProgress(Gone())
    progress.begin("copying", 10)
    progress.advance(10)
    progress.say("a line")
    progress.end()


def test_an_error_without_hint_is_its_message() -> None:
    assert describe(NotFound("no image")) == "error: no image"
