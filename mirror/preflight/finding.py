"""What a preflight finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from transfer.errors import TransferError


class Verdict(StrEnum):
    """How bad a finding is."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    """Something to know; the window can begin."""
    FAIL = "fail"
    """It would fail in the window, or nobody can tell that it would not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a check has to say of one thing."""

    verdict: Verdict
    subject: str
    """The application, registry, node, namespace … that it is about."""
    seen: str
    """What is there."""
    needed: str = ""
    """What there should be; "" where what is seen says it all."""
    hint: str = ""
    """One line on what to do."""
    details: tuple[str, ...] = ()
    """Single things, one line each."""


def passed(subject: str, seen: str, needed: str = "", details: Iterable[str] = ()) -> Found:
    """All is well."""
    return Found(
        verdict=Verdict.PASS, subject=subject, seen=seen, needed=needed, details=tuple(details)
    )


def warned(
    subject: str, seen: str, needed: str = "", *, hint: str, details: Iterable[str] = ()
) -> Found:
    """Something to know."""
    return Found(
        verdict=Verdict.WARN,
        subject=subject,
        seen=seen,
        needed=needed,
        hint=hint,
        details=tuple(details),
    )


def failed(
    subject: str, seen: str, needed: str = "", *, hint: str, details: Iterable[str] = ()
) -> Found:
    """It would fail in the window."""
    return replace(warned(subject, seen, needed, hint=hint, details=details), verdict=Verdict.FAIL)


def failed_by(subject: str, error: TransferError, needed: str = "") -> Found:
    """An error is what there is: nobody can tell, or somebody refuses.

    Of a program that failed, the last line says why; the command is a detail.
    """
    *before, seen = (line.strip() for line in error.message.splitlines() or [""])
    faults = (line.strip() for fault in error.faults for line in fault.message.splitlines())
    hints = (one.hint for one in (error, *error.faults) if one.hint)
    return failed(subject, seen, needed, hint=next(hints, ""), details=(*before, *faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The same with the name of its check."""

    check: str
    found: Found

    def to_json(self) -> dict[str, object]:
        """For a program."""
        one = self.found
        return {
            "check": self.check,
            "verdict": one.verdict.value,
            "subject": one.subject,
            "seen": one.seen,
            "needed": one.needed,
            "hint": one.hint,
            "details": list(one.details),
        }
