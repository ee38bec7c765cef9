"""Real programs that tests run: where they are, and what happens when they are not there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where nginx and ip live, which is not on every user's PATH."""


def need(tool: str) -> Path:
    """The path of `tool`; without it the test is skipped, or fails when real parts are required.

    `scripts/test` sets AIRGAP_REQUIRE_REAL=1 in CI, so that nothing is skipped there unseen.
    """
    search = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS))
    found = shutil.which(tool, path=search)
    if found:
        return Path(found)
    message = f"{tool} is not installed (scripts/test installs what it can)"
    if os.environ.get("AIRGAP_REQUIRE_REAL") == "1":
        pytest.fail(message)
    pytest.skip(message)
