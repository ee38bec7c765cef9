"""The way from one release to another: what has to be carried, and how far a step may go."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.contents import ReleaseRecord, RequiredRelease
from transfer.kots.finding import Rule
from transfer.kots.upgrade import MOST_MAJORS, Installed, check_path, oldest_first, pending

CHANNEL = "1aCHANNEL"


@dataclass(frozen=True)
class Archive:
    """Something that carries a release."""

    release: ReleaseRecord


def archive(
    label: str, cursor: int | str = "", *required: tuple[str, int | str], channel: str = CHANNEL
) -> Archive:
    return Archive(
        ReleaseRecord(
            version_label=label,
            update_cursor=str(cursor),
            channel_id=channel,
            required_releases=tuple(
                RequiredRelease(version_label=name, update_cursor=str(at)) for name, at in required
            ),
        )
    )


def found(start: Installed, *carried: Archive, majors: tuple[str, ...] = ()) -> list[str]:
    return [str(one) for one in check_path("harness", start, carried, majors)]


START = Installed(label="100", cursor=10, channel_id=CHANNEL)


@pytest.mark.parametrize(
    ("start", "carried"),
    [
        (START, [archive("120", 12)]),
        (START, [archive("120", 12, ("100", 10))]),
        (START, [archive("120", 12, ("99", 9))]),
        (START, [archive("120", 12, ("renamed", 10))]),
        (Installed(label="100"), [archive("120", 12, ("v100", "x"))]),
        (Installed(label="spring"), [archive("summer", 12, ("spring", "x"))]),
        (START, [archive("110", 11), archive("120", 12, ("110", 11))]),
        (START, [archive("110", 11), archive("120", 12, ("105", "x"))]),
        # Whoever has the newest of them has had those before it: KOTS looks no further.
        (START, [archive("120", 12, ("99", 9), ("115", 11))]),
        # Only its label is stated: an archive knows its cursor.
        (Installed(label="spring"), [archive("summer", 12, ("spring", 10), ("winter", 9))]),
        (Installed(label="spring"), [archive("fall", 13, ("winter", 9), ("spring", 10))]),
        # Other channels count other cursors; the labels still tell.
        (Installed(label="100", cursor=1, channel_id="1zOTHER"), [archive("120", 12, ("99", 9))]),
        # Nobody said what is installed.
        (Installed(label=""), [archive("120", 12, ("110", 11))]),
        (Installed(label=""), [archive("110", 11), archive("120", 12, ("110", 11))]),
        # What is behind is not deployed, whatever it requires.
        (START, [archive("90", 9, ("89", "x")), archive("120", 12)]),
    ],
)
def test_a_path_that_leaves_nothing_out(start: Installed, carried: list[Archive]) -> None:
    assert found(start, *carried) == []


@pytest.mark.parametrize(
    ("start", "carried", "message"),
    [
        (
            START,
            [archive("120", 12, ("115", 11))],
            "required-release: harness 120 can be deployed only after 115; on the way there: 100",
        ),
        (
            START,
            [archive("120", 12, ("117", 12), ("115", 11), ("100", 10), ("99", 9))],
            (
                "required-release: harness 120 can be deployed only after 115, 117; on the way "
                "there: 100"
            ),
        ),
        (
            START,
            [archive("110", 11), archive("130", 13, ("", 12))],
            (
                "required-release: harness 130 can be deployed only after cursor 12; on the way "
                "there: 100, 110"
            ),
        ),
        (
            Installed(label="100"),
            [archive("120", 12, ("115", "x"))],
            "required-release: harness 120 can be deployed only after 115; on the way there: 100",
        ),
        (
            Installed(label="100", cursor=99, channel_id="1zOTHER"),
            [archive("120", 12, ("115", 11))],
            "required-release: harness 120 can be deployed only after 115; on the way there: 100",
        ),
        (
            Installed(label=""),
            [archive("110", 11), archive("130", 13, ("120", 12))],
            "required-release: harness 130 can be deployed only after 120; on the way there: 110",
        ),
        (
            Installed(label="spring"),
            [archive("summer", 12, ("easter", 11))],
            (
                "path-unknown: harness summer requires easter to be deployed first, and nobody can "
                "tell from spring if it is"
            ),
        ),
    ],
)
def test_what_is_left_out_is_named(start: Installed, carried: list[Archive], message: str) -> None:
    assert found(start, *carried) == [message]


def test_what_is_left_out_is_named_once() -> None:
    two = found(START, archive("120", 12, ("115", 11)), archive("130", 13, ("125", 13)))
    assert two[0].startswith("required-release: harness 120 can be deployed only after 115;")
    assert two[1].startswith("required-release: harness 130 can be deployed only after 125;")
    once = found(
        Installed(label="spring"),
        archive("a", 12, ("easter", 11)),
        archive("b", "", ("easter", "x")),
    )
    assert [line.partition(";")[0] for line in once] == [
        (
            "path-unknown: harness a requires easter to be deployed first, and nobody can tell "
            "from spring if it is"
        )
    ]


MAJORS = tuple(str(i) for i in range(100, 1100, 100))


@pytest.mark.parametrize(
    ("start", "labels", "majors"),
    [
        ("100", ["500"], MAJORS),
        ("150", ["599"], MAJORS),
        ("100", ["500", "900", "1000"], MAJORS),
        ("50", ["400"], MAJORS),
        ("1.9.9", ["5.0.0"], ()),
        ("2024.1.1", ["2034.1.1"], ()),
        ("100", ["900"], ()),
        ("", ["900"], MAJORS),
        ("a", ["d"], ("a", "b", "c", "d")),
    ],
)
def test_a_step_that_is_short_enough(
    start: str, labels: list[str], majors: tuple[str, ...]
) -> None:
    assert found(Installed(label=start), *map(archive, labels), majors=majors) == []


@pytest.mark.parametrize(
    ("start", "labels", "majors", "step", "stops"),
    [
        ("100", ["600"], MAJORS, "from 100 to 600 it is 5 major releases", "500"),
        ("50", ["500"], MAJORS, "from 50 to 500 it is 5 major releases", "400"),
        ("100", ["900"], MAJORS, "from 100 to 900 it is 8 major releases", "500"),
        ("100", ["1000"], MAJORS, "from 100 to 1000 it is 9 major releases", "500 and 900"),
        ("100", ["300", "850"], MAJORS, "from 300 to 850 it is 5 major releases", "700"),
        ("", ["100", "600"], MAJORS, "from 100 to 600 it is 5 major releases", "500"),
        ("a", ["f"], tuple("abcdef"), "from a to f it is 5 major releases", "e"),
        ("1.2.3", ["6.0.0"], (), "from 1.2.3 to 6.0.0 it is 5 major releases", "a release 5.x"),
    ],
)
def test_a_step_that_is_too_long_and_where_to_stop(
    start: str, labels: list[str], majors: tuple[str, ...], step: str, stops: str
) -> None:
    [finding] = check_path("harness", Installed(label=start), [*map(archive, labels)], majors)
    assert finding.rule is Rule.UPGRADE_PATH
    assert finding.message == f"harness: {step}; one step may take 4 at most"
    assert finding.hint == f"carry {stops} too, or releases between that are as near"


def test_where_the_list_does_not_tell_it_is_said() -> None:
    [finding] = check_path("harness", Installed(label="spring"), [archive("600")], MAJORS)
    assert finding.rule is Rule.PATH_UNKNOWN
    assert finding.is_warning
    assert "between spring and 600" in finding.message


def test_releases_are_ordered_by_the_vendors_own_sequence() -> None:
    two = [archive("b", 2), archive("a", 1)]
    assert oldest_first(two) == [two[1], two[0]]
    assert oldest_first([two[0], archive("a", 1, channel="1zOTHER")])[0] == two[0]
    assert oldest_first([two[0], archive("a")])[0] == two[0]


def test_what_is_stated_by_label_is_found_by_cursor() -> None:
    carried = [archive("winter", 9), archive("summer", 12, ("spring", 10))]
    assert pending(carried, Installed(label="spring")) == carried[1:]


positions = st.integers(1, 60)


@given(start=positions, steps=st.lists(positions, unique=True, max_size=8))
def test_the_stops_that_are_named_make_the_path_good(start: int, steps: list[int]) -> None:
    """Nothing too long is left when they are carried too, and nothing was said for nothing."""
    majors = tuple(f"1.{i}" for i in range(1, 61))
    labels = sorted((f"1.{step}" for step in steps), key=lambda label: int(label[2:]))
    installed = Installed(label=f"1.{start}")
    findings = check_path("x", installed, [*map(archive, labels)], majors)
    ahead = [start, *(step for step in sorted(steps) if step > start)]
    longest = max((b - a for a, b in pairwise(ahead)), default=0)
    assert bool(findings) == (longest > MOST_MAJORS)
    stops = {word for one in findings for word in (one.hint or "").split() if word in majors}
    more = sorted({*labels, *stops}, key=lambda label: int(label[2:]))
    assert check_path("x", installed, [*map(archive, more)], majors) == ()


@given(
    cursors=st.lists(st.integers(2, 40), min_size=1, max_size=8, unique=True),
    required=st.lists(st.integers(1, 40), max_size=5, unique=True),
)
def test_required_releases_are_missed_as_kots_misses_them(
    cursors: list[int], required: list[int]
) -> None:
    """KOTS walks the list, newest first, until one is there (pkg/update/required.go)."""
    *before, last = sorted(cursors)
    needs = sorted((cursor for cursor in required if cursor < last), reverse=True)
    steps = [archive(f"v{c}", c) for c in before]
    steps.append(archive(f"v{last}", last, *((f"v{c}", c) for c in needs)))
    start = Installed(label="v1", cursor=1, channel_id=CHANNEL)
    installed = [1, *before]
    missing: list[str] = []
    for cursor in needs:
        if any(have >= cursor for have in installed):
            break
        missing.insert(0, f"v{cursor}")
    findings = check_path("x", start, steps)
    assert [one.message for one in findings if one.rule is Rule.REQUIRED_RELEASE] == (
        [
            f"x v{last} can be deployed only after {', '.join(missing)}; on the way there: "
            + ", ".join(f"v{c}" for c in installed)
        ]
        if missing
        else []
    )
