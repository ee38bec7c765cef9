"""What stands against the way from the installed release over all that the sources have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mirror.offer import Offered
from transfer.kots.finding import Finding, Rule
from transfer.kots.gate import version_gate
from transfer.kots.upgrade import Installed, check_path, pending

ASK_FOR_IT = "airgap-mirror upgrade … --request FILE writes down what has to be carried"


def majors_of(offers: Sequence[Offered]) -> tuple[str, ...]:
    """The vendor's major releases, as far as any of the sources says."""
    return max((offer.majors for offer in offers), key=len, default=())


def object_to(
    slug: str, installed: Installed, offers: Sequence[Offered], kots: str
) -> Iterator[Finding]:
    """The rules that a bundle is built by hold here again, for what really runs.

    Harness guide, "Updating Harness FirstGen": not past four major releases. A step that is too
    long for the vendor may be allowed where the bundle is built; a release that KOTS will miss
    may not.

    Args:
        slug: The application's.
        installed: Where it starts.
        offers: Its releases among the sources, oldest first.
        kots: The admin console that will run then; "" if that is not known.
    """
    allowed = {rule for offer in offers for rule in offer.allowed}
    yield from (
        finding
        for finding in check_path(slug, installed, offers, majors_of(offers))
        if finding.rule is not Rule.UPGRADE_PATH or finding.rule not in allowed
    )
    hops = (offer.release for offer in pending(offers, installed))
    yield from filter(None, (version_gate(slug, hop, kots, install=False) for hop in hops))


def allowed_steps(slug: str, installed: Installed, offers: Sequence[Offered]) -> Iterator[Finding]:
    """Steps that are too long for the vendor, and were allowed where the bundle was built."""
    if any(Rule.UPGRADE_PATH in offer.allowed for offer in offers):
        found = check_path(slug, installed, offers, majors_of(offers))
        yield from (finding for finding in found if finding.rule is Rule.UPGRADE_PATH)


def with_request(finding: Finding) -> Finding:
    """The finding, its hint telling how the connected side is asked for what is missing."""
    if not (finding.wanted or finding.wanted_kots):
        return finding
    return replace(finding, hint=f"{finding.hint}; {ASK_FOR_IT}")
