"""The pages on sources: their specs are locked, their locks and errors are what comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from bundler.cli import main
from scripts.sample_archives import (
    Release,
    write_application,
    write_console,
    write_module,
    write_plugin,
)
from tests.fakes.faulty import status
from tests.fakes.vendor import Vendor, sha256

PAGES = Path(__file__).parents[3] / "docs/sources"
SIZE = 50_000
STORED = "https://downloads.example.com"
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
MANIFEST = "smp-bundle-manifest-Y-UFocCmSP-0.41.2.yaml"


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a language on a page."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [str(block) for block in found]


@dataclass(slots=True)
class Scene:
    """A page's spec in a folder, with the vendor's servers in place of the real ones."""

    page: str
    folder: Path
    vendor: Vendor
    spec: dict[str, Any] = field(init=False)
    environ: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Everything is as the page says."""
        text = (PAGES / f"{self.page}.md").read_text()
        (written,) = blocks(text, "yaml")
        self.spec = yaml.safe_load(written)
        self.environ = {**self.vendor.portal.environment, "XDG_CACHE_HOME": str(self.folder)}

    def lock(self) -> tuple[int, str]:
        """Run the command; its exit code and what it said, as if the servers were the real ones."""
        storage, github = self.vendor.storage, self.vendor.github
        for entry in (*self.spec.get("files", ()), *self._archives()):
            if "url" in entry:
                path = entry["url"].partition("?")[0].removeprefix(STORED)
                entry["url"] = storage.sign(path)
        if "kots" in self.spec:
            self.spec["kots"]["releases"] = github.repository
        self.spec["portal"] = {**self.spec.get("portal", {}), "api": self.vendor.portal.api}
        path = self.folder / "spec.yaml"
        path.write_text(json.dumps(self.spec))
        environ = {"HARNESS_LICENSE_ID": None, "HARNESS_PORTAL_PASSWORD": None, **self.environ}
        ran = CliRunner().invoke(main, ["lock", str(path)], env=environ)
        return ran.exit_code, self.really(ran.stderr)

    def locked(self) -> list[dict[str, Any]]:
        """The sources in the lock."""
        text = self.really((self.folder / "spec.lock.json").read_text())
        found: list[dict[str, Any]] = json.loads(text)["sources"]
        return found

    def really(self, text: str) -> str:
        """The text with the names of the real servers."""
        vendor = self.vendor
        for found, real in (
            (f" ({vendor.github.host})", ""),
            (f"http://{vendor.github.host}", "https://api.github.com"),
            (f"http://{vendor.storage.host}", STORED),
            (vendor.portal.host, "api.replicated.com"),
            (f"{self.folder}/", ""),
        ):
            text = text.replace(found, real)
        return text

    def _archives(self) -> Iterator[dict[str, Any]]:
        for application in self.spec.get("applications", ()):
            yield from (release["archive"] for release in application["releases"])


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives as the pages name them."""
    folder = tmp_path_factory.mktemp("archives")
    write_console(folder / "kotsadm.tar.gz", size=SIZE)
    write_plugin(folder / "kots_linux_amd64.tar.gz")
    write_plugin(folder / "kots_darwin_all.tar.gz")
    write_application(folder / "79915.airgap", size=SIZE)
    write_application(folder / "79400.airgap", size=SIZE, release=Release("79400", 398))
    write_module(folder / "module.tgz", size=SIZE)
    return folder


@pytest.fixture
def scene(tmp_path: Path, vendor: Vendor, archives: Path) -> Callable[[str], Scene]:
    """The vendor has what the pages name."""
    vendor.github.release("v1.131.3", {})
    files = ("kotsadm.tar.gz", "kots_linux_amd64.tar.gz", "kots_darwin_all.tar.gz")
    vendor.github.release("v1.131.4", {name: archives / name for name in files})
    vendor.portal.release(377, "78000", b"not asked for")
    vendor.portal.release(398, "79400", archives / "79400.airgap")["required"] = True
    vendor.portal.release(412, "79915", archives / "79915.airgap")
    vendor.storage.put("/airgap/harness-79915.airgap", archives / "79915.airgap")
    vendor.storage.put("/tools/values-guide.pdf", b"%PDF")
    modules = dict.fromkeys(("platform", "ci", "ci/plugins"), archives / "module.tgz")
    (tmp_path / MANIFEST).write_text(vendor.manifest(modules))
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads/harness-79915.airgap").symlink_to(archives / "79915.airgap")
    (tmp_path / "configvalues.yaml").write_text("a: b\n")
    return lambda page: Scene(page=page, folder=tmp_path, vendor=vendor)


Spoil = Callable[[Scene], object]


def limited(scene: Scene) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2000000000"}
    scene.vendor.github.fail("GET", "/tags/", 1, status(403, headers))


def expired(scene: Scene) -> None:
    path = scene.folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "expires_at_epoch_seconds": 1}))


def unlisted(scene: Scene) -> None:
    path = scene.folder / MANIFEST
    told = json.loads(path.read_text())
    del told["modules"]["ci"]
    path.write_text(json.dumps(told))


def without_addresses(scene: Scene) -> None:
    path = scene.folder / MANIFEST
    path.write_text(path.read_text().replace("downloadUrl", "nothing"))


def answer(code: int, **headers: str) -> Spoil:
    """Let the storage answer something else for everything."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda scene: scene.vendor.storage.fail("GET", "", 99, status(code, given))


SPOILT: dict[str, list[Spoil]] = {
    "kots-releases": [
        lambda scene: scene.spec["kots"].update(version="v1.131.40"),
        lambda scene: scene.spec["kots"].update(minio=False),
        lambda scene: scene.vendor.github.asset("v1.131.4", "kots_linux_amd64.tar.gz").update(
            digest=f"sha256:{'0' * 64}"
        ),
        limited,
    ],
    "portal": [
        lambda scene: setattr(scene.vendor.portal, "password", "another"),
        lambda scene: scene.environ.pop("HARNESS_PORTAL_PASSWORD"),
        lambda scene: scene.vendor.portal.releases.pop(0),
        lambda scene: scene.vendor.portal.release(420, "79915", b"another"),
        lambda scene: scene.vendor.portal.releases[0].update(build_status="building"),
        lambda scene: scene.vendor.portal.releases[0].update(checksum="0" * 64),
    ],
    "url": [answer(403), answer(200, Content_Type="text/html"), answer(404)],
    "files": [lambda scene: (scene.folder / "downloads/harness-79915.airgap").unlink()],
    "modules": [
        expired,
        lambda scene: scene.vendor.storage.expire(),
        unlisted,
        without_addresses,
    ],
}
"""What goes wrong for each line of output on a page, in its order."""


def prepared(scene: Callable[[str], Scene], page: str, archives: Path) -> Scene:
    """The scene of a page; its digest of zeros is that of the archive."""
    found = scene(page)
    for application in found.spec.get("applications", ()):
        for release in application["releases"]:
            if "sha256" in release["archive"]:
                release["archive"]["sha256"] = sha256(archives / "79915.airgap")
    return found


def quoted(page: str) -> list[str]:
    """Every line of output on a page."""
    return [line for block in blocks(text_of(page), "text") for line in block.splitlines()]


def text_of(page: str) -> str:
    return (PAGES / f"{page}.md").read_text()


def is_like(shown: str, found: str) -> bool:
    """Whether a line is what a page shows; a time stands for any, and … for anything."""
    pattern = re.escape(_TIME.sub("…", shown)).replace("…", ".+")
    return re.fullmatch(pattern, found) is not None


@pytest.mark.parametrize("page", SPOILT)
def test_a_page_shows_what_the_lock_says(
    scene: Callable[[str], Scene], archives: Path, page: str
) -> None:
    found = prepared(scene, page, archives)
    code, said = found.lock()
    assert code == 0, said
    entries = {entry["entry"]: entry for entry in found.locked()}
    (block,) = blocks(text_of(page), "json")
    for shown in json.loads(block):
        entry = entries[shown["entry"]]
        assert shown.keys() == entry.keys()
        assert is_like(shown["digest"], entry["digest"])
        assert (shown["source"], shown["evidence"]) == (entry["source"], entry["evidence"])
        notes = zip(shown.get("notes", ()), entry.get("notes", ()), strict=True)
        assert all(is_like(*both) for both in notes)


@pytest.mark.parametrize(
    ("page", "number"), [(p, i) for p in SPOILT for i in range(len(SPOILT[p]))]
)
def test_a_page_shows_what_an_error_says(
    scene: Callable[[str], Scene], archives: Path, page: str, number: int
) -> None:
    shown = quoted(page)
    assert len(shown) == len(SPOILT[page])
    found = prepared(scene, page, archives)
    SPOILT[page][number](found)
    code, said = found.lock()
    assert code not in (0, 1)
    lines = [line.removeprefix("error: ").removeprefix("  - ") for line in said.splitlines()]
    assert any(is_like(shown[number], line) for line in lines), said
