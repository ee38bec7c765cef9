"""Programs that tests run: to their end, or in the background until the test is over."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

Argv = Sequence[str | Path]
_Found = TypeVar("_Found")

PATIENCE = 30.0
"""Seconds a server may take until it answers, on a machine that is busy."""


def run(argv: Argv) -> str:
    """Run a program that must succeed and return what it printed."""
    done = subprocess.run(list(map(str, argv)), check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{argv[0]} failed: {done.stderr}"
    return done.stdout


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens at this moment: a connection is refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def running(
    argv: Argv,
    *,
    stdout: Path,
    stderr: Path,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in the background, its output in two files, ended on the way out."""
    with stdout.open("ab") as out, stderr.open("ab") as err:
        process = subprocess.Popen(list(map(str, argv)), stdout=out, stderr=err, env=env)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(
    probe: Callable[[], _Found | None], process: subprocess.Popen[bytes], log: Path
) -> _Found:
    """Ask again until `probe` has something, the process ended, or patience did."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := probe():
            return found
        if process.poll() is not None:
            break
        time.sleep(0.02)
    pytest.fail(f"{process.args!r} does not answer:\n{log.read_text(errors='replace')[-2000:]}")


def interrupted(argv: Argv, env: Mapping[str, str], *, when: Path, log: Path) -> int:
    """The exit code of a program that gets Ctrl-C, and all that it started, once `when` is there.

    What it says goes to `log`.
    """
    with log.open("wb") as stream:
        process = subprocess.Popen(
            list(map(str, argv)),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            process_group=0,
        )
        try:
            wait_for(lambda: when.exists() or None, process, log)
            os.killpg(process.pid, signal.SIGINT)
            return process.wait(timeout=PATIENCE)
        finally:
            process.kill()
            process.wait()
