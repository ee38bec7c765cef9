from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ABSENT = "no-such-program-anywhere"


def test_a_program_that_is_there_is_found(need: Callable[[str], Path]) -> None:
    assert need("sh").name == "sh"


def test_a_missing_program_skips(
    need: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRGAP_REQUIRE_REAL", raising=False)
    with pytest.raises(pytest.skip.Exception, match=ABSENT):
        need(ABSENT)


def test_a_missing_program_fails_where_real_parts_are_required(
    need: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRGAP_REQUIRE_REAL", "1")
    with pytest.raises(pytest.fail.Exception, match=ABSENT):
        need(ABSENT)
