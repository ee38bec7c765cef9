"""The steps of an operation that only looks, as pieces of a shell script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote

from mirror.command import Blank, Command
from mirror.operation.model import Plan, Step
from mirror.operation.reading import Check, Gather, Hold, Need, Reading, Tell
from mirror.operation.show import laid_out
from mirror.secret import FromEnvironment, SecretSource

_PARTS: Mapping[type, tuple[str, ...]] = {
    Check: ("findings", "seeing"),
    Tell: ("telling",),
    Gather: ("logs",),
}
"""The files of `shell/` that only some scripts have."""
_GIVEN = '"$@"'


_CODES = " Exit codes are airgap-mirror's."
_MANNERS: Mapping[type, str] = {
    Check: "No finding stops it: all are told, and in the end how many there are." + _CODES,
    Gather: "A log that cannot be had does not stop the others." + _CODES,
    Hold: "In the end it becomes the program itself, whose exit code then counts.",
}
_ELSE = "It stops at the first step that fails, and says what to do." + _CODES


def manner_of(plan: Plan) -> str:
    """How the script of a plan goes about failures."""
    kinds = (type(step.action) for step in plan.steps)
    return next((_MANNERS[kind] for kind in kinds if kind in _MANNERS), _ELSE)


def parts_of(plan: Plan) -> tuple[str, ...]:
    """The files of `shell/` that the script of a plan has besides the common ones."""
    found = {part: None for step in plan.steps for part in _PARTS.get(type(step.action), ())}
    return tuple(found)


def at_hand(plan: Plan) -> tuple[SecretSource, ...]:
    """Secrets that a script looks for, and does without."""
    found: list[SecretSource] = []
    for step in plan.steps:
        match step.action:
            case Gather(hidden=hidden):
                found += hidden
            case Check(needs=needs):
                given = (value for need in needs for value in need.arguments)
                found += [value for value in given if not isinstance(value, str)]
            case _:
                pass
    return tuple(dict.fromkeys(found))


def taken_if_any(source: SecretSource, variable: str) -> Iterator[str]:
    """A secret into its variable, and hidden; one of the environment has been taken already."""
    if not isinstance(source, FromEnvironment):
        yield f"read_secret {quote(source.path)}\n{variable}=$value"
    yield f'hide_if_any "${variable}"'


def function(name: str, command: Command, margin: str) -> str:
    """A command as a function; what is given to it stands in place of its blanks."""
    has_blanks = any(isinstance(word, Blank) for word in command.argv)
    one = command.filled(Blank()) if has_blanks else command
    laid = laid_out(one, 2 * margin, word=_word)
    return f"{margin}{name}() {{\n{laid}\n{margin}}}"


def reading_lines(
    step: Step, action: Reading, variables: Mapping[SecretSource, str]
) -> Iterator[str]:
    """What a step does; `it` is the function for its command."""
    match action:
        case Check():
            yield from _check(action, variables)
        case Tell(namespace=namespace):
            yield f"tell {quote(namespace)} it {' '.join(step.following)}"
        case Gather(namespace=namespace, folder=folder):
            for source in action.hidden:
                yield f'note_if_missing {quote(str(source))} "${variables[source]}"'
            yield from (f"hide_licence {quote(path)}" for path in action.licences)
            yield f"gather {quote(namespace)} {quote(folder)} it {' '.join(step.following)}"
        case Hold(command=command):
            yield f"exec {laid_out(command, '    ').lstrip()}"


def ending(plan: Plan) -> str:
    """How the script of a plan ends, where it ends otherwise than others."""
    kinds = {type(step.action) for step in plan.steps}
    title = quote(plan.title)
    if Check in kinds:
        return f"sum_up {title}"
    if Gather in kinds:
        return f"sum_up_logs {title}"
    return f"say {quote(f'Done: {plan.title}.')}"


def _word(word: str) -> str:
    return _GIVEN if isinstance(word, Blank) else quote(word)


def _check(check: Check, variables: Mapping[SecretSource, str]) -> Iterator[str]:
    yield from (f"say {quote(f'  {request}')}" for request in check.requests)
    needs = [_need(need, variables) for need in check.needs]
    if not check.command:
        yield from needs
        return
    about = f" {quote(check.of)}" if check.of else ""
    inner = [*([f"{check.shown}{about}"] if check.shown else ()), *needs]
    look = f"look {check.form} it"
    if check.only:
        look = f"only {quote(check.only.words)} {_seen(check.only, variables)} && {look}"
    yield f"{look} && {{" if inner else look
    yield from (f"    {line}" for line in inner)
    yield from ("}",) if inner else ()


def _need(need: Need, variables: Mapping[SecretSource, str]) -> str:
    words = f"need {'warn' if need.warns else 'fail'} {quote(need.words)} {quote(need.hint)}"
    return f"{words} {_seen(need, variables)}".rstrip()


def _seen(need: Need, variables: Mapping[SecretSource, str]) -> str:
    """The function that tells whether it is so, with its arguments."""
    given = (
        quote(one) if isinstance(one, str) else f'"${variables[one]}"' for one in need.arguments
    )
    return " ".join((need.sight or "", *given))
