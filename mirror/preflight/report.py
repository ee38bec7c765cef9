"""What a preflight found, as a person reads it and as a program does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mirror.preflight.finding import Finding, Verdict
from transfer.errors import PolicyError
from transfer.text import counted

_WIDTH = 15
"""Columns of the longest name of a check, and two blanks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was found."""

    site: str
    """Its name."""
    findings: tuple[Finding, ...]
    skipped: tuple[str, ...] = ()
    """Checks that somebody left out."""

    def count(self, verdict: Verdict) -> int:
        """How many findings are so."""
        return sum(one.found.verdict is verdict for one in self.findings)

    def raise_for_failures(self) -> None:
        """Refuse a window that would fail.

        Raises:
            PolicyError: something failed; the findings say what.
        """
        failed = (one.check for one in self.findings if one.found.verdict is Verdict.FAIL)
        names = list(dict.fromkeys(failed))
        if names:
            raise PolicyError(
                f"not ready at {self.site}: {', '.join(names)}",
                hint="mend what failed, then run it again; --skip NAME leaves a check out",
            )

    def text(self) -> str:
        """One line a finding, what to do about it below."""
        lines = [f"preflight at {self.site}", ""]
        for finding in self.findings:
            lines += _lines(finding)
        lines += [f"left out: {', '.join(self.skipped)}"] if self.skipped else []
        return "\n".join([*lines, "", self._summary()])

    def to_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "site": self.site,
            "findings": [finding.to_json() for finding in self.findings],
            "skipped": list(self.skipped),
            **{verdict.value: self.count(verdict) for verdict in Verdict},
        }

    def _summary(self) -> str:
        passed, warned, failed = map(self.count, Verdict)
        return f"{passed} passed, {counted(warned, 'warning')}, {failed} failed"


def _lines(finding: Finding) -> Iterator[str]:
    found = finding.found
    needed = f"; needed: {found.needed}" if found.needed else ""
    margin = " " * 6
    yield f"{found.verdict:6}{finding.check:{_WIDTH}}{found.subject}: {found.seen}{needed}"
    yield from (f"{margin}{'':{_WIDTH}}- {detail}" for detail in found.details)
    if found.hint:
        yield f"{margin}{'':{_WIDTH}}-> {found.hint}"
