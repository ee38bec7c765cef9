"""What a verb of the fake kubectl is: the flags that kubectl knows for it, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.fakes.cluster import State

GLOBAL = {"--kubeconfig": True, "--context": True, "--namespace": True, "--request-timeout": True}
"""Flags of every verb, as far as anybody uses them; True for those that take a value."""
SHORT = {"-n": "--namespace", "-o": "--output", "-A": "--all-namespaces", "-l": "--selector"}


class Refused(Exception):
    """What kubectl says on stderr before it exits with `code`, and on stdout before that."""

    def __init__(self, said: str, code: int = 1, stdout: str = "") -> None:
        super().__init__(said)
        self.code = code
        self.stdout = stdout


@dataclass(frozen=True)
class Call:
    """One command line, taken apart."""

    verb: str
    arguments: Sequence[str]
    flags: Mapping[str, str]

    def on(self, flag: str) -> bool:
        """Whether a flag without a value, or with `true`, is given."""
        return self.flags.get(flag) == "true"

    @property
    def namespace(self) -> str:
        """The namespace, as kubectl takes it without a context that has one."""
        return self.flags.get("--namespace", "default")


@dataclass(frozen=True)
class Verb:
    """One verb of kubectl."""

    run: Callable[[Call, State], str]
    """Gets the call and the state of the cluster, which it may change; returns stdout."""
    flags: Mapping[str, bool]
    """Its own flags, with `--`; True for those that take a value."""


def parse(words: Sequence[str], verbs: Mapping[str, Verb]) -> tuple[Call, Verb]:
    """Find the verb and its flags, as kubectl does."""
    rest = list(words)
    name = rest.pop(0) if rest else ""
    if name not in verbs:
        raise Refused(f'error: unknown command "{name}" for "kubectl"')
    verb = verbs[name]
    known = {**GLOBAL, **verb.flags}
    arguments: list[str] = []
    flags: dict[str, str] = {}
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            continue
        flag, equals, value = word.partition("=")
        flag = SHORT.get(flag, flag)
        if flag not in known:
            raise Refused(f"error: unknown flag: {flag}")
        if not equals and known[flag]:
            if not rest:
                raise Refused(f"error: flag needs an argument: {flag}")
            value = rest.pop(0)
        flags[flag] = value if equals or known[flag] else "true"
    return Call(verb=name, arguments=arguments, flags=flags), verb
