"""Names of steps, each unique in its plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from mirror.operation.model import Step


def named_apart(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, those of a name that came before numbered from 2."""
    seen: Counter[str] = Counter()
    found = []
    for step in steps:
        seen[step.name] += 1
        times = seen[step.name]
        found.append(step if times == 1 else replace(step, name=f"{step.name}-{times}"))
    return tuple(found)
