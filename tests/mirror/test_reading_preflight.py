"""The script of a preflight: it asks what a run asks, and tells all that a shell can see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mirror.operation import as_json
from mirror.operation.reading import Check
from tests.fakes.kubereads import NODES
from tests.mirror.kots_site import KotsSite
from tests.mirror.kots_world import KOTS, PUSHER, namespace, running
from tests.mirror.operations_reading import Preflight
from tests.mirror.script_runner import Somebody, calls
from tests.mirror.shells import SHELLS
from tests.mirror.test_operations import assert_unseen, go
from tests.terminals import on_terminal
from tests.tools import need
from transfer.errors import PolicyError

APPS = {"harness": running("79915", 412), "harness_ng": running("500", 91, "harness-ng")}
THERE = {"harness": namespace(KOTS, login=PUSHER, **APPS)}
OUTDATED = {"harness": namespace(KOTS, login=("pusher", "of last year"), **APPS)}
FORBIDDEN = "Error from server (Forbidden): nodes is forbidden: User cannot list it"
SERVICE = {"name": "web", "namespace": "other", "ports": [80, 32500]}
GOING = {"kind": "Namespace", "metadata": {"name": "harness"}, "status": {"phase": "Terminating"}}
CLASSES = [{"name": "slow", "default": True}]


@dataclass(frozen=True, slots=True)
class World:
    """A cluster, and what a preflight finds there."""

    state: Mapping[str, Any] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    """The steps with something that failed."""
    told: tuple[str, ...] = ()
    """Among what the script says."""
    more: int = 0
    """Questions at the end that only the script has: a run gives up at the first of its kind."""


WORLDS: Mapping[str, World] = {
    "a site before its install": World(
        told=(
            "  pass: v1.131.4; needed: kubectl-kots is v1.131.4, as the admin console carried",
            "  pass: yes; needed: everything may be done",
            "  not asked: needed only where not everything is allowed",
            "  harness is not there",
            "  pass: yes; needed: namespaces may be created",
            "  node-4\n    CPU: 16\n    memory: 64Gi\n    ready: True",
            "  pass: fast; needed: StorageClass fast, which the values of harness name, is there",
            "  no admin console is there",
            "  OpenShift: no",
        )
    ),
    "a site that runs": World(
        {"namespaces": THERE},
        told=(
            "  the admin console is v1.131.4, and pulls from registry.dc-north.example:5000/",
            "  pass: the pull secrets have the user and the password of the site file",
            "  harness: 79915, ready",
            "  79915: deployed",
            "  not asked: needed only where harness or harness-ng is still to be installed",
        ),
    ),
    "a password that changed": World(
        {"namespaces": OUTDATED},
        told=("  warn: (kotsadm-private-registry: another user or password)", "warnings: 1"),
    ),
    "an OpenShift": World({"openshift": True}, told=("  OpenShift: yes", "oc can be started")),
    "few rights": World(
        {"kube": {"rights": [{"verbs": ["get"], "resources": ["pods"]}]}},
        failed=("namespaces-2",),
        told=("  warn: no; needed: everything may be done", "pods ", "[get]"),
    ),
    "no rights for nodes": World(
        {"refusals": {"get nodes": FORBIDDEN}},
        failed=("nodes",),
        told=("  fail: no answer: ended with exit code 1", "  pass: somebody saw it: of the CPU"),
    ),
    "a cluster that does not answer": World(
        {"kube": {"server": None}},
        failed=(
            *("versions", "rights", "namespaces", "nodes", "pods", "storage-classes"),
            *("node-ports", "installed"),
        ),
        told=(
            "  pass: v1.27.4; needed: kubectl is v1.12 or newer",
            "  fail: not asked: the cluster told no version either",
        ),
    ),
    "another plugin": World(
        {"plugin": "v1.130.0"},
        failed=("plugin",),
        told=("  fail: v1.130.0; needed: kubectl-kots is v1.131.4",),
    ),
    "an old kubectl, and an old cluster": World(
        {"kube": {"client": "v1.11.9-x", "server": "v1.19.16+k3s1"}},
        failed=("versions",),
        told=(
            "  fail: v1.11.9-x; needed: kubectl is v1.12",
            "  warn: v1.19.16+k3s1; needed: the c",
        ),
    ),
    "a kubectl of another year": World(
        {"kube": {"client": "v1.29.0", "server": "v1.27.3"}},
        told=("  warn: v1.29.0, and the cluster is v1.27.3; needed: kubectl is within one minor",),
    ),
    "a namespace that goes away": World(
        {"objects": [GOING]},
        failed=("namespaces",),
        told=("  fail: Terminating; needed: namespace harness is Active",),
    ),
    "another class of storage": World(
        {"kube": {"storageclasses": CLASSES}},
        failed=("storage-classes",),
        told=("  slow\n", "  fail: slow; needed: StorageClass fast"),
    ),
    "a port that is taken": World(
        {"kube": {"services": [SERVICE]}},
        failed=("node-ports",),
        told=("  fail: 32500 is taken by service web in namespace other; needed: node port 32500",),
    ),
    "a port of our own": World(
        {"kube": {"services": [{**SERVICE, "namespace": "harness"}]}},
        told=("  pass: node port 32500 is free for harness",),
    ),
    "nodes that are not for pods": World(
        {
            "kube": {
                "nodes": [
                    *NODES,
                    {**NODES[0], "name": "x", "ready": "Unknown", "cordoned": True},
                    {**NODES[0], "name": "y", "taints": [{"key": "gpu", "effect": "NoSchedule"}]},
                ]
            }
        },
        told=("    cordoned: true", "    ready: Unknown", "    taint: gpu"),
    ),
    "an error of the console with exit code 0": World(
        {"namespaces": THERE, "said": {"get apps": ['{"error": "unauthorized"}\n', 0]}},
        failed=("installed-3",),
        told=("  fail: gave an answer that cannot be read",),
    ),
    "an error of one application with exit code 0": World(
        {"namespaces": THERE, "said": {"get versions": ['{"error": "unauthorized"}\n', 0]}},
        failed=("installed-4", "installed-5"),
        more=1,
    ),
    "a port-forward that is blocked": World(
        {"namespaces": THERE, "said": {"get apps": ["", 1]}}, failed=("installed-3",)
    ),
    "progress before an answer": World(
        {"namespaces": THERE, "said": {"version": ['  • Hm {\n{"version": "1.131.4"}\n', 0]}},
        told=("  pass: v1.131.4; needed",),
    ),
}


def staged(folder: Path, state: Mapping[str, Any]) -> KotsSite:
    site = Preflight().stage(folder)
    site.cluster.change(**state)
    return site


@pytest.mark.parametrize("name", WORLDS)
def test_a_script_finds_what_a_run_finds(name: str, tmp_path: Path) -> None:
    world = WORLDS[name]
    ran = staged(tmp_path / "run", world.state)
    if world.failed:
        with pytest.raises(PolicyError):
            go(Preflight(), ran)
    else:
        go(Preflight(), ran)
    site = staged(tmp_path / "script", world.state)
    shell = SHELLS[list(SHELLS)[list(WORLDS).index(name) % len(SHELLS)]]
    somebody = Somebody(site, Preflight().dry(site), shell=shell)
    done = somebody.go_on()
    assert done.returncode == (12 if world.failed else 0), done.stdout + done.stderr
    asked = calls(site)
    assert asked[: len(asked) - world.more] == calls(ran)
    assert not [text for text in world.told if text not in done.stdout], done.stdout
    failed = re.findall(r"(?m)^error: not ready: (.*)$", done.stderr)
    assert failed == ([" ".join(world.failed)] if world.failed else [])
    assert_unseen(site, somebody.said)


def test_files_and_secrets_that_are_not_at_hand_are_told_together(tmp_path: Path) -> None:
    site = staged(tmp_path / "script", {})
    (site.etc / "license.yaml").unlink()
    (site.etc / ".kube/config").unlink()
    (site.etc / "console password").write_text("")
    somebody = Somebody(site, Preflight().dry(site))
    done = somebody.go_on()
    assert done.returncode == 12
    assert done.stderr.startswith("error: not ready: files\n")
    for what in ("license.yaml can be read", ".kube/config can be read"):
        assert f"  fail: it is not so; needed: {site.etc}/{what}" in done.stdout
    assert f"needed: file {site.etc}/console password has a value" in done.stdout
    assert "  pass: environment variable REGISTRY_PASSWORD has a value" in done.stdout


def test_what_runs_needs_no_files_any_more(tmp_path: Path) -> None:
    site = staged(tmp_path / "script", {"namespaces": THERE})
    (site.etc / "license.yaml").unlink()
    (site.etc / "console password").unlink()
    done = Somebody(site, Preflight().dry(site)).go_on()
    assert done.returncode == 0, done.stderr
    assert "license.yaml" not in done.stdout


def test_what_nobody_has_seen_stops_nothing_and_is_named_in_the_end(tmp_path: Path) -> None:
    site = staged(tmp_path / "script", {})
    somebody = Somebody(site, Preflight().dry(site))
    done = somebody.run(confirmed="nodes pods")
    assert done.returncode == 11
    assert done.stderr.splitlines() == [
        "error: nobody has seen it yet: storage-classes console-port addresses",
        (
            "hint: look at what is to be seen; CONFIRMED='storage-classes console-port addresses' "
            "says that it is so"
        ),
    ]
    assert "  pass: somebody saw it: these have 8 CPU and 12 GB each" in done.stdout
    assert "  to be seen: nothing listens on port 8800 of this machine" in done.stdout
    done = somebody.run(confirmed="nodes pods storage-classes console-port addresses")
    assert done.returncode == 0


@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("n", 12), ("", 11), ("NO", 12)])
def test_a_person_is_asked_on_the_terminal(typed: str, code: int, tmp_path: Path) -> None:
    site = staged(tmp_path / "script", {})
    somebody = Somebody(site, Preflight().dry(site))
    seen = "nodes pods storage-classes console-port"
    environment = {**site.environment, "PATH": str(somebody.folder), "CONFIRMED": seen}
    argv = [str(need("sh")), str(somebody.script)]
    with on_terminal(argv, site.folder, environment) as terminal:
        question = "Is it so? [y, n, or Enter where nobody can tell]: "
        ended, _ = terminal.type((question, typed)).end()
    assert ended == code, terminal.shown


def test_every_check_says_what_it_needs(tmp_path: Path) -> None:
    site = staged(tmp_path / "script", {})
    plan = Preflight().dry(site)
    told = {step["name"]: step for step in as_json(plan)["steps"]}
    assert told["plugin"]["checks"] == ["plugin", "plan"]
    (wanted,) = told["plugin"]["needs"]
    assert wanted["words"] == "kubectl-kots is v1.131.4, as the admin console carried"
    assert (wanted["seen"], wanted["warns"]) == (True, False)
    assert told["installed-4"]["only"] == "harness is installed"
    assert told["addresses"]["requests"] == ["look up harness.dc-north.example"]
    assert all(isinstance(step.action, Check) for step in plan.steps)
    with suppress(KeyError):
        pytest.fail(f"left out, and asked: {told['registry']}")
