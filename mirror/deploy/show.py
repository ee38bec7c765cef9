"""A plan for people, with commands to paste, and the same for programs."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from mirror.deploy.model import Plan, Step
from mirror.kots import Command

WIDTH = 98
_INDENT = "     "


def as_text(plan: Plan) -> str:
    """Numbered steps: one sentence why, and the exact command."""
    parts = [plan.title[:1].upper() + plan.title[1:]]
    if plan.assumptions:
        parts.append("Nothing was asked. Assumed:\n" + _list(plan.assumptions))
    if plan.notes:
        parts.append("To know:\n" + _list(plan.notes))
    parts += [_step(number, step) for number, step in enumerate(plan.steps, start=1)]
    return "\n\n".join(parts) + "\n"


def as_json(plan: Plan) -> dict[str, Any]:
    """The same as data; a secret is named by its source."""
    return {
        "title": plan.title,
        "assumptions": list(plan.assumptions),
        "notes": list(plan.notes),
        "images": [image.to_json() for image in plan.images],
        "steps": [_step_as_json(step) for step in plan.steps],
    }


def _list(notes: tuple[str, ...]) -> str:
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
    why = f"{number:>3}. {_wrap(step.why, _INDENT)[len(_INDENT) :]}"
    return f"{why}\n\n{_command(step.command)}" if step.command else why


def _command(command: Command) -> str:
    """One line where it fits, else one word a line: no blank may follow a backslash."""
    line = command.shell_line()
    if len(_INDENT) + 2 + len(line) <= WIDTH:
        return f"{_INDENT}  {line}"
    words = command.words()
    start = len(command.environment)
    head = " ".join(words[start : start + _program_words(words[start:])])
    rest = words[start + _program_words(words[start:]) :]
    lines = [*(f"{_INDENT}  {word}" for word in words[:start]), f"{_INDENT}  {head}"]
    return " \\\n".join([*lines, *(f"{_INDENT}    {word}" for word in rest)])


def _program_words(words: tuple[str, ...]) -> int:
    """How many words come before the first option."""
    return next((i for i, word in enumerate(words) if word.startswith("-")), len(words))


def _step_as_json(step: Step) -> dict[str, Any]:
    value: dict[str, Any] = {"kind": step.kind.value, "why": step.why}
    if step.path:
        value["path"] = step.path
    if step.command:
        value["command"] = step.command.shell_line()
        value["argv"] = list(step.command.argv)
        value["environment"] = {
            name: given if isinstance(given, str) else {"from": str(given)}
            for name, given in step.command.environment
        }
    return value
