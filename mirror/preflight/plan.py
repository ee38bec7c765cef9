"""The questions of a preflight as a plan: to be read, or to be asked where we are not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from mirror.operation.model import Plan, Step
from mirror.operation.naming import named_apart
from mirror.preflight.model import Case
from mirror.preflight.questions import Question, questions
from transfer.errors import TransferError

_BY_RUN = (
    "Licences, channels and configuration values are judged by a run alone, from files; whether an "
    "install or upgrade would be refused, it works out from all answers."
)


def plan_preflight(case: Case, skipped: Collection[str] = ()) -> Plan:
    """One step for each thing that is asked; nothing is asked for checks that are left out."""
    wanted = (one for one in questions(case) if one.is_wanted(skipped))
    return Plan(
        title=f"find what would fail at {case.site.name}",
        steps=named_apart(step for one in wanted for step in _steps(one)),
        notes=tuple(_notes(case, skipped)),
    )


def _steps(question: Question) -> Iterator[Step]:
    checks = question.checks
    wanted = f"For the check{'s' if len(checks) > 1 else ''} {', '.join(checks)}."
    for part in question.parts:
        check, why = part.check, part.why or question.why
        if not (check.command or check.requests or check.needs):
            continue  # such as the look-up of no host
        why = f"{why[:1].upper()}{why[1:]}{'' if why.endswith('?') else '.'} {wanted}"
        yield Step(name=question.name, why=why, action=replace(check, checks=checks))


def _notes(case: Case, skipped: Collection[str]) -> Iterator[str]:
    yield _BY_RUN
    if skipped:
        yield f"Left out: {', '.join(skipped)}."
    yield from (f"{slug} is carried, and is not in the site file." for slug in case.strangers)
    for member in case.members:
        for answer in (member.config, member.values, member.licence):
            if isinstance(answer.given, TransferError):
                yield f"{member.slug}: {answer.given.message.splitlines()[-1].strip()}"
