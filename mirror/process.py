"""Programs: the one place that starts any.

No shell is involved. A program gets its secrets in its environment and nothing to read, so that
it cannot wait for an answer; what it prints is passed on line by line with every secret hidden,
and only that is kept.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import dropwhile
from typing import IO, cast

from mirror.command import Command
from mirror.credentials import Keyring
from mirror.kots.outcome import Finished
from mirror.secret import FromEnvironment, Mask, Secret, SecretSource
from transfer.errors import ToolError

KEPT_LINES = 20_000
"""Lines of each stream that are kept, from the end; the list of many versions is long."""
KEPT_ANSWER = 2_000_000
"""The same of a question, whose answer is worth nothing without its beginning: JSON of kubectl has
some 500 lines a node."""
LONGEST_LINE = 1 << 20
"""Characters after which a line is passed on although it goes on."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NOT_OURS = ("KOTS_", "REGISTRY_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs commands for one site."""

    keyring: Keyring
    secrets: tuple[SecretSource, ...]
    """Every secret of the site: hidden in all output, whichever command it belongs to."""
    say: Callable[[str], None]
    """Gets every line that a program prints; called by two threads."""
    kept: int = KEPT_LINES
    """Lines of each stream that are kept."""
    grace: float = 20.0
    """Seconds that a program, once interrupted, or what it left running has to end."""
    out: Callable[[str], None] | None = None
    """Gets the lines of stdout in place of `say`; must not raise."""
    hidden: tuple[Secret, ...] = ()
    """What else is hidden in all output."""

    def __call__(self, command: Command) -> Finished:
        """Run a command to its end.

        Raises:
            ToolError: the program cannot be started.
            TransferError: a secret cannot be read.
            KeyboardInterrupt: after the program was interrupted too and has ended.
        """
        mask = Mask((*self.keyring.known(self.secrets), *self.hidden))
        hidden = {source.name for source in self.secrets if isinstance(source, FromEnvironment)}
        inherited = clean(self.keyring.environment, hidden)
        with _start(command, {**inherited, **self.keyring.variables(command)}) as process:
            streams: list[_Lines] = []
            try:  # an interrupt may come before all of them read
                for stream, say in (
                    (process.stdout, self.out or self.say),
                    (process.stderr, self.say),
                ):
                    streams.append(_Lines(cast(IO[str], stream), mask, say, self.kept))
                process.wait()
            except BaseException:
                self._interrupt(process)
                raise
            finally:
                self._drain(process, streams)
        stdout, stderr = (_trimmed(stream.kept) for stream in streams)
        return Finished(exit_code=process.returncode, stdout=stdout, stderr=stderr)

    def _interrupt(self, process: subprocess.Popen[str]) -> None:
        """Pass an interrupt on; what does not end in time, or at a second one, is killed."""
        _signal(process, signal.SIGINT)
        try:
            process.wait(timeout=self.grace)
        except BaseException:  # noqa: BLE001 - out of time, or out of patience
            _signal(process, signal.SIGKILL)
            process.wait()

    def _drain(self, process: subprocess.Popen[str], streams: list[_Lines]) -> None:
        """Read what is left; a program left running by the first one must not hold us up."""
        for stream in streams:
            stream.join(self.grace)
            if stream.is_alive():
                _signal(process, signal.SIGKILL)
                stream.join()


def _trimmed(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines without empty ones before and after: inside, a text may depend on them."""
    rest = list(dropwhile(lambda line: not line, lines))
    while rest and not rest[-1]:
        rest.pop()
    return tuple(rest)


def clean(environment: Mapping[str, str], hidden: set[str]) -> dict[str, str]:
    """The environment without `hidden` variables and without any that changes what KOTS does.

    KOTS reads each flag from a `KOTS_` variable too, so that a forgotten one would change a
    command that looks complete; `REGISTRY_` ones configure the registry that it runs inside
    itself, on localhost, which no proxy may see.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name not in hidden and not name.startswith(_NOT_OURS)
    }
    if any(name.lower() in _PROXIES for name in kept):
        for name in ("NO_PROXY", "no_proxy"):
            others = [kept[name]] if kept.get(name) else []
            kept[name] = ",".join([*others, "localhost", "127.0.0.1"])
    return kept


def _start(command: Command, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    program = command.argv[0]
    try:
        # Its own process group: Ctrl-C reaches it once, from us, and not from the terminal too.
        return subprocess.Popen(
            command.argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )
    except FileNotFoundError as error:
        raise ToolError(
            f"{program}: not found on PATH",
            hint=f"install {program}; kubectl-kots is among the bundle's files",
        ) from error
    except OSError as error:
        raise ToolError(f"{program}: cannot be started: {error.strerror}") from error


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


class _Lines(threading.Thread):
    """Reads one stream to its end, hides secrets, keeps the last lines."""

    def __init__(self, stream: IO[str], mask: Mask, say: Callable[[str], None], kept: int) -> None:
        super().__init__(daemon=True)
        self.kept: deque[str] = deque(maxlen=kept)
        self._stream = stream
        self._mask = mask
        self._say = say
        self.start()

    def run(self) -> None:
        """Pass on whole lines: a secret may be split between two blocks, never between lines."""
        rest = ""
        while block := self._stream.readline(LONGEST_LINE):
            rest = self._shorten(rest + block)
            if rest.endswith("\n"):
                self._pass_on(rest)
                rest = ""
        self._pass_on(rest)

    def _shorten(self, line: str) -> str:
        """Pass on the beginning of an endless line, but not of a secret that may end later."""
        if len(line) <= LONGEST_LINE:
            return line
        line = self._mask(line)
        cut = len(line) - self._mask.longest
        self._pass_on(line[:cut])
        return line[cut:]

    def _pass_on(self, line: str) -> None:
        text = self._mask(_ESCAPES.sub("", line)).rstrip()
        self.kept.append(text)
        if text:
            self._say(text)
