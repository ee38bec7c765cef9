"""What every test may ask for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests import tools

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, max_examples=300, print_blob=True)
settings.load_profile("ci" if os.environ.get("AIRGAP_REQUIRE_REAL") == "1" else "default")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and what they start with
# them: the tests of an interruption would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def need() -> Callable[[str], Path]:
    """`need("skopeo")`: the program's path, or the end of this test; see `tests.tools`."""
    return tools.need
