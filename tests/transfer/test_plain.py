"""Text from outside: what may stand in a line of ours, and what becomes of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.plain import escape, is_plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("79915", "79915"),
        ("Größe 日本 🚀", "Größe 日本 🚀"),
        ("a\u00a0b", "a\u00a0b"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\x9b2Jb\x7f", r"a\x9b2Jb\x7f"),
        ("a\rb\u2028c", r"a\rb\u2028c"),
        ("a\u202eb\u200b", r"a\u202eb\u200b"),
        ("a\ud800b", r"a\ud800b"),
    ],
)
def test_what_is_not_seen_is_spelled_out(text: str, shown: str) -> None:
    assert escape(text) == shown
    assert is_plain(text) is (text == shown)


@pytest.mark.parametrize("text", ["a\nb", "a\tb"])
def test_breaks_and_tabs_may_be_shown_but_are_no_part_of_a_name(text: str) -> None:
    assert escape(text) == text
    assert not is_plain(text)


@given(st.text(st.characters()))
def test_whatever_comes_can_be_written_and_does_no_harm(text: str) -> None:
    shown = escape(text)
    shown.encode()
    assert is_plain(shown.replace("\n", "").replace("\t", ""))
    assert escape(shown) == shown
