"""Plans for configuration values: the file to fill in, its check, and what changed."""

from __future__ import annotations

from mirror.operation.model import Edit, Plan, Step
from mirror.operation.writing import WriteFile


def plan_init(path: str, release: str, content: str, *, is_there: bool, replaces: bool) -> Plan:
    """Write the file to fill in for a release.

    Harness guide, "Step 3: Configure Harness".

    Args:
        path: Absolute.
        release: As `harness 79915`.
        content: What `template.compose` made for it.
        is_there: It has this content already.
        replaces: Another one that is there goes.
    """
    title = f"write configuration values for {release}"
    if is_there:
        note = f"{path} is there already, as it was written for {release}."
        return Plan(title=title, steps=(), notes=(note,))
    step = Step(
        name="write-values",
        why=f"Write down what {release} asks, to be filled in.",
        action=Edit(path=path, change=WriteFile(content=content, replaces=replaces)),
        undo=f"delete {path}" + ("; what was there before is gone" if replaces else ""),
    )
    return Plan(title=title, steps=(step,))
