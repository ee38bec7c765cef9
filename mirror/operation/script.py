"""A plan as a POSIX shell script that works without us, where nothing but kubectl is at hand.

It takes the steps that `run` takes, in their order, with what a shell can do by itself, `sleep` and
the programs of the plan. What it is made of stands in `shell/`. Digests in a registry, archives and
YAML are beyond a shell: there it asks a person, and looks at what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from shlex import quote

from mirror.kots.outcome import ADVICE, LOOK_AT_LOG, OTHERWISE, UNDONE
from mirror.operation.model import Edit, Plan, Run
from mirror.operation.run import secrets_of
from mirror.operation.scriptreads import at_hand, ending, manner_of, parts_of, taken_if_any
from mirror.operation.scriptsteps import comment, steps_of
from mirror.operation.show import listed
from mirror.operation.words import HOPELESS, PAUSE, PLAN_AGAIN
from mirror.operation.writing import Rewrite, WriteFile
from mirror.secret import FromEnvironment, SecretSource
from transfer.disk import storage_errors

PARTS = ("steps", "secrets", "json", "base64", "answers", "commands")
"""The files of `shell/`."""

_USAGE = """\
Needs a POSIX shell, {programs}, and nothing of airgap-mirror, which made it.
{manner}

  sh SCRIPT                          every step
  START=STEP sh SCRIPT               from this step on: those before it are done
  CONFIRMED='STEP STEP' sh SCRIPT    these steps, which only a person can take, are done"""
_UNPROVEN = (
    "It cannot prove the archives that KOTS is given: do so before, with `sha256sum -c SHA256SUMS` "
    "in the bundle, or with airgap-mirror verify."
)

_UNSHOWN = """\
# Programs get secrets by the steps that say so, and not otherwise; nor does sh -x show them.
set +x"""


def as_script(plan: Plan) -> str:
    """The plan as a script for `sh`.

    Raises:
        StorageError: our own files cannot be read.
    """
    variables = _variables(dict.fromkeys((*secrets_of(plan), *plan.compared(), *at_hand(plan))))
    parts = [
        "#!/bin/sh\n" + comment("\n\n".join(_header(plan))),
        *_taken(variables),
        common(),
        *map(part, parts_of(plan)),
        *([part("files")] if _writes(plan, WriteFile, Rewrite) else []),
        _words(plan),
        _start(plan, variables),
        *steps_of(plan, variables),
        ending(plan),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def common() -> str:
    """What every script has."""
    return "\n".join(map(part, PARTS))


def part(name: str) -> str:
    """One file of `shell/`."""
    with storage_errors("the toolkit's own scripts"):
        return files("mirror.operation").joinpath(f"shell/{name}.sh").read_text("utf-8")


def _header(plan: Plan) -> Iterator[str]:
    yield plan.title[:1].upper() + plan.title[1:]
    programs = " and ".join(_programs(plan))
    yield _USAGE.format(programs=programs, manner=manner_of(plan))
    if any(isinstance(step.action, Run) and step.action.handed for step in plan.steps):
        yield _UNPROVEN
    if plan.assumptions:
        yield "Assumed, and asked where it can be:\n" + listed(plan.assumptions)
    if plan.notes:
        yield "To know:\n" + listed(plan.notes)


def _programs(plan: Plan) -> list[str]:
    """What the script needs besides the shell: without mv, no file is there whole or not at all."""
    return [*plan.programs(), *(["mv"] if _writes(plan, WriteFile) else []), "sleep"]


def _writes(plan: Plan, *kinds: type) -> bool:
    edits = [step.action for step in plan.steps if isinstance(step.action, Edit)]
    return any(isinstance(edit.change, kinds) for edit in edits)


def _variables(sources: Iterable[SecretSource]) -> dict[SecretSource, str]:
    """A variable of the script for each secret, with a name that is not that of a source."""
    given = list(sources)
    taken = {source.name for source in given if isinstance(source, FromEnvironment)}
    free = (name for i in range(1, 10**6) if (name := f"secret_{i}") not in taken)
    return dict(zip(given, free, strict=False))


def _taken(variables: Mapping[SecretSource, str]) -> Iterator[str]:
    """Secrets of the environment, taken out of it before anything else is named."""
    lines = [
        f"{variable}=${{{source.name}-}}\nunset {source.name}"
        for source, variable in variables.items()
        if isinstance(source, FromEnvironment)
    ]
    if lines:
        yield "\n".join([_UNSHOWN, *lines])


def _words(plan: Plan) -> str:
    """What the common part says, and how it understands what programs say."""
    constants = {
        "steps": len(plan.steps),
        "step_names": "".join(f"\n{step.name}" for step in plan.steps) + "\n",
        "pause": PAUSE,
        "otherwise": OTHERWISE,
        "plan_again": PLAN_AGAIN,
        "look_at_log": LOOK_AT_LOG,
    }
    lines = [f"{name}={quote(str(value))}" for name, value in constants.items()]
    undone: dict[Sequence[str], str] = {(said,): meaning for said, meaning in UNDONE.items()}
    return "\n\n".join(
        [
            "\n".join(lines),
            _cases("advise LINE: what to do about it.", "advise", ADVICE),
            _cases("undone LINE: what install left undone.", "undone", undone),
            _cases(
                "give_up STATUS: what to do where waiting is of no use.",
                "give_up",
                {(status,): advice for status, advice in HOPELESS.items()},
                anywhere=False,
            ),
        ]
    )


def _cases(
    what: str, name: str, table: Mapping[Sequence[str], str], *, anywhere: bool = True
) -> str:
    """A function that prints the text whose words are in its argument."""
    star = "*" if anywhere else ""
    lines = []
    for words, text in table.items():
        pattern = " | ".join(f"{star}{quote(word)}{star}" for word in words)
        lines.append(f"    {pattern}) printf '%s' {quote(text)} ;;")
    return "\n".join([f"# {what}", f"{name}() {{", "    case $1 in", *lines, "    esac", "}"])


def _start(plan: Plan, variables: Mapping[SecretSource, str]) -> str:
    """What has to be so before the first step."""
    spared = at_hand(plan)
    names = " | ".join(["''", *(quote(step.name) for step in plan.steps)])
    lines = [
        "trap interrupted INT TERM HUP",
        f"case $start in\n{names}) ;;",
        "*) stop 2 \"START=$start: there is no such step\" 'take the name of one' ;;\nesac",
        *(_checked(source, variables[source]) for source in variables if source not in spared),
        *(line for source in spared for line in taken_if_any(source, variables[source])),
        "check_secrets",
        "clean",
        f"has_programs {' '.join(map(quote, _programs(plan)))}",
    ]
    return "\n".join(lines)


def _checked(source: SecretSource, variable: str) -> str:
    check = f'check_secret {quote(str(source))} "${variable}"'
    if isinstance(source, FromEnvironment):
        return check
    return f"read_secret {quote(source.path)}\n{variable}=$value\n{check}"
