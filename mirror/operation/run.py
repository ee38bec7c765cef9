"""`run`: one step after the other, each believed only when it was read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from mirror.audit import PUSH_AGAIN
from mirror.kots import outcome
from mirror.operation.goals import await_goal
from mirror.operation.hands import Hands
from mirror.operation.journal import Event
from mirror.operation.model import (
    Assemble,
    Await,
    Edit,
    Judge,
    Look,
    Person,
    Plan,
    Run,
    Save,
    Step,
)
from mirror.operation.words import PUSH_FIRST
from mirror.secret import SecretSource
from mirror.site import Site
from transfer.errors import Incomplete, PolicyError, StorageError, ToolError, raise_together

_JUDGES = {
    Judge.EXIT: outcome.check,
    Judge.INSTALL: outcome.check_install,
    Judge.ANSWER: outcome.check_upgrade,
}


def run(site: Site | None, plan: Plan, hands: Hands) -> tuple[str, ...]:
    """Take every step of a plan that was made from what is there; returns what was achieved.

    The same order, planned and run again, continues after any failure. A plan that concerns no site
    needs none.

    Raises:
        InvalidInput: secrets are not at hand; nothing was changed.
        PolicyError: the registry does not hold what KOTS would pull; nothing was changed.
        StorageError: no room for the archives to put together; nothing was changed.
        IntegrityError: an archive is not the one any more that was opened.
        ToolError: a program failed, or says that it failed, or did something else.
        Incomplete: a person's step waits to be confirmed.
    """
    hands.check_secrets(secrets_of(plan))
    _check_room(plan.work, hands)
    achieved = []
    anew = False  # what the journal has of later steps was about what was there before
    for number, step in enumerate(plan.work, start=1):
        hands.say(f"[{number}/{len(plan.work)}] {step.why}")
        if step.recorded and not anew and hands.journal.has_done(step):
            hands.say("  done before")
            continue
        anew = anew or (isinstance(step.action, Run) and not step.recorded)
        done = _take_noted(site, plan, step, hands)
        if done:
            achieved.append(done)
    hands.journal.end()
    return tuple(achieved)


def secrets_of(plan: Plan) -> list[SecretSource]:
    """Every secret that a command of the plan is given, each once."""
    values = (value for command in plan.commands() for _, value in command.environment)
    return list(dict.fromkeys(value for value in values if not isinstance(value, str)))


def _take_noted(site: Site | None, plan: Plan, step: Step, hands: Hands) -> str | None:
    hands.journal.note(Event.BEGAN, step)
    try:
        done = _take(site, step, hands)
    except BaseException:  # also an interrupt: whoever reads the journal wants to know where
        with suppress(StorageError):  # what went wrong first is what counts
            hands.journal.note(Event.FAILED, step)
        _advise(plan, step, hands)
        raise
    hands.journal.note(Event.DONE, step)
    return done


def _advise(plan: Plan, failed: Step, hands: Hands) -> None:
    """Say what was done until now, and how each of it can be undone."""
    taken = [step for step in plan.work[: plan.work.index(failed) + 1] if step.undo]
    if taken:
        hands.advise("To go back from here, the last step first:")
    for step in reversed(taken):
        hands.advise(f"  {step.name}: {step.undo}")


def _take(site: Site | None, step: Step, hands: Hands) -> str | None:
    match step.action:
        case Run() as action:
            if action.handed:
                hands.prove(action.handed)
            _JUDGES[action.judge](hands.execute(action.command), action.command)
        case Save(command=command, path=path):
            finished = hands.ask(command)
            outcome.check(finished, command)
            hands.save(path, finished.stdout)
        case Await() as action:
            return await_goal(action, hands)
        case Look() as action:
            return _look(action, hands, str(site.registry.endpoint) if site else "the registry")
        case Assemble(archive=archive, path=path):
            hands.assemble(archive, path)
        case Edit() as action:
            hands.edit(action)
        case Person():
            _ask_person(step, hands)
    return None


def _ask_person(step: Step, hands: Hands) -> None:
    if not hands.confirm(step):
        raise Incomplete(
            f"{step.name}: not confirmed",
            hint="do it, then run the same command again, or add "
            f"--confirmed {step.name} where nobody can be asked",
        )


def _look(action: Look, hands: Hands, endpoint: str) -> str:
    found = hands.audit(action.images)
    if action.named:
        found.raise_for_findings()
    faults = found.faults()
    if action.pushed:
        what = f"{endpoint} does not hold what KOTS pushed"
        raise_together(ToolError, what, faults, hint=PUSH_AGAIN)
    what = f"{endpoint} does not hold what KOTS would pull; nothing was changed"
    raise_together(PolicyError, what, faults, hint=PUSH_FIRST)
    return f"{len(action.images)} images are in {endpoint}"


def _check_room(steps: Iterable[Step], hands: Hands) -> None:
    """Each archive that is put together stays, and KOTS unpacks the largest beside them.

    What a run before has put together has its room already; the same again is written beside it,
    which is no more than what KOTS unpacks.
    """
    made: Sequence[Assemble] = [s.action for s in steps if isinstance(s.action, Assemble)]
    if not made:
        return
    sizes = [one.archive.record.size for one in made]
    missing = [
        max(size - hands.size_of(one.path), 0) for one, size in zip(made, sizes, strict=True)
    ]
    folder = made[0].path.rpartition("/")[0]
    needed = sum(missing) + max(sizes)
    free = hands.free_bytes(folder)
    if free < needed:
        raise StorageError(
            f"--work-dir {folder}: {needed} bytes are needed, {free} are free",
            hint="name a folder on a larger disk, or use --engine mirror, which needs none",
        )
