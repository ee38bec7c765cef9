"""The pages on images: their specs are locked, their locks and errors are what comes out."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from bundler.cli import main
from tests.bundler.images.scene import AMD, ARM, S390, hold, multiple, single
from tests.engines import FakeEngine, Saved, fake_engine
from tests.fakes.faulty import FOREVER, status
from tests.fakes.registry import FakeRegistry

PAGES = Path(__file__).parents[3] / "docs/sources"
SOCKET = "unix:///run/podman/podman.sock"
ALL = {platform: single(platform) for platform in (AMD, ARM, S390)}
DELEGATE, UPGRADER, PLUGIN = (
    multiple({**ALL, AMD: single(AMD, name)}) for name in ("delegate", "upgrader", "plugin")
)


@dataclass(slots=True)
class Scene:
    """A page's spec, with fakes in place of the registries and the engine that it names."""

    page: str
    folder: Path
    hub: FakeRegistry
    other: FakeRegistry
    engine: FakeEngine
    command: str = "lock"
    environ: dict[str, str | None] = field(default_factory=dict)
    spec: dict[str, Any] = field(init=False)
    real: dict[str, str] = field(init=False)
    """What the page has for each fake."""

    def __post_init__(self) -> None:
        """Everything is as the page says."""
        (written,) = blocks(self.page, "yaml")
        self.spec = yaml.safe_load(written)
        self.real = {
            self.hub.host: "docker.io",
            self.other.host: "registry.example.com",
            self.engine.address: SOCKET,
        }
        hold(self.hub, "harness/delegate", DELEGATE, "24.02.82302")
        hold(self.hub, "harness/upgrader", UPGRADER, "1.2.0")
        hold(self.other, "team/plugin", PLUGIN, "v7")
        for name in ("localhost/team/agent:v1", f"{self.hub.host}/team/worker:v3"):
            self.engine.hold(name, Saved.of(name))
        names = ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "REGISTRY_AUTH_FILE")
        self.environ |= dict.fromkeys(names, str(self.folder / "nowhere"))
        self.environ |= {
            "DOCKER_CONFIG": str(self.folder),
            "DOCKER_HOST": self.engine.address,
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; its exit code and what it said, as if everything were real."""
        text = json.dumps(self.spec)
        for fake, real in self.real.items():
            text = text.replace(real, fake)
        path = self.folder / "spec.yaml"
        path.write_text(text)
        options = ["--plain-http", self.hub.host, "--plain-http", self.other.host]
        if command == "build":
            options += ["-o", str(self.folder / "bundle")]
        ran = CliRunner().invoke(main, [command, str(path), *options], env=self.environ)
        return ran.exit_code, self.really(ran.stderr)

    def really(self, text: str) -> str:
        """The text with the names of what is real."""
        for fake, real in self.real.items():
            text = text.replace(fake, real)
        return text

    def locked(self) -> list[dict[str, Any]]:
        """The sources in the lock."""
        text = self.really((self.folder / "spec.lock.json").read_text())
        found: list[dict[str, Any]] = json.loads(text)["sources"]
        return found


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a language on a page."""
    text = (PAGES / f"{page}.md").read_text()
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [str(block) for block in found]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Callable[[str], Scene]]:
    with ExitStack() as stack:
        hub, other = (stack.enter_context(FakeRegistry()) for _ in range(2))
        engine = stack.enter_context(fake_engine())
        yield lambda page: Scene(page, tmp_path, hub, other, engine)


def other_platforms(scene: Scene) -> None:
    tree = multiple({ARM: ALL[ARM], S390: ALL[S390]})
    hold(scene.hub, "harness/upgrader", tree, "1.2.0")


def unknown_helper(scene: Scene) -> None:
    scene.other.fail("GET", "", FOREVER, status(401, {"WWW-Authenticate": "Basic"}))
    config = {"credHelpers": {scene.other.host: "vault"}}
    (scene.folder / "config.json").write_text(json.dumps(config))


def by_digest(scene: Scene) -> None:
    name = f"docker.io/harness/delegate@{DELEGATE.root.digest}"
    scene.spec["images"][0] = {"image": name, "platforms": [AMD]}


def locked_and_deleted(scene: Scene) -> None:
    assert scene.run("lock")[0] == 0
    scene.other.manifests.clear()
    hold(scene.other, "team/plugin", multiple({**ALL, AMD: single(AMD, "new")}), "v7")
    scene.command = "build"


def without_engine(scene: Scene) -> None:
    if any(map(os.path.exists, ("/var/run/docker.sock", "/run/podman/podman.sock"))):
        pytest.skip("this machine has an engine, and it would be found")
    scene.environ |= {"DOCKER_HOST": None, "XDG_RUNTIME_DIR": "/run/user/1000"}


def stopped_engine(scene: Scene) -> None:
    del scene.real[scene.engine.address]
    scene.real[f"unix://{scene.folder}/stopped.sock"] = SOCKET


def moving(scene: Scene) -> None:
    name = "localhost/team/agent:v1"
    first, images = scene.engine.images[name], scene.engine.images
    scene.engine.hold(name, Saved.of("newer"))
    answers = [first, images[name]]

    class Moving(dict[str, dict[str, Any]]):
        def __getitem__(self, asked: str) -> dict[str, Any]:
            return answers.pop(0) if asked == name else super().__getitem__(asked)

    scene.engine.images = Moving(images)


def locked_and_pruned(scene: Scene) -> None:
    assert scene.run("lock")[0] == 0
    scene.engine.images.clear()
    scene.environ["XDG_CACHE_HOME"] = str(scene.folder / "another")
    scene.command = "build"


SPOILT: dict[str, list[Callable[[Scene], object]]] = {
    "images": [
        lambda scene: scene.hub.tags.pop(("harness/delegate", "24.02.82302")),
        other_platforms,
        lambda scene: setattr(scene.other, "authorization", "Basic another"),
        unknown_helper,
        by_digest,
        locked_and_deleted,
    ],
    "engine": [
        without_engine,
        stopped_engine,
        lambda scene: scene.engine.images.pop("localhost/team/agent:v1"),
        moving,
        locked_and_pruned,
    ],
}
"""What goes wrong for each line of output on a page, in its order."""


def is_like(shown: str, found: str) -> bool:
    """Whether a line is what a page shows; … stands for anything."""
    return re.fullmatch(re.escape(shown).replace("…", ".+"), found) is not None


@pytest.mark.parametrize("page", SPOILT)
def test_a_page_shows_what_the_lock_says(scene: Callable[[str], Scene], page: str) -> None:
    found = scene(page)
    code, said = found.run("lock")
    assert code == 0, said
    entries = {entry["entry"]: entry for entry in found.locked()}
    (block,) = blocks(page, "json")
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
    scene: Callable[[str], Scene], page: str, number: int
) -> None:
    shown = [line for block in blocks(page, "text") for line in block.splitlines()]
    assert len(shown) == len(SPOILT[page])
    found = scene(page)
    SPOILT[page][number](found)
    code, said = found.run(found.command)
    assert code not in (0, 1)
    lines = [line.removeprefix("error: ").removeprefix("  - ") for line in said.splitlines()]
    assert any(is_like(shown[number], line) for line in lines), said


@pytest.mark.parametrize("page", SPOILT)
def test_the_commands_on_a_page_can_be_typed(page: str) -> None:
    shown = re.findall(r"airgap-bundler ([^`\n]+)", (PAGES / f"{page}.md").read_text())
    assert shown
    for line in shown:
        name, *words = shlex.split(line)
        command = main.get_command(click.Context(main), name)
        assert command
        command.make_context(name, words)
