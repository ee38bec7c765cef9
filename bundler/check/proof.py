"""`check`: everything that a spec names is read and proven, and held against every rule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bundler.check.facts import Gatherer, read_site_files
from bundler.check.judge import judge
from bundler.check.verdict import Verdict, settle
from bundler.resolve import Inputs, resolve
from bundler.spec import BundleSpec
from transfer.contents import Contents
from transfer.lock import BundleLock


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a spec would carry, and what there is against it."""

    contents: Contents
    verdict: Verdict


def check(  # noqa: PLR0913 - each from another place
    spec: BundleSpec,
    folder: Path,
    inputs: Inputs,
    *,
    locked: BundleLock | None,
    allow: Collection[str],
    now: datetime,
) -> Checked:
    """Check what a spec names; nothing is written but downloads into the cache.

    Args:
        spec: What is wanted.
        folder: Where the paths of licences and configuration values start.
        inputs: Where everything is.
        locked: What it must turn out to be; see `resolve`.
        allow: The rules that may be broken.
        now: The time, with its time zone.

    Raises:
        IntegrityError: with everything whose bytes are not what they should be.
        TransferError: with everything that cannot be had or read.
    """
    site = read_site_files(spec, folder)
    gatherer = Gatherer()
    found = resolve(spec, inputs, locked=locked, taker=gatherer)
    findings = judge(spec, found.contents, gatherer.facts(site), now)
    return Checked(contents=found.contents, verdict=settle(findings, allow))
