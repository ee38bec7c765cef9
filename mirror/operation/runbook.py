"""A plan as a runbook in Markdown: to be approved, printed and followed where we are not."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator

from mirror.kots.outcome import (
    ADVICE_ANYWHERE,
    ADVICE_OF_CHANGES,
    AGAIN,
    LOOK_AT_LOG,
    UNDONE,
)
from mirror.operation.byhand import by_hand
from mirror.operation.found import found_at
from mirror.operation.markdown import block, code, paragraphs, points, prose
from mirror.operation.model import (
    Ask,
    Assemble,
    Await,
    Edit,
    Judge,
    Look,
    Plan,
    RemoveFile,
    RemoveFolder,
    Run,
    Save,
    Step,
)
from mirror.operation.reading import Check, Gather, Hold, Reading, Tell
from mirror.operation.readingwords import (
    conditions,
    file_of,
    manner,
    otherwise,
    proof,
    to_be_seen,
    warning,
)
from mirror.operation.run import secrets_of
from mirror.operation.show import kept, laid_out
from mirror.operation.wanted import IsDeployed, IsNewest
from mirror.operation.words import HOPELESS, PAUSE, PLAN_AGAIN, assumed, ended, late, told
from mirror.operation.writing import WriteFile
from mirror.secret import FromEnvironment, SecretSource

_FAILURES = "When a command fails"
_LINK = f"[{_FAILURES}](#when-a-command-fails)"


def as_runbook(plan: Plan) -> str:
    """The plan as Markdown."""
    return "\n\n".join(_parts(plan)) + "\n"


def _parts(plan: Plan) -> Iterator[str]:
    yield f"# {prose(plan.title[:1].upper() + plan.title[1:])}"
    yield manner(step.action for step in plan.steps)
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
    if _uses_kots(plan):
        needed.append(
            f"no exported variable begins with {code('KOTS_')} or {code('REGISTRY_')}: KOTS reads "
            "its options from them, so that a command would do more than it says "
            f"({code(_EXPORTED)} shows them)"
        )
        needed.append(f"{code('umask 077')} in the shell of these steps: what they write is secret")
    needed += _files(plan)
    needed += map(_at_hand, dict.fromkeys((*secrets_of(plan), *plan.compared())))
    yield "\n".join(f"- [ ] {one}" for one in needed)


def _uses_kots(plan: Plan) -> bool:
    return any("kots" in command.argv[1:2] for command in plan.commands())


def _files(plan: Plan) -> Iterator[str]:
    """What commands name, and no step writes."""
    words = (word for command in plan.commands() for word in command.argv)
    options = (word.partition("=") for word in words)
    named = dict.fromkeys(value for name, _, value in options if name in _NAMING)
    made = {getattr(step.action, "path", None) for step in plan.steps}
    yield from (f"the file {code(path)}" for path in named if path not in made)
    if any(isinstance(step.action, Run) and step.action.handed for step in plan.steps):
        yield (
            "the archives that KOTS is given are proven, since nothing proves them later: "
            f"{code('sha256sum -c SHA256SUMS')} in the bundle, or airgap-mirror verify"
        )


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
        yield from (block(laid_out(command), "sh") for command in step.following.values())
        yield block(_line(step), "sh")
    yield f"**It has worked when** {_proof(step)}."
    yield f"**If not,** {_otherwise(step)}."
    if step.undo:
        yield f"**To go back:**{_back(ended(step.undo))}"


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
    if isinstance(action, Check) and action.needs:
        yield "\n".join(f"- [ ] {prose(to_be_seen(need))}" for need in action.needs)


def _line(step: Step) -> str:
    if isinstance(step.action, Save):
        return kept(step.action)
    return laid_out(step.command) if step.command else ""


def _proof(step: Step) -> str:
    """How it is seen that a step has worked."""
    match step.action:
        case Ask(expected=expected):
            said = "; and that ".join(f"{assumed(one)}: {found_at(one)}" for one in expected)
            return f"the answer says that {prose(said)}" if said else "it ends with exit code 0"
        case Run(judge=judge):
            return _JUDGED[judge]
        case Await(goal=goal, seconds=seconds):
            again = f"; ask again every {PAUSE} s, for {_span(seconds)} at most" if seconds else ""
            return f"the answer says that {prose(f'{told(goal)}: {found_at(goal)}')}{again}"
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
        case Edit(path=path, change=RemoveFile() | RemoveFolder()):
            return f"{code(path)} is gone"
        case Edit(path=path):
            return f"{code(path)} is as it says above"
        case _:
            return "it is done"


def _otherwise(step: Step) -> str:
    """What to do where a step has not worked."""
    match step.action:
        case Ask(expected=expected):
            return f"{prose(PLAN_AGAIN)}; if there is no answer, see {_LINK}" if expected else _SEE
        case Await(goal=IsDeployed() | IsNewest() as goal):
            return f"{prose(late(goal))}; see {_LINK} for what the states mean"
        case Await(goal=goal):
            return f"{prose(late(goal))}; {_SEE}"
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
    rows = [*_said(plan), ("anything else", prose(AGAIN))]
    lines = ["| it says | what to do |", "|---|---|"]
    yield "\n".join([*lines, *(f"| {said} | {todo} |" for said, todo in rows)])


def _said(plan: Plan) -> Iterator[tuple[str, str]]:
    """What the programs of this plan may say."""
    judges = {step.action.judge for step in plan.steps if isinstance(step.action, Run)}
    words = [command.argv for command in plan.commands()]
    changes = judges & {Judge.INSTALL, Judge.ANSWER} or any("upgrade" in argv for argv in words)
    for said, advice in ADVICE_OF_CHANGES.items() if changes else ():
        if Judge.INSTALL in judges or said[0] not in UNDONE:
            yield " or ".join(map(code, said)), prose(advice)
    for said, advice in ADVICE_ANYWHERE.items():
        if _uses_kots(plan) or ("kots" not in said[0] and "kubectl" in plan.programs()):
            yield " or ".join(map(code, said)), prose(advice)
    waits = (step.action.goal for step in plan.steps if isinstance(step.action, Await))
    if any(isinstance(goal, IsDeployed | IsNewest) for goal in waits):
        for status, todo in HOPELESS.items():
            yield code(f'"status": "{status}"'), prose(todo)
    if Judge.ANSWER in judges:
        yield code(_ERROR), prose(LOOK_AT_LOG)


def _way_back(plan: Plan) -> Iterator[str]:
    undone = [(i, step) for i, step in enumerate(plan.steps, start=1) if step.undo]
    if undone:
        yield "## The way back"
        yield "Of the steps that were taken, the last one first:"
        yield "\n".join(
            f"- [ ] [{number}. {prose(step.name)}](#step-{number}):"
            + _back(step.undo).replace("\n", "\n  ")
            for number, step in reversed(undone)
        )


def _back(undo: str) -> str:
    """What follows a heading in its line; a command comes after it."""
    text = "\n\n".join(paragraphs(undo))
    return f"\n\n{text}" if text.startswith("`") else f" {text}"


_NAMING = ("--kubeconfig", "--license-file", "--config-values", "--airgap-bundle")
"""Options that name a file."""
_EXPORTED = "env | grep -E '^(KOTS|REGISTRY)_'"
_SUCCESS = '"success":true'
_ERROR = '"error"'
_SEE = f"see {_LINK}"
_JUDGED = {
    Judge.EXIT: "it ends with exit code 0",
    Judge.INSTALL: "it ends with exit code 0 and says neither " + " nor ".join(map(code, UNDONE)),
    Judge.ANSWER: f"the JSON at the end of its output has {code(_SUCCESS)} and no {code(_ERROR)}; "
    "its exit code is 0 in any case",
}
