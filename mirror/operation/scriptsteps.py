"""The steps of a plan as pieces of a shell script, in the words of `shell/`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from shlex import quote

from mirror.kots.outcome import with_v
from mirror.operation.byhand import by_hand
from mirror.operation.model import (
    Ask,
    Assemble,
    Await,
    Edit,
    InstallPlugin,
    Look,
    Person,
    Plan,
    RemoveFile,
    RemoveFolder,
    RemoveItem,
    Run,
    Save,
    Step,
)
from mirror.operation.reading import Check, Gather, Hold, Tell
from mirror.operation.scriptreads import function, reading_lines
from mirror.operation.show import laid_out, wrapped
from mirror.operation.wanted import (
    ConsoleIs,
    Expectation,
    Goal,
    HasLicence,
    IsAbsent,
    IsDeployed,
    IsNewest,
    IsReady,
    IsScaled,
    NoConsole,
    NoNamespace,
    NoOpenShift,
    PluginIs,
    PullsAs,
    PullsFrom,
)
from mirror.operation.words import assumed, late, told
from mirror.operation.writing import Rewrite, WriteFile
from mirror.operation.writingwords import script_lines
from mirror.secret import SecretSource

_MARGIN = "    "
_MAYBE = (ConsoleIs, NoConsole, NoNamespace, PullsAs, PullsFrom)
"""Questions with no answer where nothing is there."""
_OF_PLUGIN = '"$wanted"'
_COMMAND = "it"
"""The function that a step has for its command."""


def steps_of(plan: Plan, variables: Mapping[SecretSource, str]) -> Iterator[str]:
    """Every step; `variables` has the name of the variable that holds a secret."""
    for step in plan.steps:
        yield "\n".join(_step(step, variables))


def comment(text: str) -> str:
    """Lines of a comment; nothing in the text can end it."""
    lines = wrapped("\n".join(map(_printable, text.split("\n")))).split("\n")
    return "\n".join(f"# {line}".rstrip() for line in lines)


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _step(step: Step, variables: Mapping[SecretSource, str]) -> Iterator[str]:
    words = [quote(step.why), *([quote(step.undo)] if step.undo else [])]
    yield " \\\n    ".join([f"if begin {quote(step.name)}", *words]) + "; then"
    if step.command and not isinstance(step.action, Hold):
        command = laid_out(step.command, 2 * _MARGIN, lambda secret: f'"${variables[secret]}"')
        yield f"{_MARGIN}{_COMMAND}() {{\n{command}\n{_MARGIN}}}"
    yield from (function(name, each, _MARGIN) for name, each in step.following.items())
    if isinstance(step.action, Check | Gather | Hold | Tell):
        yield from (_MARGIN + line for line in reading_lines(step, step.action, variables))
    yield from (_MARGIN + line for line in _action(step, variables))
    yield "fi"


def _action(step: Step, variables: Mapping[SecretSource, str]) -> Iterator[str]:
    match step.action:
        case Ask(expected=expected):
            yield f"ask {_COMMAND}"
            yield from _answer(expected, variables)
        case Run(judge=judge, handed=handed):
            if handed:
                yield f"has {quote(handed)}"
            yield f"follow {judge} {_COMMAND}"
        case Save(path=path, once=once):
            yield f"{'save_once' if once else 'save'} {_COMMAND} {quote(path)}"
        case Await(command=command, goal=goal, seconds=seconds, plugin=plugin):
            if plugin:
                yield from ("ask plugin_itself", "understand", "wanted=$(plugin)")
            advice = f"{late(goal)}; ask again with: {command}"
            words = f"{math.ceil(seconds)} {quote(told(goal))} {quote(advice)}"
            yield f"await {words} {_COMMAND} {_goal(goal)}"
        case Look() | Assemble() | Edit() | Person():
            yield from _by_hand(step)


def _by_hand(step: Step) -> Iterator[str]:
    images = (f"\n  {image.destination} {image.root.digest}" for image in step.images)
    text = by_hand(step) + ("\n" if step.images else "") + "".join(images)
    ask = f"person {quote(text)}"
    match step.action:
        case Assemble(path=path):
            yield from (ask, f"has {quote(path)}")
        case Edit(path=path, change=RemoveFile() | RemoveFolder()):
            yield from (f"[ ! -e {quote(path)} ] || {ask}", f"has_not {quote(path)}")
        case Edit(path=path, change=RemoveItem(item=item)):
            yield f"if mentions {quote(path)} {quote(item)}; then {ask}; fi"
        case Edit(path=path, change=InstallPlugin()):
            yield from (ask, f"has_program {quote(path)}")
        case Edit(path=path, change=WriteFile() | Rewrite() as change):
            yield from script_lines(path, change, ask)
        case Edit(path=path):
            yield from (ask, f"has {quote(path)}")
        case _:
            yield ask


def _answer(
    expected: tuple[Expectation, ...], variables: Mapping[SecretSource, str]
) -> Iterator[str]:
    """What is compared with what the plan was made for."""
    if not expected:
        return
    yield "understand maybe" if any(isinstance(one, _MAYBE) for one in expected) else "understand"
    for one in expected:
        found, wanted = _asked(one, variables)
        yield f"expect {quote(assumed(one))} {found} {quote(wanted)}"


def _asked(expected: Expectation, variables: Mapping[SecretSource, str]) -> tuple[str, str]:
    """What prints what is there, and what it has to be."""
    match expected:
        case PullsAs(secret=secret, host=host, username=username, password=password):
            user = quote(username) if isinstance(username, str) else f'"${variables[username]}"'
            words = f'{quote(secret)} {quote(_as_json(host))} {user} "${variables[password]}"'
            return f'"$(pulls_as {words})"', ""
        case PluginIs(version=version):
            return '"$(plugin)"', with_v(version)
        case NoConsole() | ConsoleIs():
            return '"$(console)"', expected.version if isinstance(expected, ConsoleIs) else ""
        case PullsFrom(registry=registry):
            return f'"$(registry {quote(registry)})"', _as_json(registry)
        case IsAbsent(slug=what) | NoOpenShift(group=what) | NoNamespace(namespace=what):
            key = "slug" if isinstance(expected, IsAbsent) else "name"
            return f'"$(of_each {key} {quote(_as_json(what))} {key})"', ""
        case _:
            return f'"$(if {_goal(expected)}; then printf yes; else printf %s "$found"; fi)"', "yes"


def _goal(goal: Goal) -> str:
    """The function that tells whether it is so, with its argument."""
    match goal:
        case IsDeployed(version=version):
            return f"is_deployed {quote(_as_json(version))}"
        case IsNewest():
            return "is_newest"
        case ConsoleIs(version=version):
            return f"console_is {quote(_as_json(version)) if version else _OF_PLUGIN}"
        case IsScaled(replicas=replicas, workload=workload):
            return f"is_scaled {replicas}" + (f" {quote(workload)}" if workload else "")
        case IsReady(slug=slug):
            return f"is_ready {quote(_as_json(slug))}"
        case HasLicence(path=path, file=file):
            return f"has_licence {quote(path)} {quote(file)}"


def _as_json(text: str) -> str:
    """A text as Go spells it in JSON, without its quotes; the script compares that."""
    spelled = json.dumps(text, ensure_ascii=False)[1:-1]
    return spelled.translate({ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&"})
