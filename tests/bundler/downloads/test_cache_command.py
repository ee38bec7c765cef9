"""`airgap-bundler cache`: what is there, what may go, and what is not what it should be."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bundler.cli import main
from bundler.downloads import Downloads
from tests.bundler.downloads.support import (
    AT_ONCE,
    CONTENT,
    DIGEST,
    PARTIAL,
    files,
    standing_still,
    wanted,
)
from tests.fakes.faulty import close_after, status
from tests.fakes.web import web
from tests.processes import PATIENCE
from transfer.digest import Digest
from transfer.errors import Unavailable

OTHER = CONTENT[::-1]


class Cache:
    """A cache with a complete file and a part, and the command over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with (
            web(CONTENT) as server,
            web(OTHER, [close_after(100_000), *[status(503)] * 3]) as slow,
            Downloads.connect(folder, retry=AT_ONCE) as downloads,
        ):
            downloads.fetch(wanted(server.url, identity="complete"))
            with pytest.raises(Unavailable):
                downloads.fetch(wanted(slow.url, None, identity="partial"))
        (self.part,) = (folder / "partial").glob("*[0-9a-f]")

    def run(self, *words: str, code: int = 0) -> str:
        """The command's output."""
        arguments = ["cache", *words, "--cache-dir", str(self.folder)]
        ran = CliRunner().invoke(main, arguments)
        assert ran.exit_code == code, ran.output
        return ran.stdout + ran.stderr

    def json(self, *words: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
        """The same of `--output json`."""
        shown = self.run(*words, "--output", "json", code=code)
        return json.JSONDecoder().raw_decode(shown)[0]

    def age(self, path: Path, days: float) -> None:
        """It was last used so many days ago."""
        then = path.stat().st_mtime - days * 86400
        os.utime(path, (then, then))


@pytest.fixture
def kept(cache: Path) -> Cache:
    return Cache(cache)


def names(found: list[dict[str, Any]]) -> list[str]:
    return [str(file["path"]).rpartition("/")[2] for file in found]


def test_show_says_what_is_there(kept: Cache) -> None:
    shown = kept.run("show")
    lines = shown.splitlines()
    assert lines[1].split()[:3] == ["harness.airgap", "300", "kB"]
    assert str(DIGEST) in lines[1]
    assert lines[2].split()[:5] == ["harness.airgap", "100", "kB", "300", "kB"]
    assert lines[2].endswith("not whole yet")
    assert lines[3] == f"{kept.folder}: 2 files, 400 kB"
    complete, part = kept.json("show")["files"]
    assert (complete["complete"], complete["digest"]) == (True, str(DIGEST))
    assert (part["complete"], part["size"], part["total"]) == (False, 100_000, len(CONTENT))
    assert not complete["inUse"]


def test_name_from_a_journal_forges_no_line(kept: Cache) -> None:
    journal = kept.part.with_name(f"{kept.part.name}.journal")
    text = journal.read_text().replace("harness.airgap", "x\\n\\u001b[31mforged")
    journal.write_text(text)
    assert r"x\n\x1b[31mforged  " in kept.run("show")


def test_empty_cache(cache: Path) -> None:
    ran = CliRunner().invoke(main, ["cache", "show", "--cache-dir", str(cache)])
    assert ran.stdout == f"{cache}: 0 files, 0 B\n"
    assert not cache.exists()


def test_default_cache_is_that_of_builds(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(kept.folder.parent))
    kept.folder.rename(kept.folder.parent / "harness-airgap")
    assert "2 files" in CliRunner().invoke(main, ["cache", "show"]).stdout


@pytest.mark.parametrize(
    "words", [[], ["--older-than", "30d", "--all"], ["--older-than", "soon"], ["--older-than", "3"]]
)
def test_prune_wants_to_know_what(kept: Cache, words: list[str]) -> None:
    kept.run("prune", *words, code=2)
    assert len(kept.json("show")["files"]) == 2


@pytest.mark.parametrize(
    ("words", "days", "left"),
    [
        (["--all"], 0, []),
        (["--partial"], 0, ["complete"]),
        (["--partial", "--all"], 0, ["complete"]),
        (["--older-than", "30d"], 31, ["part"]),
        (["--older-than", "30d"], 29, ["complete", "part"]),
        (["--older-than", "30d", "--partial"], 31, ["complete", "part"]),
    ],
)
def test_prune_removes_what_is_chosen(
    kept: Cache, words: list[str], days: int, left: list[str]
) -> None:
    complete = kept.folder / "sha256" / DIGEST.encoded
    kept.age(complete, days)
    removed = kept.json("prune", *words)["removed"]
    assert len(removed) == 2 - len(left)
    expected = {"complete": DIGEST.encoded, "part": kept.part.name}
    assert names(kept.json("show")["files"]) == [expected[name] for name in left]
    journals = [name for name in files(kept.folder) if "journal" in name]
    assert len(journals) == ("part" in left)
    assert len(list((kept.folder / "remembered").iterdir())) == ("complete" in left)


def test_using_a_file_makes_it_young(kept: Cache) -> None:
    kept.age(kept.folder / "sha256" / DIGEST.encoded, 31)
    with Downloads.connect(kept.folder) as downloads:
        assert downloads.present(wanted("http://127.0.0.1/"))
    assert kept.json("prune", "--older-than", "30d")["removed"] == []


def test_file_that_a_build_uses_stays(kept: Cache) -> None:
    with Downloads.connect(kept.folder) as downloads:
        assert downloads.present(wanted("http://127.0.0.1/"))
        assert "now" in kept.run("show")
        shown = kept.run("prune", "--all")
        assert "in use, and left: harness.airgap" in shown
        assert names(kept.json("show")["files"]) == [DIGEST.encoded]
    assert names(kept.json("prune", "--all")["removed"]) == [DIGEST.encoded]


def test_part_that_is_being_written_stays(cache: Path) -> None:
    found = []
    with (
        standing_still(100_000) as still,
        web(CONTENT, [still]) as server,
        Downloads.connect(cache, retry=AT_ONCE) as downloads,
    ):
        fetching = threading.Thread(
            target=lambda: found.append(downloads.fetch(wanted(server.url)))
        )
        fetching.start()
        assert still.reached.wait(PATIENCE)
        words = ["cache", "prune", "--all", "--cache-dir", str(cache)]
        assert CliRunner().invoke(main, words).exit_code == 0
        assert PARTIAL in files(cache)
        still.go_on.set()
        fetching.join()
    assert found[0].path.read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_leftovers_of_killed_processes_go(kept: Cache) -> None:
    stray = kept.folder / "partial" / f"{'0' * 64}.journal.x8s7d6"
    stray.write_bytes(b"")
    kept.run("prune", "--older-than", "1d")
    assert not stray.exists()
    assert kept.part.exists()


def test_verify_reads_every_byte(kept: Cache) -> None:
    assert "1 file, 300 kB, all as they should be" in kept.run("verify")


def test_damaged_file_is_named_and_removed(kept: Cache) -> None:
    damaged = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    (kept.folder / "sha256" / DIGEST.encoded).write_bytes(damaged)
    shown = kept.run("verify", code=4)
    assert "1 of 1 file damaged" in shown
    assert f"harness.airgap: expected {DIGEST}, found {Digest.of(damaged)}; removed" in shown
    assert names(kept.json("show")["files"]) == [kept.part.name]
    assert kept.json("verify")["files"] == []
