"""The plan that gives the images in Kubernetes YAML the names of the site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mirror.operation.model import Edit, Look, Plan, Step
from mirror.operation.naming import named_apart
from mirror.operation.writing import Exchange, Rewrite
from mirror.rewriting import Rewritten
from transfer.digest import Digest
from transfer.relocate import Relocation
from transfer.text import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A file to write."""

    path: str
    """Absolute."""
    mode: int
    before: str | None = None
    """What it was rewritten from, where it is one of the files that were read."""


def plan_rewrite(
    files: Sequence[str],
    done: Sequence[Rewritten],
    targets: Sequence[Target],
    images: Sequence[Relocation] = (),
) -> Plan:
    """Write what was rewritten, each file in its place, or all of them to one.

    Harness guide, "Delegates and OpenShift".

    Args:
        files: Where the texts are from: absolute paths, or `-`.
        done: What came of each of them.
        targets: One for each of them, or one alone for all; none where the result is printed.
        images: What the registry has to hold before anything is written.
    """
    steps = list(_look(images))
    if len(targets) == 1 and len(done) > 1:
        steps.append(_step(files, done, targets[0]))
    elif targets:
        for file, one, target in zip(files, done, targets, strict=True):
            if one.replacements or target.before is None:
                steps.append(_step([file], [one], target))
    title = f"give the images in {' and '.join(files)} the names of the site"
    notes = tuple(note for one in done for note in one.notes)
    return Plan(title=title, steps=named_apart(steps), notes=notes)


def joined(texts: Sequence[str]) -> str:
    """Files one after the other, as documents of one; a single file is as it was."""
    result = texts[0]
    for text in texts[1:]:
        if result and not result.endswith("\n"):
            result += "\n"
        result += text if text.startswith("---") else f"---\n{text}"
    return result


def _look(images: Sequence[Relocation]) -> Iterator[Step]:
    if images:
        why = f"See that the registry holds the {counted(len(images), 'image')} that are named."
        yield Step(name="images", why=why, action=Look(images=tuple(images), named=True))


def _step(files: Sequence[str], done: Sequence[Rewritten], target: Target) -> Step:
    exchanges = tuple(
        Exchange(file=file, line=change.line, old=change.old, new=change.new)
        for file, one in zip(files, done, strict=True)
        for change in one.replacements
    )
    change = Rewrite(
        files=tuple(files),
        exchanges=exchanges,
        before=target.before,
        mode=target.mode,
        text=joined([one.text for one in done]),
    )
    old = target.before and "write the old names there again"
    return Step(
        name="rewrite",
        why=f"Write {target.path}, with {counted(len(exchanges), 'image')} named as at the site.",
        action=Edit(path=target.path, change=change),
        undo=old or f"delete {target.path}",
    )


def digest_of(text: str) -> str:
    """`sha256:…` of a file with this text."""
    return str(Digest.of(text.encode()))
