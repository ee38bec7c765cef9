from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from mirror.command import Command
from mirror.credentials import Keyring, passwords
from mirror.kots.outcome import Finished
from mirror.process import LONGEST_LINE, Runner, clean
from mirror.secret import FromEnvironment, FromFile, SecretSource
from tests.mirror.kots_world import SITE, read_site
from transfer.errors import InvalidInput, NotFound, StorageError, ToolError

PASSWORD = 'pass"word, with spaces'
SOURCE = FromEnvironment("REGISTRY_PASSWORD")
ENVIRONMENT = {"PATH": os.environ["PATH"], "REGISTRY_PASSWORD": PASSWORD, "HOME": "/home/ops"}


def python(source: str, *environment: tuple[str, str | SecretSource]) -> Command:
    return Command(argv=(sys.executable, "-c", source), environment=environment)


def run(
    command: Command,
    environment: Mapping[str, str] = ENVIRONMENT,
    said: list[str] | None = None,
    grace: float = 20.0,
) -> Finished:
    lines = said if said is not None else []
    runner = Runner(keyring=Keyring(environment), secrets=(SOURCE,), say=lines.append, grace=grace)
    return runner(command)


def test_what_a_program_prints_is_kept_and_passed_on() -> None:
    said: list[str] = []
    source = "import sys; print('one\\n\\n  two'); print('three', file=sys.stderr); sys.exit(7)"
    done = run(python(source), said=said)
    assert done == Finished(exit_code=7, stdout=("one", "", "  two"), stderr=("three",))
    assert sorted(said) == ["  two", "one", "three"]


def test_secrets_arrive_in_the_environment_and_are_hidden_in_every_line() -> None:
    source = (
        "import json, os, sys, time\n"
        "secret = os.environ['KOTS_REGISTRY_PASSWORD']\n"
        "assert len(secret) == 22\n"
        "for stream in (sys.stdout, sys.stderr):\n"
        "    stream.write('user:' + secret[:9]); stream.flush()\n"
        "    stream.write(secret[9:] + '@host\\n' + json.dumps({'p': secret}) + '\\n')\n"
        "    stream.write('\\x1b[?25l\\x1b[31mred ' + secret + '\\x1b[0m\\rnext')\n"
    )
    said: list[str] = []
    done = run(python(source, ("KOTS_REGISTRY_PASSWORD", SOURCE)), said=said)
    expected = ("user:***@host", '{"p": "***"}', "red ***", "next")
    assert done == Finished(exit_code=0, stdout=expected, stderr=expected)
    assert not [line for line in said if "word" in line]


def test_a_line_without_end_is_passed_on_without_cutting_a_secret() -> None:
    before = 2 * LONGEST_LINE - 7
    source = (
        "import os, sys\n"
        f"sys.stdout.write('a' * {before} + os.environ['KOTS_X'] + 'b' * {LONGEST_LINE})"
    )
    done = run(python(source, ("KOTS_X", SOURCE)))
    text = "".join(done.stdout)
    assert text == "a" * before + "***" + "b" * LONGEST_LINE
    assert len(done.stdout) > 1


def test_a_program_gets_nothing_to_read(tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    answers.write_text("yes\n")
    ours = os.dup(0)
    with answers.open() as stream:
        os.dup2(stream.fileno(), 0)
    try:
        done = run(python("print(repr(input()))"))
    finally:
        os.dup2(ours, 0)
        os.close(ours)
    assert (done.exit_code, done.stdout) == (1, ())


def test_only_the_variables_of_the_command_reach_kots() -> None:
    environment = {
        **ENVIRONMENT,
        "KOTS_KOTSADM_NAMESPACE": "elsewhere",
        "REGISTRY_HTTP_ADDR": ":1",
        "CONSOLE_PASSWORD": "b",
        "https_proxy": "http://proxy:3128",
        "no_proxy": "intern.example",
    }
    source = "import os; print(*sorted(f'{k}={v}' for k, v in os.environ.items()), sep='\\n')"
    done = run(python(source, ("KOTS_SHARED_PASSWORD", "")), environment)
    seen = dict(line.split("=", 1) for line in done.stdout)
    assert {name for name in seen if "KOTS" in name or "REGISTRY" in name} == {
        "KOTS_SHARED_PASSWORD"
    }
    assert seen["NO_PROXY"] == "localhost,127.0.0.1"
    assert seen["no_proxy"] == "intern.example,localhost,127.0.0.1"
    assert seen["HOME"] == "/home/ops"


def test_no_proxy_means_no_exceptions_from_it() -> None:
    assert clean({"PATH": "/bin", "SECRET": "x"}, {"SECRET"}) == {"PATH": "/bin"}


def test_a_program_that_is_not_there_or_no_program(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="kubectl-none: not found on PATH") as caught:
        run(Command(argv=("kubectl-none", "kots")))
    assert "install kubectl-none" in str(caught.value.hint)
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF, or so")
    broken.chmod(0o755)
    with pytest.raises(ToolError, match="cannot be started"):
        run(Command(argv=(str(broken),)))


def test_a_secret_that_cannot_be_read_starts_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "started"
    command = python(f"open({str(mark)!r}, 'w')", ("KOTS_X", FromEnvironment("NOT_SET")))
    with pytest.raises(InvalidInput, match="NOT_SET is not set"):
        run(command)
    assert not mark.exists()


INTERRUPTIBLE = (
    "import pathlib, signal, sys, time\n"
    "def stop(*_):\n"
    "    print('cleaning up', flush=True); sys.exit(0)\n"
    "signal.signal(signal.SIGINT, {handler})\n"
    "pathlib.Path({mark!r}).touch()\n"
    "time.sleep(600)\n"
)


def interrupt_when(mark: Path, said: list[str], handler: str, grace: float) -> None:
    """Run a program that waits, and press Ctrl-C as soon as it does."""

    def press() -> None:
        while not mark.exists():
            finished.wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    finished = threading.Event()
    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        source = INTERRUPTIBLE.format(mark=str(mark), handler=handler)
        run(python(source), said=said, grace=grace)
    finally:
        pressing.join()


def test_ctrl_c_reaches_the_program_and_ends_us(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupt_when(tmp_path / "waits", said, "stop", 20.0)
    assert said == ["cleaning up"]


def test_a_program_that_ignores_ctrl_c_is_killed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt_when(tmp_path / "waits", [], "signal.SIG_IGN", 0.2)


def test_what_a_program_leaves_running_does_not_hold_us_up() -> None:
    source = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('started', flush=True)\n"
    )
    assert run(python(source), grace=0.2).stdout == ("started",)


def test_secrets_come_from_variables_and_files_of_one_line(tmp_path: Path) -> None:
    file = tmp_path / "password"
    keyring = Keyring({"A": "value"})
    for content in ("s3cret", "s3cret\n", "s3cret\r\n"):
        file.write_bytes(content.encode())
        assert keyring.read(FromFile(str(file))).reveal() == "s3cret"
    assert keyring.read(FromEnvironment("A")).reveal() == "value"
    for wrong in (b"", b"\n", b"one\ntwo\n", b"\xff\xfe"):
        file.write_bytes(wrong)
        with pytest.raises(InvalidInput, match=r"file .*password"):
            keyring.read(FromFile(str(file)))
    for odd in ("tail\r", "two\nlines", "p\udcff"):
        with pytest.raises(InvalidInput, match="environment variable A: expected one line"):
            Keyring({"A": odd}).read(FromEnvironment("A"))
    with pytest.raises(NotFound):
        keyring.read(FromFile(str(tmp_path / "none")))
    with pytest.raises(StorageError):
        keyring.read(FromFile(str(tmp_path)))


def test_all_missing_secrets_are_named_at_once(tmp_path: Path) -> None:
    sources = (FromEnvironment("A"), FromFile(str(tmp_path / "none")), FromEnvironment("B"))
    with pytest.raises(InvalidInput) as caught:
        Keyring({"A": "here"}).check(sources)
    assert len(caught.value.faults) == 2


def test_nothing_that_holds_secrets_shows_them() -> None:
    keyring = Keyring(ENVIRONMENT)
    runner = Runner(keyring=keyring, secrets=(SOURCE,), say=print)
    assert "REGISTRY_PASSWORD" in repr(runner)
    assert "pass" not in repr(runner).lower().replace("registry_password", "")
    assert repr(keyring.known((SOURCE,))) == "(***,)"


def test_every_password_of_a_site_is_known() -> None:
    assert passwords(read_site(SITE)) == (
        FromEnvironment("REGISTRY_PASSWORD"),
        FromEnvironment("CONSOLE_PASSWORD"),
        FromFile("/home/ops/console password"),
    )
