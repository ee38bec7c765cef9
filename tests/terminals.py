"""A program on a real terminal: what it shows is read, and what it asks for is typed."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

PATIENCE = 60
"""Seconds after which nothing more is expected: a test that waits for ever shows nothing."""


class Terminal:
    """What a program writes to its terminal, and the keyboard."""

    def __init__(self, handle: int, process: subprocess.Popen[str]) -> None:
        self._handle = handle
        self._process = process
        self._seen = 0
        self.shown = ""

    @property
    def process(self) -> int:
        """The program's number."""
        return self._process.pid

    def wait_for(self, text: str) -> None:
        """Wait for a text to be shown."""
        while (found := self.shown.find(text, self._seen)) < 0:
            assert self._read(), f"{text!r} is never shown; this is: {self.shown}"
        self._seen = found + len(text)

    def type(self, *exchanges: tuple[str, str]) -> Self:
        """Wait for each text to be shown, and then type a line."""
        for text, line in exchanges:
            self.wait_for(text)
            os.write(self._handle, line.encode() + b"\n")
        return self

    def close(self, text: str) -> None:
        """Wait for a text to be shown, and press Ctrl-D."""
        self.wait_for(text)
        os.write(self._handle, b"\x04")

    def interrupt(self, text: str) -> None:
        """Wait for a text to be shown, and do as Ctrl-C does."""
        self.wait_for(text)
        self._process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str]:
        """Wait for the end: the exit code, and what was written to stdout."""
        while self._read():
            pass
        out, _ = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, out

    def _read(self) -> bool:
        ready, _, _ = select.select([self._handle], [], [], PATIENCE)
        assert ready, f"nothing more is shown after: {self.shown}"
        try:
            block = os.read(self._handle, 10_000)
        except OSError:  # EIO: nobody has the terminal open any more
            return False
        self.shown += block.decode().replace("\r\n", "\n")
        return bool(block)


@contextmanager
def on_terminal(argv: Sequence[str], folder: Path, env: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a program whose stdin and stderr are a terminal; its stdout is a pipe."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            argv,
            cwd=folder,
            env=env,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            try:
                yield Terminal(ours, process)
            finally:
                process.kill()
    finally:
        os.close(ours)
