"""Kubernetes is reached through `kubectl -o json` alone, and by commands of one package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.command import Command
from mirror.preflight.questions import questions
from tests.mirror.golden import CASES
from tests.mirror.operations import OPERATIONS
from tests.mirror.preflight_seen import good_case

PACKAGE = Path(__file__).resolve().parents[2] / "mirror"
HOME = PACKAGE / "kube"
PROGRAMS = ("kubectl", "oc")
READING = ("get", "version", "auth", "api-resources", "describe", "top", "explain")
OTHERWISE = {
    "kubectl auth can-i": "knows no JSON",
    "kubectl get pods --all-namespaces": "environments of pods may hold passwords, and be long",
    "kubectl get deployments,statefulsets --selector": "the same: this goes to a file",
}
"""Questions that are not answered in JSON, and why."""


def composed(source: str) -> Iterator[str]:
    """Where a command of these programs is put together; `kubectl kots` is the plugin's."""
    tree = ast.parse(source)
    others = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg != "argv"
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Tuple | ast.List) or not node.elts or id(node) in others:
            continue
        words = [str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.elts]
        if words[0] in PROGRAMS and words[1:2] not in (["kots"], []):
            yield f"line {node.lineno}: {words[0]} {words[1]}"


def commands() -> Iterator[Command]:
    """Everything that plans of operations run, and preflight."""
    for operation in OPERATIONS.values():
        yield from operation.shown().commands()
    for question in questions(good_case()):
        yield from question.commands


def test_no_command_is_composed_outside_its_package() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if HOME not in path.parents]
    found = {str(path): list(composed(path.read_text(encoding="utf-8"))) for path in files}
    assert len(files) > len(CASES)
    assert not {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('("kubectl", "get", *names)', ["line 1: kubectl get"]),
        ('x = ["oc", word]', ["line 1: oc …"]),
        ('("kubectl", *words)', ["line 1: kubectl …"]),
        ('("kubectl", "kots", "get")', []),
        ('("kubectl",)', []),
        ('f(argv=("kubectl", "get"), checks=("kubectl", "cluster"))', ["line 1: kubectl get"]),
    ],
)
def test_what_is_composed_elsewhere_is_found(source: str, found: list[str]) -> None:
    assert list(composed(source)) == found


def test_every_question_asks_for_json_or_is_known_not_to() -> None:
    asked = {
        " ".join(one.argv)
        for one in commands()
        if one.argv[0] == "kubectl" and one.argv[1] in READING
    }
    assert len(asked) > len(OTHERWISE)
    others = {one for one in asked if "--output=json" not in one and "--raw=" not in one}
    unknown = {one for one in others if not one.startswith(tuple(OTHERWISE))}
    assert not unknown
    assert {key for key in OTHERWISE if any(one.startswith(key) for one in others)} == {*OTHERWISE}


def test_every_question_has_a_limit() -> None:
    asked = [one.argv for one in commands() if one.argv[0] == "kubectl" and one.argv[1] != "kots"]
    assert not [argv for argv in asked if not argv[-1].startswith("--request-timeout=")]
