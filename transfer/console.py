"""The terminal: errors become text and exit codes, work becomes a progress bar.

Results go to stdout and everything else to stderr, so that a result can be piped while a person
watches. The two command lines share this and hold nothing but their own commands.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO, TypeVar

import click

from transfer.errors import EXIT_CODES, StorageError, TransferError
from transfer.fields import dump_json
from transfer.interrupt import ctrl_c_heard
from transfer.plain import escape
from transfer.progress import SILENT, Progress
from transfer.text import human_bytes

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

_OUTPUT = "transfer.output"
_EMITTED = "transfer.emitted"
INTERRUPTED = 130
MOST_LINES = 200
"""Lines of one error: more than that, nobody reads on a terminal."""

HELP = {"help_option_names": ["-h", "--help"]}
"""What `-h` needs, for a `Program`'s `context_settings`."""


class Program(click.Group):
    """A command line whose commands raise TransferErrors and never print or handle them."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - click's own
        modules: Mapping[str, str] | None = None,
        **settings: Any,  # noqa: ANN401 - the same
    ) -> None:
        """Make one whose commands are in `modules`, by name: none is loaded before it is asked for.

        Nine commands have a lot to import, and a run uses one of them.
        """
        super().__init__(*args, **settings)
        self._modules = dict(modules or {})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command by its name, and load it."""
        if cmd_name in self._modules and cmd_name not in self.commands:
            module = _load(self._modules[cmd_name])
            self.add_command(getattr(module, cmd_name.replace("-", "_")), cmd_name)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command; a TransferError ends it with its message and its exit code."""
        try:
            with ctrl_c_heard():
                return super().invoke(ctx)
        except TransferError as error:
            as_json = ctx.meta.get(_OUTPUT) == "json" and _EMITTED not in ctx.meta
            _report(error, as_json=as_json)
            ctx.exit(error.exit_code)
        except click.UsageError as error:
            if ctx.meta.get(_OUTPUT) == "json":
                _write(dump_json({"error": _usage_json(error)}))
            raise
        except (KeyboardInterrupt, click.Abort):
            _leave(INTERRUPTED, "interrupted; run the same command again to continue")

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """In the order in which they were added, which is that of the road."""
        return list(self._modules or self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The exit codes, so that runbooks may rely on them."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES.items()])
        name = str(ctx.info_name)
        variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
        with formatter.section("Completion in bash"):
            formatter.write_text(f'eval "$({variable}=bash_source {name})"')


def _load(module: str) -> ModuleType:
    """Import a module; what is made by that stays to the end, and is not looked through again.

    The collector of garbage would do so many times meanwhile, and when the program ends.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def examples(program: str, *lines: str) -> str:
    """The end of a command's `--help`: command lines of `program` as they are typed, one each."""
    return "\b\nExamples:\n" + "\n".join(f"  {program} {line}" for line in lines)


def home() -> Path | None:
    """The home folder of whoever runs the command.

    None where nobody knows it: a container may run under a user id that has no name.
    """
    try:
        return Path.home()
    except RuntimeError:
        return None


def output_option(command: _Decorated) -> _Decorated:
    """`--output text|json`; the command gets it as `output`, for `emit`."""
    return output_choice()(command)


def output_choice(
    *more: str, text: str = "How results and errors are written to stdout."
) -> Callable[[_Decorated], _Decorated]:
    """The same with `more` to choose from, and another text in `--help`."""

    def remember(ctx: click.Context, _param: click.Parameter, value: str) -> str:
        ctx.meta[_OUTPUT] = value
        return value

    return click.option(
        "--output",
        type=click.Choice(["text", "json", *more]),
        default="text",
        show_default=True,
        is_eager=True,
        callback=remember,
        help=text,
    )


def quiet_option(command: _Decorated) -> _Decorated:
    """`--quiet`; the command gets it as `quiet`, for `progress_for`."""
    return click.option("--quiet", is_flag=True, help="No progress on stderr.")(command)


def jobs_option(command: _Decorated) -> _Decorated:
    """`--jobs N`; the command gets it as `jobs`."""
    return click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        default=4,
        show_default=True,
        help="Blobs in flight at the same time.",
    )(command)


def emit(output: str, text: str, data: object) -> None:
    """Write a result to stdout: `text` for a person, `data` for a program.

    A program gets one JSON document: an error that follows a result goes to stderr alone.
    """
    if context := click.get_current_context(silent=True):
        context.meta[_EMITTED] = True
    _write(dump_json(data) if output == "json" else f"{escape(text)}\n")


def emit_file(content: bytes) -> None:
    """Write to stdout what is the content of a file, every byte as it is."""
    if context := click.get_current_context(silent=True):
        context.meta[_EMITTED] = True
    _write(content)


def _write(text: str | bytes) -> None:
    """Write to stdout; a reader that has seen enough does not change how the work ended."""
    try:
        try:
            click.echo(text, nl=False)
        except UnicodeEncodeError as error:  # a name that the terminal's encoding cannot show
            shown = error.object.encode(error.encoding, "backslashreplace")
            click.echo(shown.decode(error.encoding), nl=False)
    except OSError as error:
        sys.stdout = None  # what is left in its buffer would fail once more at the very end
        if error.errno != errno.EPIPE:
            raise StorageError(
                f"stdout: {error.strerror}", hint="the work itself is done"
            ) from error


def progress_for(*, quiet: bool) -> Progress:
    """The progress of a command: a bar on a terminal, a plain line now and then elsewhere."""
    return SILENT if quiet or sys.stderr is None else TerminalProgress(sys.stderr)


def say_for(*, quiet: bool) -> Callable[[str], None]:
    """What takes the lines of a command that are for a person: stderr, or nobody."""
    return (lambda _line: None) if quiet else _tell


def _tell(line: str) -> None:
    click.echo(escape(line), err=True)


class TerminalProgress:
    """Shows bytes on a stream, one phase at a time; told by any thread."""

    STEPS = 10
    """Plain lines per phase where there is no terminal, at most."""

    INTERVAL = 5.0
    """Seconds between two of them, at least: what is quick needs no telling."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._told = clock()
        self._lock = threading.Lock()
        self._bar: Any = None
        self._label = ""
        self._total = 0
        self._done = 0
        self._next_step = 1

    def begin(self, label: str, total: int) -> None:
        """A phase over `total` bytes starts; 0 when the size is not known."""
        with self._lock:
            self._label, self._total, self._done, self._next_step = label, total, 0, 1
            if self._stream.isatty():
                from tqdm import tqdm

                self._bar = tqdm(
                    desc=escape(label),
                    total=total or None,
                    unit="B",
                    unit_scale=True,
                    file=self._stream,
                    leave=False,
                )
            elif total:
                self._told = self._clock()
                self._line(f"{label}: {human_bytes(total)}")

    def advance(self, count: int) -> None:
        """`count` more bytes are done; negative when they have to be done again."""
        with self._lock:
            self._done += count
            if self._bar is not None:
                self._bar.update(count)
            elif self._total and self._done * self.STEPS >= self._total * self._next_step:
                self._tell_step()

    def say(self, line: str) -> None:
        """One line above the bar."""
        with self._lock:
            if self._bar is not None:
                self._bar.clear()
            self._line(line)

    def end(self) -> None:
        """The phase is over."""
        with self._lock:
            if self._bar is not None:
                self._bar.close()
                self._bar = None
            self._total = 0  # what is told later belongs to no phase

    def _tell_step(self) -> None:
        now = self._clock()
        if now - self._told < self.INTERVAL:
            return
        self._told = now
        self._next_step = self._done * self.STEPS // self._total + 1
        percent = self._done * 100 // self._total
        self._line(f"{self._label}: {percent} % of {human_bytes(self._total)}")

    def _line(self, text: str) -> None:
        with suppress(OSError):  # nobody reads any more: no reason to stop the work
            self._stream.write(f"{escape(text)}\n")
            self._stream.flush()


def describe(error: TransferError) -> str:
    """An error as a person reads it: the message, the faults below it, then the hint.

    What it is about may come from others: control characters are spelled out.
    """
    lines = [f"error: {error.message}"]
    hints = [error.hint] if error.hint else []
    for fault in error.faults:
        _describe_fault(fault, "  ", lines, hints)
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"  - and {len(lines) - MOST_LINES} more (--output json tells all)"]
    lines += [f"hint: {hint}" for hint in dict.fromkeys(hints)]
    return escape("\n".join(lines))


def _describe_fault(fault: TransferError, indent: str, lines: list[str], hints: list[str]) -> None:
    lines.append(f"{indent}- {fault.message}")
    if fault.hint:
        hints.append(fault.hint)
    for below in fault.faults:
        _describe_fault(below, indent + "  ", lines, hints)


def _report(error: TransferError, *, as_json: bool) -> None:
    if as_json:
        with suppress(StorageError):  # the error itself says more
            _write(dump_json({"error": _to_json(error)}))
    with suppress(OSError):
        click.echo(describe(error), err=True)


def _to_json(error: TransferError) -> dict[str, Any]:
    value: dict[str, Any] = {
        "kind": type(error).__name__.lstrip("_"),
        "exitCode": error.exit_code,
        "message": error.message,
    }
    if error.hint:
        value["hint"] = error.hint
    if error.faults:
        value["faults"] = [_to_json(fault) for fault in error.faults]
    return value


def _usage_json(error: click.UsageError) -> dict[str, Any]:
    return {
        "kind": "UsageError",
        "exitCode": error.exit_code,
        "message": error.format_message(),
    }


def _leave(code: int, message: str) -> None:
    """Exit now: a worker that waits for a dead connection must not hold up Ctrl-C.

    Nor may a failure to say so, where Ctrl-C ended whatever we are piped into as well.
    """
    try:
        click.echo(message, err=True)
    finally:
        os._exit(code)
