"""Command lines as KOTS reads them: cobra and pflag for words, viper for `KOTS_` variables.

The flags and what each command checks come from `tests/data/kots-cli-flags.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "data" / "kots-cli-flags.json"
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_DURATION = re.compile(r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")


class Refused(Exception):
    """What KOTS says before it exits with 1."""


@dataclass
class Call:
    """One command line, taken apart."""

    command: str
    arguments: list[str]
    flags: dict[str, str]
    specification: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The value that KOTS sees: the flag, else the variable, else the default."""
        known = {**_data()["global"], **self.specification["flags"]}
        if name in self.flags:
            return self.flags[name]
        variable = "KOTS_" + name.upper().replace("-", "_")
        default = known[name]["default"]
        return self.environment.get(variable, "") or str(default if default != [] else "")

    def on(self, name: str) -> bool:
        """A bool as viper reads it: anything that is not true is false."""
        return self.get(name) in _TRUE


def _data() -> dict[str, Any]:
    return dict(json.loads(DATA.read_text(encoding="utf-8")))


def parse(words: Sequence[str], environment: Mapping[str, str]) -> Call:
    """Find the command, then its flags among its arguments."""
    data = _data()
    leading = []
    for word in words:
        if word.startswith("-"):
            break
        leading.append(word)
    for count in range(len(leading), 0, -1):
        name = " ".join(leading[:count])
        if name in data["commands"]:
            specification = data["commands"][name]
            known = {**data["global"], **specification["flags"]}
            arguments, flags = _split(words[count:], known)
            call = Call(name, arguments, flags, specification, environment)
            _check(call)
            return call
    raise Refused(f'unknown command "{" ".join(leading)}" for "kots"')


def _split(words: Sequence[str], known: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    short = {flag["shorthand"]: name for name, flag in known.items() if flag.get("shorthand")}
    arguments: list[str] = []
    flags: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return arguments + rest, flags
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            continue
        written, equals, value = word.partition("=")
        name = written[2:]
        if not written.startswith("--"):
            if written[1] not in short:
                raise Refused(f"unknown shorthand flag: {written[1]!r} in {word}")
            name = short[written[1]]
            value, equals = (value, equals) if equals else (written[2:], written[2:])
        if name not in known:
            raise Refused(f"unknown flag: {written}")
        flags[name] = _value(name, known[name]["type"], value if equals else None, rest)
    return arguments, flags


def _value(name: str, kind: str, value: str | None, rest: list[str]) -> str:
    if value is None and kind == "bool":
        return "true"
    if value is None:
        if not rest:
            raise Refused(f"flag needs an argument: --{name}")
        value = rest.pop(0)
    wrong = f'invalid argument "{value}" for "--{name}" flag: '
    if kind == "bool" and value not in _TRUE | _FALSE:
        raise Refused(f'{wrong}strconv.ParseBool: parsing "{value}": invalid syntax')
    if kind == "int" and not re.fullmatch(r"[-+]?\d+", value):
        raise Refused(f'{wrong}strconv.ParseInt: parsing "{value}": invalid syntax')
    return value


def _check(call: Call) -> None:
    least, most = call.specification["arguments"]
    if len(call.arguments) < least or (most is not None and len(call.arguments) > most):
        raise Refused(f"Usage:\n  kots {call.command} [flags]")
    for name in call.specification.get("durations", ()):
        if not _DURATION.fullmatch(call.get(name)):
            raise Refused(
                f'failed to parse timeout value: time: invalid duration "{call.get(name)}"'
            )
    if call.specification.get("json") and call.get("output") not in ("", "json"):
        raise Refused(
            f"output format {call.get('output')} not supported (allowed formats are: json)"
        )
