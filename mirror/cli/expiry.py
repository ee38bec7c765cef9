"""Licences that end soon, told by commands that depend on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from mirror.site import Application
from mirror.site.file import load_licences
from mirror.upkeep.licences import licence_warnings
from transfer.errors import TransferError


def warn_of_licences(applications: Iterable[Application], say: Callable[[str], None]) -> None:
    """Say which licences of some applications have ended, or will within 30 days.

    What cannot be read says nothing: whoever needs the file fails with it.
    """
    now = datetime.now(UTC)
    for application in applications:
        try:
            licences = load_licences([application])
        except TransferError:
            continue
        for warning in licence_warnings([application], licences, now):
            say(f"warning: {warning}")
