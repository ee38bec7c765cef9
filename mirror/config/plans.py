"""Plans for configuration values: the file to fill in, its check, and what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mirror.config.compare import Compared, Difference
from mirror.operation.model import Edit, Plan, Step
from mirror.operation.naming import named_apart
from mirror.operation.reading import Check, Need, Sight
from mirror.operation.writing import WriteFile
from transfer.kots.config import Config, ConfigItem
from transfer.plain import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A file of values, and what has to be in it."""

    slug: str
    release: str
    """As `harness 79915`."""
    file: str | None
    """None where the site file names none."""
    config: Config


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


def plan_check(site: str, asked: Sequence[Asked]) -> Plan:
    """Look at what the site answers; a person does so where airgap-mirror cannot.

    Harness guide, "Step 3: Configure Harness".

    Args:
        site: Its name.
        asked: What each application asks.
    """
    steps = (
        Step(
            name=f"check-{one.slug}",
            why=f"See that {one.file or 'what the site file names'} answers what {one.release} "
            "asks.",
            action=Check(needs=(*_readable(one.file), *_needs(one.config))),
        )
        for one in asked
    )
    return Plan(title=f"check the configuration values of {site}", steps=tuple(steps))


def plan_review(found: Compared) -> Plan:
    """Go through what is different, item by item; nothing has to be asked for it.

    Args:
        found: The differences, by what was compared with what.
    """
    steps = (
        Step(
            name="review",
            why=f"Go through what is different: {title}.",
            action=Check(needs=tuple(map(_looked_at, items))),
        )
        for title, items in found.items()
        if items
    )
    notes = tuple(f"{title}: no difference" for title, items in found.items() if not items)
    return Plan(title=f"compare {' and '.join(found)}", steps=named_apart(steps), notes=notes)


def _looked_at(one: Difference) -> Need:
    details = f" ({'; '.join(one.details)})" if one.details else ""
    return Need(words=f"{one_line(one.name)} is {one.what}{details}, as it is meant", warns=True)


def _readable(file: str | None) -> Iterator[Need]:
    if file:
        hint = "airgap-mirror config init writes one to fill in"
        yield Need(
            words=f"{file} can be read", sight=Sight.IS_READABLE, arguments=(file,), hint=hint
        )


def _needs(config: Config) -> Iterator[Need]:
    """What a person has to see, item by item; no value is in it but those that are offered."""
    for item in config.items:
        if item.is_needed:
            hint = "answer it: KOTS would wait for somebody at its Config page"
            yield Need(words=f"{_named(item)} has a value", hint=hint)
        if fitting := _fitting(item):
            yield Need(words=f"{_named(item)}, where it is answered, {fitting}", hint="correct it")
    names = dict.fromkeys(
        name
        for item in config.items
        for name in (item.name, *(item.options if item.type == "select_many" else ()))
    )
    known = ", ".join(map(one_line, names))
    yield Need(
        words=f"no item is answered but these, and those that repeat one: {known}",
        hint="take the others out: KOTS passes over them without a word",
    )


def _fitting(item: ConfigItem) -> str:
    if item.type == "bool":
        return 'is "0" or "1", in quotes'
    if item.type == "file":
        return "is the content of a file, in base64"
    if item.type == "select_many" or not item.options:
        return ""
    return f"is one of: {', '.join(map(one_line, item.options))}"


def _named(item: ConfigItem) -> str:
    return f"{one_line(item.name)} ({one_line(item.title)})" if item.title else one_line(item.name)
