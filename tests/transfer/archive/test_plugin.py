"""The version of a kubectl-kots, found without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.sample_archives import pack, write_plugin
from transfer.archive import plugin
from transfer.archive.plugin import plugin_version
from transfer.errors import NotFound

FLAG = b"-X github.com/replicatedhq/kots/pkg/buildversion.version="


@pytest.mark.parametrize("version", ["1.131.4", "1.132.0-beta.1", "1.0.0+build"])
def test_the_version_is_the_one_that_go_keeps(tmp_path: Path, version: str) -> None:
    assert plugin_version(write_plugin(tmp_path / "kots.tar.gz", version)) == version


@pytest.mark.parametrize(
    "content",
    [
        pack({"kots": b"\x7fELF" + bytes(1000)}),
        pack({"README": FLAG + b"1.2.3 "}),
        pack({"kots": FLAG + b"alpha "}),
        pack({"kots": b""}),
        pack({}),
        b"the plugin",
        pack({"kots": bytes(5000) + FLAG + b"1.2.3 "})[:60],
        b"",
    ],
)
def test_a_file_that_says_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kots.tar.gz"
    path.write_bytes(content)
    assert plugin_version(path) is None


@pytest.mark.parametrize("before", [0, 30, 150_000])
def test_it_is_found_wherever_it_is(
    tmp_path: Path, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "_BLOCK", 20)
    path = tmp_path / "kots.tar.gz"
    path.write_bytes(pack({"bin/kots": bytes(before) + FLAG + b"v1.2.3 -X" + bytes(9)}))
    assert plugin_version(path) == "1.2.3"


def test_a_program_without_end_is_not_read_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "MAX_PROGRAM", 1 << 20)
    path = tmp_path / "kots.tar.gz"
    path.write_bytes(pack({"kots": bytes(2 << 20) + FLAG + b"1.2.3 "}))
    assert plugin_version(path) is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        plugin_version(tmp_path / "kots.tar.gz")
