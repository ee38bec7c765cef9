"""A plan as a runbook in Markdown: to be approved, printed and followed where we are not."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator

from mirror.kots.outcome import ADVICE, AGAIN, LOOK_AT_LOG, UNDONE
from mirror.operation.byhand import by_hand
from mirror.operation.markdown import block, code, paragraphs, points, prose
from mirror.operation.model import Ask, Assemble, Await, Edit, Judge, Look, Plan, Run, Save, Step
from mirror.operation.reading import Check, Gather, Hold, Reading, Tell
from mirror.operation.readingwords import conditions, file_of, otherwise, proof, warning
from mirror.operation.run import secrets_of
from mirror.operation.show import laid_out
from mirror.operation.words import HOPELESS, PAUSE, PLAN_AGAIN, assumed, late, told
from mirror.operation.writing import WriteFile
from mirror.secret import FromEnvironment, SecretSource

_FAILURES = "When a command fails"
_LINK = f"[{_FAILURES}](#when-a-command-fails)"


def as_runbook(plan: Plan) -> str:
    """The plan as Markdown."""
    return "\n\n".join(_parts(plan)) + "\n"


def _parts(plan: Plan) -> Iterator[str]:
    yield f"# {prose(plan.title[:1].upper() + plan.title[1:])}"
    yield "One step after the other, each only once it is seen that the one before has worked."
    if plan.assumptions:
        yield "## Assumed"
        yield points(plan.assumptions)
    if plan.notes:
        yield "## To know"
        yield points(plan.notes)
    yield from _before(plan)
    yield "## Steps"
    yield "\n".join(
        f"- [ ] [{number}. {prose(step.name)}](#step-{number}): {prose(step.why)}"
        for number, step in enumerate(plan.steps, start=1)
    )
    for number, step in enumerate(plan.steps, start=1):
        yield from _step(number, step)
    yield from _failures(plan)
    yield from _way_back(plan)


def _before(plan: Plan) -> Iterator[str]:
    """What has to be at hand."""
    programs = plan.programs()
    if not programs:
        return
    yield "## Before the first step"
    needed = [f"{code(name)} on PATH" for name in programs]
    needed.append(
        f"no variable set that begins with {code('KOTS_')}: KOTS reads every option from one, so "
        f"that a command would do more than it says ({code('env | grep ^KOTS_')} shows them)"
    )
    needed += map(_at_hand, dict.fromkeys((*secrets_of(plan), *plan.compared())))
    yield "\n".join(f"- [ ] {one}" for one in needed)


def _at_hand(secret: SecretSource) -> str:
    if isinstance(secret, FromEnvironment):
        return (
            f"the variable {code(secret.name)} in the shell of these steps: "
            f"{code(f'stty -echo; IFS= read -r {secret.name}; stty echo')} takes what is typed "
            "next, shows nothing, and leaves no trace in the shell's history"
        )
    return f"the file {code(secret.path)}, one line, for its owner only"


def _step(number: int, step: Step) -> Iterator[str]:
    yield f'<a id="step-{number}"></a>'
    yield f"## {number}. {prose(step.name)}"
    yield prose(step.why)
    yield from paragraphs(by_hand(step)) if by_hand(step) else ()
    if isinstance(step.action, Edit) and isinstance(step.action.change, WriteFile):
        yield block(step.action.change.content.rstrip("\n"), "yaml")
    if step.images:
        yield block("\n".join(f"{one.destination} {one.root.digest}" for one in step.images))
    if isinstance(step.action, Check | Gather | Hold | Tell):
        yield from _reading(step, step.action)
    elif step.command:
        yield block(_line(step), "sh")
    yield f"**It has worked when** {_proof(step)}."
    yield f"**If not,** {_otherwise(step)}."
    if step.undo:
        yield f"**To go back:** {prose(step.undo)}."


def _reading(step: Step, action: Reading) -> Iterator[str]:
    yield from map(prose, conditions(action))
    if isinstance(action, Check) and action.requests:
        yield block("\n".join(action.requests))
    yield from (block(laid_out(command), "sh") for command in step.commands)
    if isinstance(action, Gather):
        place = code(shlex.quote(file_of(action)))
        yield f"Each of the latter into a file of its own, after {code('umask 077')}: {place}"
    if warning(action):
        yield f"**Mind:** {prose(warning(action))}"


def _line(step: Step) -> str:
    line = laid_out(step.command) if step.command else ""
    if isinstance(step.action, Save):
        return f"(umask 077; {line} > {shlex.quote(step.action.path)})"
    return line


def _proof(step: Step) -> str:
    """How it is seen that a step has worked."""
    match step.action:
        case Ask(expected=expected):
            said = ", and that ".join(map(assumed, expected))
            return f"the answer says that {prose(said)}" if said else "there is an answer"
        case Run(judge=judge):
            return _JUDGED[judge]
        case Await(goal=goal, seconds=seconds):
            again = f"; ask again every {PAUSE} s, for {_span(seconds)} at most" if seconds else ""
            return f"the answer says that {prose(told(goal))}{again}"
        case Save(path=path):
            return f"it ends with exit code 0, and {code(path)} is not empty"
        case _:
            return _seen(step)


def _seen(step: Step) -> str:
    """The same, of a step without a command."""
    match step.action:
        case Check() | Gather() | Hold() | Tell() as reading:
            return prose(proof(reading))
        case Look():
            return "all of them are there"
        case Assemble(path=path):
            return f"{code(f'sha256sum {shlex.quote(path)}')} says what is written above"
        case Edit(path=path):
            return f"{code(path)} is as it says above"
        case _:
            return "it is done"


def _otherwise(step: Step) -> str:
    """What to do where a step has not worked."""
    match step.action:
        case Ask(expected=expected):
            return f"{prose(PLAN_AGAIN)}; if there is no answer, see {_LINK}" if expected else _SEE
        case Await(goal=goal):
            return f"{prose(late(goal))}; see {_LINK} for what the states mean"
        case Run() | Save():
            return _SEE
        case Check() | Gather() | Hold() | Tell() as reading:
            return "; ".join(
                filter(None, (prose(otherwise(reading)), _SEE if step.command else ""))
            )
        case _:
            return "stop here"


def _span(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    return f"{math.ceil(seconds)} s" if seconds <= 120 else f"{minutes} minutes"  # noqa: PLR2004


def _failures(plan: Plan) -> Iterator[str]:
    """What programs say, and what to do."""
    if not any(plan.commands()):
        return
    yield f"## {_FAILURES}"
    rows = [(" or ".join(map(code, said)), prose(advice)) for said, advice in ADVICE.items()]
    rows += [(code(f'"status": "{status}"'), prose(todo)) for status, todo in HOPELESS.items()]
    rows += [(code(_ERROR), prose(LOOK_AT_LOG)), ("anything else", prose(AGAIN))]
    lines = ["| it says | what to do |", "|---|---|"]
    yield "\n".join([*lines, *(f"| {said} | {todo} |" for said, todo in rows)])


def _way_back(plan: Plan) -> Iterator[str]:
    undone = [(i, step) for i, step in enumerate(plan.steps, start=1) if step.undo]
    if undone:
        yield "## The way back"
        yield "Of the steps that were taken, the last one first:"
        yield "\n".join(
            f"- [ ] [{number}. {prose(step.name)}](#step-{number}): {prose(step.undo)}"
            for number, step in reversed(undone)
        )


_SUCCESS = '"success":true'
_ERROR = '"error"'
_SEE = f"see {_LINK}"
_JUDGED = {
    Judge.EXIT: "it ends with exit code 0",
    Judge.INSTALL: "it ends with exit code 0 and says neither " + " nor ".join(map(code, UNDONE)),
    Judge.ANSWER: f"the JSON at the end of its output has {code(_SUCCESS)} and no {code(_ERROR)}; "
    "its exit code is 0 in any case",
}
