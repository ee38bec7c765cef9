"""One operation at a time at a site: a second one does not even look at what the first changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.operation.journalfile import hold_journal
from tests.mirror.kots_site import KotsSite
from tests.mirror.operations_daily import RENEWED, staged
from tests.mirror.stops import NOW
from tests.mirror.supply import Ran, mirror

CALLS = {
    "install": ("install", "--connected"),
    "upgrade": ("upgrade", "--connected"),
    "upgrade from a source": ("upgrade", "nothing.airgap"),
    "down": ("down",),
    "up": ("up", "--pods", "deployment/ui=1"),
    "deploy": ("deploy", "--app", "harness"),
    "remove-ingress-patch": ("remove-ingress-patch", "--app", "harness"),
    "licence upload": ("licence", "upload", "renewed.yaml", "--app", "harness"),
}


def call(site: KotsSite, *words: str) -> Ran:
    given = [str(site.etc / word) if word == "renewed.yaml" else word for word in words]
    (site.etc / "renewed.yaml").write_text(RENEWED)
    file = site.etc / "site.yaml"
    return mirror(*given, "--site", file, env={**site.environment, "HOME": str(site.etc)})


@pytest.mark.parametrize("name", CALLS)
def test_whoever_comes_second_asks_nothing(name: str, tmp_path: Path) -> None:
    site = staged(tmp_path / "site")
    journal = site.etc / "site.journal.jsonl"
    with hold_journal(journal, "airgap-mirror upgrade of ops on jump1", lambda: NOW):
        before = journal.read_bytes()
        done = call(site, *CALLS[name])
        assert done.code == 8, done.err
        assert "another run is under way: airgap-mirror upgrade of ops on jump1" in done.err
        assert site.cluster.calls() == []
        assert journal.read_bytes() == before
