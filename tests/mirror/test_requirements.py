"""What applications need of a cluster, as the vendor says or the site; quantities of Kubernetes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.kube.quantity import parse_quantity
from mirror.preflight.checks import judge
from mirror.preflight.finding import Verdict
from mirror.preflight.model import Seen
from mirror.requirements import TABLES, Mode, Requirement, find_requirement
from tests.mirror.kots_world import SITE, read_site
from tests.mirror.preflight_seen import PULL, SILENCE, good, values, with_member
from transfer.errors import InvalidInput

PASS, WARN = Verdict.PASS, Verdict.WARN
MODE = "    requirements: {%s}\n"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("8", 8),
        ("500m", Fraction(1, 2)),
        ("15890m", Fraction(1589, 100)),
        ("1.5Gi", 3 * 2**29),
        ("32780644Ki", 32780644 * 1024),
        ("64Mi", 2**26),
        ("73.5G", 73_500_000_000),
        ("129M", 129_000_000),
        ("1k", 1000),
        ("1e3", 1000),
        ("12E", 12 * 10**18),
        ("12E3", 12_000),
        ("1e-3", Fraction(1, 1000)),
        ("250000000n", Fraction(1, 4)),
        ("5u", Fraction(5, 10**6)),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("+1", 1),
        ("-1", -1),
        ("2Ti", 2**41),
        ("1Pi", 2**50),
        ("1Ei", 2**60),
        ("3T", 3 * 10**12),
        ("3P", 3 * 10**15),
    ],
)
def test_quantities(text: str, number: Fraction | int) -> None:
    assert parse_quantity(text) == number


@pytest.mark.parametrize(
    "text", ["", "x", "1 Gi", "1gi", "1GB", "Gi", ".", "1.2.3", "1e", "1K", "--1", "1\n", "½"]
)
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)


@given(st.integers(0, 10**12))
def test_a_quantity_in_thousandths_is_one(count: int) -> None:
    assert parse_quantity(f"{count}m") * 1000 == parse_quantity(str(count))


def requirements(text: str) -> Mode | Requirement | None:
    licence = "    licenseFile: license.yaml\n"
    return read_site(SITE.replace(licence, licence + MODE % text, 1)).applications[0].requirements


def test_the_site_file_names_a_table_or_figures() -> None:
    assert requirements("mode: development") is Mode.DEVELOPMENT
    assert requirements("cpu: 20, memoryGB: 40") == Requirement(
        cpu=Fraction(20), memory=Fraction(40 * 10**9)
    )
    assert requirements("storageGB: 1").storage == 10**9  # type: ignore[union-attr]
    assert read_site(SITE).applications[0].requirements is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "requirements: expected either mode or some of cpu, memoryGB, storageGB"),
        ("mode: production, cpu: 3", "requirements: expected either mode or some of"),
        ("mode: test", "requirements.mode: expected production or development, found 'test'"),
        ("cpu: -1", "requirements.cpu: expected a whole number"),
        ("memory: 1", "requirements.memory: unknown key"),
    ],
)
def test_what_is_wrong_in_it_is_said(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        requirements(text)
    assert any(f"applications.harness.{fault}" in one.message for one in caught.value.faults)


def test_both_spellings_of_nextgen_have_its_table() -> None:
    assert TABLES["harnesss-ng"] == TABLES["harness-ng"]
    assert find_requirement("harness-ng", None) == TABLES["harness-ng"][0]
    assert find_requirement("harness-ng", Mode.DEVELOPMENT) is None  # nobody says
    assert find_requirement("other", None) is None
    assert find_requirement("other", Mode.PRODUCTION) is None


def site(old: str, new: str) -> Seen:
    text = SITE.replace("cluster:", PULL)
    assert old in text
    return good(text.replace(old, new))


@pytest.mark.parametrize(
    ("requirements", "cpu", "memory", "storage"),
    [
        ("{mode: development}", "19 CPU", "38 GB", "200 GB"),
        ("{cpu: 3, memoryGB: 5, storageGB: 7}", "3 CPU", "5 GB", "7 GB"),
        ("{mode: production}", "37.5 CPU", "73.5 GB", "1000 GB"),
    ],
)
def test_what_the_site_file_says_counts(
    requirements: str, cpu: str, memory: str, storage: str
) -> None:
    seen = site(
        "    licenseFile: license.yaml\n", f"    licenseFile: l\n    requirements: {requirements}\n"
    )
    needed = {one.check: one.found.needed for one in judge(seen)}
    assert f" {cpu}" in needed["cpu"]
    assert f" {memory}" in needed["memory"]
    assert storage in needed["storage"]


def test_demo_mode_needs_as_little_as_development() -> None:
    needed = {
        one.check: one.found.needed
        for one in judge(with_member(good(), values=values(mode="demo")))
    }
    assert "harness development 19 CPU" in needed["cpu"]
    assert "harness-ng production 17.5 CPU" in needed["cpu"]


def test_an_application_that_nobody_knows_is_not_compared() -> None:
    text = SITE.replace("  harness:", "  other:").replace("  harness-ng:", "  another:")
    found = {one.check: one.found for one in judge(good(text)) if one.found.subject != "another"}
    warns = {check for check, one in found.items() if one.verdict is WARN}
    assert {"cpu", "memory"} <= warns
    assert "requirements: {cpu: …" in found["cpu"].hint
    assert (found["nodes"].verdict, found["nodes"].needed) == (PASS, "some")
    assert (found["storage"].verdict, found["storage"].seen[:14]) == (PASS, "no application")


def test_without_readable_answers_production_counts() -> None:
    needed = {one.check: one.found.needed for one in judge(with_member(good(), values=SILENCE))}
    assert "harness production 37.5 CPU" in needed["cpu"]
