"""Nothing that others named steers the terminal of whoever reads our lines."""

from __future__ import annotations

import io
import json
import os
import pty

import pytest
from click.testing import CliRunner

from tests.transfer.program import main
from transfer.console import MOST_LINES, TerminalProgress, describe, emit, say_for
from transfer.errors import CorruptArchive, UnsafePath

HOSTILE = "a\x1b[2J\x07\r\x9b31m\u202eb\ud800"
SHOWN = r"a\x1b[2J\x07\r\x9b31m\u202eb\ud800"


def test_a_result() -> None:
    assert CliRunner().invoke(main, ["tell", HOSTILE]).stdout == f"{SHOWN}\n"


def test_a_result_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    emit("json", "", {"name": HOSTILE})
    out = capsys.readouterr().out
    assert json.loads(out) == {"name": HOSTILE}
    assert out.replace("\n", "").isprintable()


def test_an_error_with_everything_in_it() -> None:
    fault = UnsafePath(f"{HOSTILE}: is a link", hint=f"remove {HOSTILE}")
    assert describe(CorruptArchive(HOSTILE, hint=HOSTILE, faults=[fault])) == (
        f"error: {SHOWN}\n  - {SHOWN}: is a link\nhint: {SHOWN}\nhint: remove {SHOWN}"
    )


def test_a_line_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    say_for(quiet=False)(HOSTILE)
    assert capsys.readouterr().err == f"{SHOWN}\n"


def test_progress_without_a_terminal() -> None:
    stream = io.StringIO()
    progress = TerminalProgress(stream)
    progress.begin(HOSTILE, 10)
    progress.say(HOSTILE)
    assert stream.getvalue() == f"{SHOWN}: 10 B\n{SHOWN}\n"


def test_progress_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        progress = TerminalProgress(stream)
        progress.begin("a\x1b]0;title\x07", 10)
        progress.end()
        stream.flush()
        written = os.read(ours, 10_000)
    os.close(ours)
    assert b"a\\x1b]0;title\\x07" in written
    assert b"\x1b]0;" not in written


def test_an_error_is_not_longer_than_anybody_reads() -> None:
    faults = [UnsafePath(f"member {i}", hint="ask") for i in range(5000)]
    lines = describe(CorruptArchive("many faults", faults=faults)).splitlines()
    assert len(lines) == MOST_LINES + 2
    assert lines[-2:] == ["  - and 4801 more (--output json tells all)", "hint: ask"]
