"""What becomes of findings: refused, allowed by whoever builds, or only to be known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from transfer.errors import PolicyError, raise_together
from transfer.kots.finding import WARNINGS, Finding, Rule
from transfer.text import counted

ALLOWABLE = tuple(
    rule for rule in Rule if rule not in WARNINGS and rule is not Rule.DESTINATION_COLLISION
)
"""What may be let pass by name; the mirror itself refuses two images of one name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Findings by what becomes of them."""

    refused: tuple[Finding, ...] = ()
    allowed: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def recorded(self) -> tuple[str, ...]:
        """What the bundle keeps of those that were allowed."""
        return tuple(map(str, self.allowed))

    def raise_refused(self, what: str) -> None:
        """Go on only if nothing is refused; `what` was checked.

        Raises:
            PolicyError: with every finding that is neither allowed nor a warning.
        """
        raise_together(
            PolicyError,
            f"{what}: {counted(len(self.refused), 'finding')}; the site could not use it as it is",
            (PolicyError(str(finding), hint=finding.hint) for finding in self.refused),
            hint="correct the spec, or let a finding pass by its name with --allow NAME: the "
            "bundle keeps a record of it",
        )


def settle(findings: Iterable[Finding], allow: Collection[str]) -> Verdict:
    """Sort findings; `allow` names rules of `ALLOWABLE`."""
    found = tuple(findings)
    serious = [finding for finding in found if not finding.is_warning]
    return Verdict(
        refused=tuple(finding for finding in serious if finding.rule not in allow),
        allowed=tuple(finding for finding in serious if finding.rule in allow),
        warnings=tuple(finding for finding in found if finding.is_warning),
    )
