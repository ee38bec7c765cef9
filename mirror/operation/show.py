"""A plan for people, with commands to paste, and the same for programs."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from textwrap import fill
from typing import Any

from mirror.command import Command, shell_word
from mirror.operation.model import (
    Assemble,
    Change,
    CopyFile,
    Edit,
    InstallPlugin,
    MergeValues,
    Person,
    Plan,
    RemoveFile,
    RemoveFolder,
    RemoveItem,
    Save,
    Step,
)
from mirror.operation.reading import Check, Gather, Hold, Reading, Tell
from mirror.operation.readingwords import as_data, conditions, needed
from mirror.operation.words import ended
from mirror.operation.writing import Rewrite, WriteFile
from mirror.operation.writingwords import as_data as as_data_of
from mirror.operation.writingwords import written
from mirror.secret import SecretSource

WIDTH = 98
_INDENT = "     "
_MARGIN = f"{_INDENT}  "


def as_text(plan: Plan) -> str:
    """Numbered steps: one sentence why, and the exact command."""
    parts = [plan.title[:1].upper() + plan.title[1:]]
    if plan.assumptions:
        parts.append("Nothing was asked. Assumed:\n" + listed(plan.assumptions))
    if plan.notes:
        parts.append("To know:\n" + listed(plan.notes))
    parts += [_step(number, step) for number, step in enumerate(plan.steps, start=1)]
    return "\n\n".join(parts) + "\n"


def as_json(plan: Plan) -> dict[str, Any]:
    """The same as data; a secret is named by its source."""
    return {
        "title": plan.title,
        "assumptions": list(plan.assumptions),
        "notes": list(plan.notes),
        "images": [image.to_json() for image in plan.images],
        "steps": [step_as_json(step) for step in plan.steps],
    }


def wrapped(text: str, indent: str = "") -> str:
    """Paragraphs, wrapped; lines that begin with blanks are commands, and stay whole."""
    return "\n\n".join(_wrap(part, indent) for part in text.split("\n\n"))


def listed(notes: tuple[str, ...]) -> str:
    """One point for each, wrapped."""
    return "\n".join(f"  - {_wrap(note, '    ')[4:]}" for note in notes)


def _wrap(text: str, indent: str) -> str:
    """Wrapped and indented; lines that begin with blanks are commands, and stay whole."""
    return "\n".join(
        indent + line if line.startswith(" ") else _fill(line, indent) for line in text.splitlines()
    )


def _fill(line: str, indent: str) -> str:
    return fill(
        line,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _step(number: int, step: Step) -> str:
    why = f"{number:>3}. {_wrap(f'{step.name}: {step.why}', _INDENT)[len(_INDENT) :]}"
    parts = [why, *_action(step)]
    if step.undo:
        parts.append(_wrap(ended(f"Undo: {step.undo}"), _INDENT))
    return "\n\n".join(parts)


def _action(step: Step) -> Iterator[str]:
    match step.action:
        case Edit() as edit:
            yield f"{_INDENT}  {edit.path}"
            yield _wrap(edited(edit.change), _INDENT)
            if isinstance(edit.change, Rewrite) and edit.change.exchanges:
                yield "\n".join(f"{_MARGIN}{one}" for one in edit.change.exchanges)
        case Person(instructions=text):
            yield _wrap(f"By hand, then --confirmed {step.name}, or yes when asked:", _INDENT)
            yield wrapped(text, f"{_INDENT}  ")
        case Assemble(path=path):
            yield f"{_INDENT}  {path}"
        case Save() as save:
            yield f"{_MARGIN}{kept(save, _MARGIN)}"
        case Check() | Tell() | Gather() | Hold() as reading:
            yield from _reading(step, reading)
        case _ if step.command:
            yield from (laid_out(command, _MARGIN) for command in _in_order(step))


def _in_order(step: Step) -> tuple[Command, ...]:
    """The plugin is asked before what is compared with its answer."""
    return (*step.following.values(), *((step.command,) if step.command else ()))


def _reading(step: Step, action: Reading) -> Iterator[str]:
    if isinstance(action, Check) and action.requests:
        yield "\n".join(_MARGIN + request for request in action.requests)
    yield from (laid_out(command, _MARGIN) for command in step.commands)
    yield from (_wrap(sentence, _INDENT) for sentence in conditions(action))
    if isinstance(action, Check) and action.needs:
        points = listed(tuple(needed(need) for need in action.needs))
        yield "\n".join([f"{_INDENT}Needed:", *(f"{_INDENT}{line}" for line in points.split("\n"))])


def edited(change: Change) -> str:
    """What an edit does to its file, as a sentence."""
    match change:
        case RemoveItem(key=key, item=item):
            return f"Take {item} out of {key}."
        case RemoveFile() | RemoveFolder():
            folder = isinstance(change, RemoveFolder)
            return "Delete the folder with everything in it." if folder else "Delete the file."
        case CopyFile(source=source):
            return f"Write it anew, as a copy of {source}."
        case InstallPlugin(archive=archive, digest=digest, member=member):
            return f"Put {member} there, out of {archive} ({digest}), and make it executable."
        case MergeValues(source=source, own=own):
            mine = f", and {own}, which comes first" if own else ""
            return f"Write it with the values of {source}{mine}."
        case WriteFile() | Rewrite():
            return written(change)


def laid_out(
    command: Command,
    margin: str = "",
    secret: Callable[[SecretSource], str] = shell_word,
    word: Callable[[str], str] = shlex.quote,
) -> str:
    """A command for a shell: one line where it fits, else one word a line after the program's.

    `secret` gives the word that stands for a secret, `word` any other. No blank may follow a
    backslash.
    """
    words = command.words(secret, word)
    line = " ".join(words)
    if len(margin) + len(line) <= WIDTH:
        return margin + line
    start = len(command.environment)
    end = start + _program_words(words[start:])
    lines = [*words[:start], " ".join(words[start:end]), *(f"  {word}" for word in words[end:])]
    return " \\\n".join(margin + line for line in lines)


def kept(save: Save, margin: str = "") -> str:
    """A command for a shell whose output goes to a file, for its owner only."""
    line = laid_out(save.command, margin).lstrip()
    careful = "umask 077; set -C" if save.once else "umask 077"
    return f"({careful}; {line} > {shlex.quote(save.path)})"


def _program_words(words: tuple[str, ...]) -> int:
    """How many words come before the first option."""
    return next((i for i, word in enumerate(words) if word.startswith("-")), len(words))


def step_as_json(step: Step) -> dict[str, Any]:
    """One step as data; a secret is named by its source."""
    value: dict[str, Any] = {"name": step.name, "kind": kind_of(step), "why": step.why}
    match step.action:
        case Edit(path=path, change=change):
            value |= {"path": path, "edit": edited(change)}
            value |= as_data_of(change) if isinstance(change, WriteFile | Rewrite) else {}
        case Person(instructions=text):
            value["instructions"] = text
        case Save(path=path) | Assemble(path=path):
            value["path"] = path
        case Check() | Tell() | Gather() | Hold() as reading:
            value |= as_data(reading)
    if step.command:
        value |= _command_as_json(step.command)
    if step.following:
        value["following"] = {
            name: _command_as_json(command) for name, command in step.following.items()
        }
    if step.undo:
        value["undo"] = step.undo
    return value


def _command_as_json(command: Command) -> dict[str, Any]:
    return {
        "command": command.shell_line(),
        "argv": list(command.argv),
        "environment": {
            name: given if isinstance(given, str) else {"from": str(given)}
            for name, given in command.environment
        },
    }


def kind_of(step: Step) -> str:
    """What a step does, in a word."""
    return type(step.action).__name__.lower()
