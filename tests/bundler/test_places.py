"""Where locks and bundles are written: looked at beforehand, and told the same way each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundler.commands import ONE_APPLICATION, Workplace
from tests.disks import make_read_only, small_disk
from tests.fakes.web import web


@pytest.mark.parametrize("command", ["lock", "build", "update"])
@pytest.mark.real
def test_lock_that_cannot_be_written_costs_no_download(
    workplace: Workplace, tmp_path: Path, command: str
) -> None:
    with web(b"a file") as server, small_disk(tmp_path / "disk", "1m") as disk:
        spec = disk / "harness.yaml"
        spec.write_text(workplace.spec(f"files: [{{name: a, url: {server.url}}}]\n").read_text())
        cache = ("--cache-dir", workplace.folder / "cache")
        if command == "update":
            assert workplace.run("lock", spec, *cache).code == 0
            server.requests.clear()
        make_read_only(disk)
        more = {"lock": (), "build": ("-o", workplace.bundle), "update": ("--update", "files[0]")}
        ran = workplace.run(command.replace("update", "lock"), spec, *more[command], *cache)
        assert ran.code == 9
        assert f"lock {disk / 'harness.lock.json'}: Read-only file system" in ran.err
        assert server.requests == []


def test_folder_where_the_lock_is_to_be(workplace: Workplace) -> None:
    with web(b"a file") as server:
        spec = workplace.spec(f"files: [{{name: a, url: {server.url}}}]\n")
        workplace.lock.mkdir()
        ran = workplace.run("lock", spec)
        assert ran.code == 9
        assert "Is a directory" in ran.err
        assert server.requests == []


def test_bundle_has_one_path_however_it_is_named(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace.folder)
    arguments = ("build", workplace.spec(ONE_APPLICATION), "-o", "bundle", "--output", "json")
    paths = [workplace.run(*arguments).json()["path"] for _ in range(2)]
    assert paths == [str(workplace.bundle)] * 2
