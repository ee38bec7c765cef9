"""What an operation is made of: steps, in order, decided before the first one is taken.

A step says why it is there, and has one action. Actions are values: whoever reads a plan sees the
very commands, edits and instructions that a run uses, and nothing is composed while it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mirror.command import Command
from mirror.offer import Offered
from mirror.operation.reading import Check, Gather, Reading, Tell
from mirror.operation.wanted import Expectation, Goal, PullsAs
from mirror.operation.writing import Rewrite, WriteFile
from mirror.secret import SecretSource
from transfer.relocate import Relocation


class Judge(StrEnum):
    """How a command that ended is believed; KOTS reports many failures with exit code 0."""

    EXIT = "exit"
    """By its exit code."""
    INSTALL = "install"
    """The same, unless it says that something is left to do."""
    ANSWER = "answer"
    """By the JSON at the end of its output: success, and no error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A command that changes something."""

    command: Command
    judge: Judge = Judge.EXIT
    handed: str | None = None
    """The archive that the command gives to KOTS: absolute path, proven just before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """A command whose output is kept: `path` gets its stdout, for its owner only."""

    command: Command
    path: str
    once: bool = False
    """A file that is there stays, in a script: the plan of a run knows of it, and has no step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question that the plan is made from: shown, and not asked again by the run."""

    command: Command
    expected: tuple[Expectation, ...] = ()
    """What the plan takes for granted of the answer: a script that asks again stops if it differs.

    Empty where the plan does not depend on it, or does not know.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Await:
    """A question asked again and again until what is wanted is so."""

    command: Command
    goal: Goal
    seconds: float
    """How long at most; 0 asks once."""
    plugin: Command | None = None
    """Asked first, where the goal is the plugin's own version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """See that the registry holds images, down to each blob."""

    images: tuple[Relocation, ...]
    pushed: bool = False
    """KOTS has just pushed them; otherwise it is about to pull them."""
    named: bool = False
    """Not KOTS: a file that is about to be written names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assemble:
    """Put a full archive together again."""

    archive: Offered
    path: str
    """Where: absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveItem:
    """Take one item out of a list of a YAML file; what is not there is fine."""

    key: str
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    """Delete a file; one that is not there is fine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFolder:
    """Delete a folder with everything in it; one that is not there is fine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFile:
    """Give a file the content of another, whole or not at all; its mode stays."""

    source: str
    """Absolute path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallPlugin:
    """Put the program `member` of a `.tar.gz` at the path, executable, whole or not at all."""

    archive: str
    """Absolute path."""
    digest: str
    """`sha256:…` of the archive, proven before."""
    member: str = "kots"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeValues:
    """Write a KOTS ConfigValues file from that of another application.

    A value that `own` states itself stays; the others come from `source`, as far as the release
    knows them.
    """

    source: str
    own: str | None
    """The application's own ConfigValues file."""
    keys: tuple[str, ...] | None
    """The items that the release knows; None takes all."""


Change = (
    RemoveItem
    | RemoveFile
    | RemoveFolder
    | CopyFile
    | InstallPlugin
    | MergeValues
    | WriteFile
    | Rewrite
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change to a file; made twice it is the same as once."""

    path: str
    """Absolute."""
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Something that only a person can do; goes on once it is confirmed."""

    instructions: str
    """Paragraphs; lines that begin with blanks are commands to paste."""


Action = Ask | Run | Save | Await | Look | Assemble | Edit | Person | Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do, and why."""

    name: str
    """Short, in lower case with hyphens, unique in its plan: for `--confirmed` and the journal."""
    why: str
    action: Action
    undo: str = ""
    """Once it was taken: what can be undone, and how. Empty where it changes nothing.

    Paragraphs; lines that begin with blanks are commands to paste.
    """
    recorded: bool = False
    """Nothing but the journal can tell that it was done: an interrupted run, continued, skips it.

    Any other step that a plan has is to be done, since plans are made from what is there.
    """

    @property
    def command(self) -> Command | None:
        """What it runs, if it runs anything."""
        return getattr(self.action, "command", None)

    @property
    def following(self) -> dict[str, Command]:
        """What it runs besides its command, by what that asks for."""
        match self.action:
            case Tell(applications=applications, versions=versions):
                return {"applications": applications, "versions": versions}
            case Gather(log=log):
                return {"log": log}
            case Await(plugin=Command() as plugin):
                return {"plugin_itself": plugin}
            case _:
                return {}

    @property
    def commands(self) -> tuple[Command, ...]:
        """Everything that it runs."""
        return (*([self.command] if self.command else []), *self.following.values())

    @property
    def images(self) -> tuple[Relocation, ...]:
        """What it looks for in the registry."""
        return self.action.images if isinstance(self.action, Look) else ()

    @property
    def is_question(self) -> bool:
        """Whether it was asked already, for the plan."""
        return isinstance(self.action, Ask)

    @property
    def is_conditional(self) -> bool:
        """Whether it is left out where an answer before makes it needless."""
        return isinstance(self.action, Check) and self.action.only is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that an operation does, in the order of execution."""

    title: str
    """In the imperative, such as `upgrade harness at dc-north`; names the run in the journal."""
    steps: tuple[Step, ...]
    assumptions: tuple[str, ...] = ()
    """What was taken for granted instead of being read; empty for a real run."""
    notes: tuple[str, ...] = ()
    """What a person should know: done already, left out, to be done by hand."""

    @property
    def images(self) -> tuple[Relocation, ...]:
        """What the registry is asked for."""
        return tuple(image for step in self.steps for image in step.images)

    @property
    def work(self) -> tuple[Step, ...]:
        """The steps that a run takes: all but the questions."""
        return tuple(step for step in self.steps if not step.is_question)

    def commands(self) -> Iterator[Command]:
        """Every command, in order."""
        return (command for step in self.steps for command in step.commands)

    def compared(self) -> Iterator[SecretSource]:
        """Every secret that an answer is compared with, in a script or by a person."""
        for step in self.steps:
            for one in step.action.expected if isinstance(step.action, Ask) else ():
                if isinstance(one, PullsAs):
                    yield from (v for v in (one.username, one.password) if not isinstance(v, str))

    def programs(self) -> list[str]:
        """What has to be there to run them, each once.

        Not what a step before puts there, nor what is perhaps not needed.
        """
        made = {step.action.path for step in self.steps if isinstance(step.action, Edit)}
        sure = (step for step in self.steps if step.command and not step.is_conditional)
        used = dict.fromkeys(step.command.argv[0] for step in sure if step.command)
        return [name for name in used if name not in made]
