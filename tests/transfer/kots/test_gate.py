from __future__ import annotations

import pytest

from transfer.contents import ReleaseRecord
from transfer.errors import PolicyError
from transfer.kots.finding import WARNINGS, Finding, Rule, refuse
from transfer.kots.gate import version_gate


@pytest.mark.parametrize(
    ("needs", "up_to", "kots", "install", "rule"),
    [
        ("1.130.0", "1.131.4", "v1.131.4", True, None),
        ("", "", "v1.131.4", True, None),
        ("1.130.0", "", "", True, None),
        ("1.131.5", "", "v1.131.4", True, Rule.KOTS_TOO_OLD),
        ("1.131.5", "", "v1.131.4", False, Rule.KOTS_TOO_OLD),
        ("", "1.131.3", "v1.131.4", True, Rule.KOTS_TOO_NEW),
        ("", "1.131.3", "v1.131.4", False, None),
    ],
)
def test_the_gate(needs: str, up_to: str, kots: str, rule: Rule | None, *, install: bool) -> None:
    release = ReleaseRecord(
        version_label="79915", min_kots_version=needs, target_kots_version=up_to
    )
    finding = version_gate("harness", release, kots, install=install)
    assert (finding.rule if finding else None) is rule


def finding(rule: Rule, message: str) -> Finding:
    return Finding(rule=rule, subject="x", message=message, hint="do it")


def test_findings_are_refused_together_and_one_alone_without_a_summary() -> None:
    warning = finding(Rule.IMAGE_TEMPLATED, "not this")
    refuse("all", [warning])
    with pytest.raises(PolicyError, match=r"^a$") as caught:
        refuse("all", [finding(Rule.KOTS_TOO_OLD, "a"), warning])
    assert caught.value.hint == "do it"
    with pytest.raises(PolicyError, match=r"^all$") as caught:
        refuse("all", [finding(Rule.KOTS_TOO_OLD, "a"), finding(Rule.KOTS_TOO_NEW, "b"), warning])
    assert [str(fault) for fault in caught.value.faults] == ["a", "b"]
    assert warning.rule in WARNINGS
