"""What a run of a plan has done, so that the same command continues after an interruption.

One JSON object a line, appended and confirmed by the disk before and after each step. There is no
secret in it: a step is named, and known by the digest of what a dry run prints of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from mirror.operation.model import Step
from mirror.operation.show import step_as_json
from transfer.digest import Digest

COUNTS = timedelta(days=1)
"""How long it counts that something was done, or confirmed, by a run that did not end."""


class Event(StrEnum):
    """What is noted."""

    OPENED = "opened"
    """A command begins to look at what is there, and may run something."""
    BEGAN = "began"
    DONE = "done"
    FAILED = "failed"
    ENDED = "ended"
    """The whole run came to its end."""


class Journal(Protocol):
    """Notes of one run."""

    def has_done(self, step: Step) -> bool:
        """Whether this very step was done by the run that is continued."""
        ...

    def note(self, event: Event, step: Step) -> None:
        """Write something down for good."""
        ...

    def end(self) -> None:
        """Note that the run came to its end: the next one starts afresh."""
        ...


class NoJournal:
    """For what is not noted: made again, it is as before, and no site has a part in it."""

    def has_done(self, _step: Step) -> bool:
        """Nobody knows."""
        return False

    def note(self, event: Event, step: Step) -> None:
        """Forget it."""

    def end(self) -> None:
        """The same."""


def fingerprint(step: Step) -> str:
    """What tells a step from one that was planned otherwise: it changes with all it does."""
    text = json.dumps(step_as_json(step), sort_keys=True, ensure_ascii=False)
    return str(Digest.of(text.encode()))


def done_before(lines: Iterable[str], title: str, now: datetime) -> frozenset[str]:
    """The fingerprints of what was done since the last run of this title that came to its end.

    What is older than `COUNTS` is left out: the backup of last month is not that of tonight. So is
    a last line that was cut short.
    """
    done: set[str] = set()
    for line in lines:
        entry = _parse(line)
        if entry.get("run") != title or now - _time(entry) > COUNTS:
            continue
        if entry.get("event") == Event.ENDED:
            done.clear()
        elif entry.get("event") == Event.DONE:
            done.add(str(entry.get("digest")))
    return frozenset(done)


def opening(time: datetime, by: str) -> str:
    """The line of whoever holds the journal from now on, with its end."""
    value = {"time": time.isoformat(timespec="seconds"), "event": Event.OPENED.value, "by": by}
    return json.dumps(value, ensure_ascii=False) + "\n"


def opened_by(lines: Iterable[str]) -> str:
    """Who opened it last, and when; "" where nobody is known."""
    found = [one for one in map(_parse, lines) if one.get("event") == Event.OPENED]
    return f"{found[-1].get('by')}, since {found[-1].get('time')}" if found else ""


def entry(time: datetime, title: str, event: Event, step: Step | None = None) -> str:
    """One line of the journal, with its end."""
    moment = time.isoformat(timespec="seconds")
    value: dict[str, Any] = {"time": moment, "run": title, "event": event.value}
    if step:
        value |= {"step": step.name, "digest": fingerprint(step)}
    return json.dumps(value, ensure_ascii=False) + "\n"


def _time(entry: dict[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(str(entry.get("time")))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _parse(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
