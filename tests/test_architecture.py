"""The layer rule, read from the import statements of every module.

Imports point to the same layer or a lower one and never in a circle, also those under
`TYPE_CHECKING`; layers 0 to 3 decide and do no I/O; each foreign library is used in one place.
Every rule is a function from modules to faults, and is shown to bite on a made-up source.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGES = ("transfer", "bundler", "mirror")

LAYERS = {
    "transfer.errors": 0,
    "transfer.digest": 0,
    "transfer.reference": 1,
    "transfer.descriptor": 1,
    "transfer.text": 0,
    "transfer.plain": 0,
    "transfer.fields": 1,
    "transfer.yamlfile": 1,
    "transfer.contents": 2,
    "transfer.lock": 2,
    "transfer.receipt": 2,
    "transfer.medium": 1,
    "transfer.store": 2,
    "transfer.habits": 2,
    "transfer.delivery": 2,
    "transfer.progress": 2,
    "transfer.naming": 3,
    "transfer.relocate": 3,
    "transfer.graph": 3,
    "transfer.outlet": 3,
    "transfer.loadtar": 3,
    "transfer.run": 3,
    "transfer.order": 3,
    "transfer.pace": 3,
    "transfer.sending": 3,
    "transfer.copy": 3,
    "transfer.kots": 3,
    "transfer.schema": 3,
    "bundler.spec": 3,
    "bundler.schema": 3,
    "bundler.init": 3,
    "mirror.command": 3,
    "mirror.offer": 3,
    "mirror.kots": 3,
    "mirror.site.file": 4,
    "mirror.site": 3,
    "mirror.secret": 3,
    "mirror.duration": 3,
    "mirror.config.carried": 5,
    "mirror.config": 3,
    "mirror.holdings": 3,
    "mirror.rewriting": 3,
    "mirror.rewriteplan": 3,
    "mirror.kube": 3,
    "mirror.requirements": 3,
    "mirror.downtime": 3,
    "mirror.spelling": 3,
    "mirror.upkeep.logs": 3,
    "mirror.upkeep.confidential": 4,
    "mirror.upkeep": 5,
    "mirror.preflight.gather": 5,
    "mirror.preflight.case": 5,
    "mirror.preflight.inquiry": 5,
    "mirror.preflight.ways": 5,
    "mirror.preflight.registry": 5,
    "mirror.preflight": 3,
    "mirror.operation.model": 3,
    "mirror.operation.reading": 3,
    "mirror.operation.readingwords": 3,
    "mirror.operation.wanted": 3,
    "mirror.operation.writing": 3,
    "mirror.operation.writingwords": 3,
    "mirror.operation.naming": 3,
    "mirror.operation.words": 3,
    "mirror.operation.show": 3,
    "mirror.operation.journal": 3,
    "mirror.operation.listitem": 3,
    "transfer.disk": 4,
    "transfer.layout": 4,
    "transfer.archive": 4,
    "transfer.bundle": 4,
    "transfer.http": 4,
    "transfer.registry": 4,
    "transfer.engine": 4,
    "bundler.sources": 4,
    "bundler.downloads": 4,
    "bundler.images": 4,
    "bundler.toolkit.markers": 3,
    "bundler.toolkit.requirements": 3,
    "bundler.toolkit.target": 3,
    "bundler.toolkit": 4,
    "mirror.workers": 3,
    "mirror.credentials": 4,
    "mirror.receipts": 4,
    "mirror.process": 4,
    "mirror.serve": 4,
    "transfer.sources": 5,
    "transfer.verify": 5,
    "bundler.check": 5,
    "bundler.resolve": 5,
    "bundler.room": 5,
    "bundler.build": 5,
    "mirror.target": 5,
    "mirror.plan": 5,
    "mirror.outlet": 5,
    "mirror.push": 5,
    "mirror.audit": 5,
    "mirror.load": 5,
    "mirror.probe": 5,
    "mirror.operation": 5,
    "mirror.deploy": 5,
    "transfer.report": 6,
    "transfer.interrupt": 4,
    "transfer.console": 6,
    "bundler.cli": 6,
    "mirror.cli": 6,
}
"""The layer of each module, or of a package and everything in it."""

LAST_PURE_LAYER = 3
IMPURE = {"os", "pathlib", "shutil", "socket", "subprocess", "tempfile", "time"}
PURE_PARTS = {"pathlib.PurePath", "pathlib.PurePosixPath"}

HTTP = ("transfer.http", "transfer.registry")
SCREEN = ("bundler.cli", "mirror.cli", "transfer.console")
ARCHIVES = ("transfer.archive", "transfer.loadtar", "bundler.cli", "mirror.cli")
PLACES = {
    "requests": HTTP,
    "urllib3": HTTP,
    "oras": ("transfer.registry",),
    "docker": ("transfer.engine",),
    "subprocess": ("mirror.process", "bundler.toolkit.pip", "transfer.registry.helpers"),
    "click": SCREEN,
    "tqdm": SCREEN,
    "tarfile": ARCHIVES,
    "zlib_ng": ARCHIVES,
}
"""The only modules, or packages with everything in them, that may use a library."""


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: its dotted name and what it holds."""

    name: str
    tree: ast.Module
    is_package: bool = False

    def imports(self) -> Iterator[str]:
        """Every name imported, absolute and in full: `from a.b import c` gives `a.b.c`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parents = self.name.split(".")
        kept = len(parents) - node.level + self.is_package
        return ".".join([*parents[:kept], *([node.module] if node.module else [])])


Modules = Mapping[str, Module]


def load(root: Path) -> dict[str, Module]:
    """The modules of the three packages, as far as they are there."""
    modules = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            modules[name] = Module(name, ast.parse(path.read_bytes(), str(path)), is_package)
    return modules


def within(name: str, places: tuple[str, ...]) -> bool:
    """Whether `name` is one of `places` or lies below one."""
    return any(name == place or name.startswith(place + ".") for place in places)


def layer_of(name: str) -> int | None:
    """The layer that the table gives to a module, None when it gives none."""
    if name in PACKAGES:
        return 0
    if name.rpartition(".")[2] == "__main__":
        return 6
    return next((layer for place, layer in LAYERS.items() if within(name, (place,))), None)


def own_imports(module: Module, modules: Modules) -> Iterator[str]:
    """The modules of ours that `module` imports, without the names taken from them."""
    for name in module.imports():
        if within(name, PACKAGES):
            target = name
            while target not in modules and target not in LAYERS and target not in PACKAGES:
                target = target.rpartition(".")[0]
            yield target


def unlisted(modules: Modules) -> Iterator[str]:
    """Every module has a layer."""
    for name in modules:
        if layer_of(name) is None:
            yield f"{name}: add it to LAYERS in tests/test_architecture.py, at the layer it has"


def upward(modules: Modules) -> Iterator[str]:
    """Imports go to the same layer or a lower one."""
    for name, module in modules.items():
        layer = layer_of(name)
        for target in own_imports(module, modules):
            below = layer_of(target)
            if layer is not None and below is not None and below > layer:
                yield f"{name} (layer {layer}) imports {target} (layer {below})"


def across(modules: Modules) -> Iterator[str]:
    """Neither end imports the other, and what they share imports neither."""
    for name, module in modules.items():
        package = name.partition(".")[0]
        for target in own_imports(module, modules):
            if target.partition(".")[0] not in {package, "transfer"}:
                yield f"{name} imports {target}"


def cycles(modules: Modules) -> Iterator[str]:
    """No module imports itself by way of others."""
    graph = {name: set(own_imports(module, modules)) for name, module in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield "imports in a circle: " + " <- ".join(error.args[1])


def misplaced(modules: Modules) -> Iterator[str]:
    """Each foreign library is used in its place; layer 0 uses none."""
    for name, module in modules.items():
        for imported in module.imports():
            library = imported.partition(".")[0]
            if library in PLACES and not within(name, PLACES[library]):
                yield f"{name} imports {library}, which belongs in {', '.join(PLACES[library])}"
            elif layer_of(name) == 0 and library not in sys.stdlib_module_names | set(PACKAGES):
                yield f"{name} imports {library}; layer 0 uses the standard library only"


def impure(modules: Modules) -> Iterator[str]:
    """Layers 0 to 3 decide: no files, no clock, no environment, no network, no programs."""
    for name, module in modules.items():
        layer = layer_of(name)
        if layer is None or layer > LAST_PURE_LAYER:
            continue
        for imported in module.imports():
            if imported.partition(".")[0] in IMPURE and imported not in PURE_PARTS:
                yield f"{name} (layer {layer}) imports {imported}"
        if "open" in called(module, ast.Name):
            yield f"{name} (layer {layer}) opens a file"


def unproven(modules: Modules) -> Iterator[str]:
    """Only `transfer.bundle`, which checks every byte, may say that a bundle is verified."""
    for name, module in modules.items():
        constructed = "VerifiedBundle" in called(module, ast.Name, ast.Attribute)
        if constructed and not within(name, ("transfer.bundle",)):
            yield f"{name} constructs VerifiedBundle"


def called(module: Module, *kinds: type[ast.Name | ast.Attribute]) -> set[str]:
    """The last names of everything called: `f(...)`, and `x.f(...)` where attributes count."""
    functions = [node.func for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return {
        function.id if isinstance(function, ast.Name) else function.attr
        for function in functions
        if isinstance(function, (ast.Name, ast.Attribute)) and isinstance(function, kinds)
    }


Rule = Callable[[Modules], Iterator[str]]
RULES: tuple[Rule, ...] = (unlisted, upward, across, cycles, misplaced, impure, unproven)


def named(rule: object) -> str | None:
    return getattr(rule, "__name__", None)


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_the_code_keeps(rule: Rule) -> None:
    faults = list(rule(load(Path(__file__).parents[1])))
    assert not faults, f"{rule.__doc__}\n" + "\n".join(faults)


BREACHES: list[tuple[Rule, str, str, str]] = [
    (unlisted, "transfer.whim", "", "transfer.whim: add it to LAYERS"),
    (upward, "transfer.digest", "import transfer.copy", "(layer 0) imports transfer.copy (layer"),
    (upward, "transfer.copy", "from transfer import layout", "imports transfer.layout (layer 4)"),
    (upward, "transfer.copy", "from .layout import Layout", "imports transfer.layout (layer 4)"),
    (upward, "mirror.push", "def f(): from mirror.cli import main", "imports mirror.cli (layer 6)"),
    (upward, "transfer", "from transfer.cli import x; from . import lock", "transfer.lock (layer"),
    (upward, "transfer.registry.pool", "import transfer.console", "imports transfer.console"),
    (across, "bundler.build", "from mirror.push import push", "bundler.build imports mirror.push"),
    (across, "mirror.push", "import bundler", "mirror.push imports bundler"),
    (across, "transfer.console", "from mirror import cli", "transfer.console imports mirror.cli"),
    (misplaced, "bundler.build", "import requests", "bundler.build imports requests"),
    (misplaced, "transfer.layout", "from urllib3.util import Retry", "imports urllib3"),
    (misplaced, "transfer.registryish", "import oras.auth", "imports oras"),
    (
        misplaced,
        "bundler.build",
        "import docker",
        "imports docker, which belongs in transfer.engine",
    ),
    (misplaced, "transfer.registry", "import subprocess", "belongs in mirror.process"),
    (misplaced, "mirror.push", "import click", "imports click"),
    (misplaced, "transfer.progress", "from tqdm import tqdm", "imports tqdm"),
    (misplaced, "transfer.layout", "import tarfile", "belongs in transfer.archive"),
    (misplaced, "transfer.layout", "from zlib_ng import zlib_ng", "belongs in transfer.archive"),
    (misplaced, "transfer.errors", "import yaml", "layer 0 uses the standard library only"),
    (impure, "transfer.lock", "import os.path", "(layer 2) imports os.path"),
    (impure, "bundler.spec", "from pathlib import Path", "imports pathlib.Path"),
    (impure, "bundler.spec", "import pathlib", "imports pathlib"),
    (impure, "transfer.copy", "from time import sleep", "imports time.sleep"),
    (impure, "mirror.site", "open('site.yaml')", "mirror.site (layer 3) opens a file"),
    (unproven, "mirror.push", "VerifiedBundle(path)", "mirror.push constructs VerifiedBundle"),
    (unproven, "mirror.push", "bundle.VerifiedBundle(path)", "constructs VerifiedBundle"),
]


@pytest.mark.parametrize(("rule", "name", "source", "fault"), BREACHES)
def test_a_breach_is_found(rule: Rule, name: str, source: str, fault: str) -> None:
    module = Module(name, ast.parse(source), is_package=name in PACKAGES)
    (found,) = rule({name: module})
    assert fault in found


def test_a_circle_is_found_under_type_checking_too() -> None:
    sources = {
        "transfer.lock": "from transfer.receipt import Receipt",
        "transfer.receipt": "if TYPE_CHECKING:\n    from transfer.lock import BundleLock",
    }
    modules = {name: Module(name, ast.parse(source)) for name, source in sources.items()}
    (found,) = cycles(modules)
    assert "transfer.lock" in found
    assert "transfer.receipt" in found


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("bundler.spec", "from pathlib import PurePath, PurePosixPath"),
        ("bundler.spec", "import yaml; from transfer import __version__"),
        ("transfer.registry.pool", "import requests; from transfer.registry import auth"),
        ("bundler.cli.build", "import click; from bundler.build import build"),
        ("mirror.__main__", "from mirror.cli import main"),
        ("transfer.bundle", "VerifiedBundle(path)"),
        ("mirror.push", "def push(bundle: VerifiedBundle): bundle.open('x')"),
    ],
)
def test_what_is_allowed_passes(name: str, source: str) -> None:
    modules = {name: Module(name, ast.parse(source))}
    assert [fault for rule in RULES for fault in rule(modules)] == []
