"""The questions to Kubernetes, asked with the real kubectl, and what is read from its answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import pytest

from mirror.command import Command
from mirror.credentials import Keyring
from mirror.kots.outcome import Finished
from mirror.kube import cluster, kubectl
from mirror.kube.cluster import Node, NodePort, Reserved, StorageClass
from mirror.preflight.questions import questions
from mirror.process import Runner
from mirror.site import Site
from tests.fakes.kube import VERBS
from tests.fakes.kubeapi import FakeKubernetes
from tests.fakes.kubeverbs import GLOBAL
from tests.mirror.kots_world import FakeCluster, read_site
from tests.mirror.preflight_seen import good_case
from tests.tools import need
from transfer.errors import ToolError

pytestmark = pytest.mark.real
_T = TypeVar("_T")

SITE = """\
apiVersion: airgap/v1
kind: Site
name: s
registry: {endpoint: "r.example:5000/harness"}
cluster: {kubeconfig: config, context: there}
namespace: harness
applications: {harness: {licenseFile: l.yaml}}
"""
GI = 2**30


def node(name: str, status: str = "True", **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    conditions = [{"type": "DiskPressure", "status": "False"}, {"type": "Ready", "status": status}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": spec,
        "status": {
            "capacity": {"cpu": "16", "memory": "64Gi", "pods": "110"},
            "allocatable": {"cpu": "15890m", "memory": "61Gi", "pods": "110"},
            "conditions": conditions,
            "images": [{"names": ["x"], "sizeBytes": 1}],
        },
    }


def pod(namespace: str, node_name: str | None, *requests: dict[str, str] | None) -> dict[str, Any]:
    containers = [{"name": "c", "resources": {"requests": r} if r else {}} for r in requests]
    spec = {"containers": containers, **({"nodeName": node_name} if node_name else {})}
    metadata = {"name": "p", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def storage_class(name: str, **annotations: str) -> dict[str, Any]:
    metadata = {"name": name, "annotations": annotations}
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata}


def service(name: str, *ports: dict[str, int]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "web"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}}


@pytest.fixture
def kubernetes() -> Iterator[FakeKubernetes]:
    with FakeKubernetes() as found:
        yield found


@pytest.fixture
def site(tmp_path: Path, kubernetes: FakeKubernetes) -> Site:
    access = {"cluster": {"server": f"http://{kubernetes.host}"}, "name": "there"}
    context = {"context": {"cluster": "there", "user": "nobody"}, "name": "there"}
    config = {"kind": "Config", "clusters": [access], "contexts": [context]}
    (tmp_path / "config").write_text(json.dumps(config))
    return read_site(SITE, str(tmp_path))


Ask = Callable[[Command], Finished]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    need("kubectl")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    return Runner(keyring=Keyring(environment), secrets=(), say=lambda _line: None)


def told(ask: Ask, command: Command, read: Callable[[Finished, Command], _T]) -> _T:
    return read(ask(command), command)


def test_versions(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    command = kubectl.get_versions(site)
    assert told(ask, command, cluster.read_cluster_version) == "v1.27.3"
    assert re.match(r"v1\.\d+\.\d+", told(ask, command, cluster.read_kubectl_version))


def test_versions_without_a_cluster(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    with kubernetes.away():
        finished = ask(kubectl.get_versions(site))
    command = kubectl.get_versions(site)
    assert cluster.read_kubectl_version(finished, command).startswith("v1.")
    with pytest.raises(ToolError, match=r"connection to the server .* was refused") as caught:
        cluster.read_cluster_version(finished, command)
    assert caught.value.hint
    assert "kubectl get nodes" in caught.value.hint


def test_nodes(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    soft = {"key": "soft", "effect": "PreferNoSchedule"}
    found = [
        node("a", taints=[soft]),
        node("b", "Unknown"),
        node("c", unschedulable=True),
        node("d", taints=[taint]),
    ]
    kubernetes.lists["/api/v1/nodes"] = lambda _fields: found
    nodes = told(ask, kubectl.get_nodes(site), cluster.read_nodes)
    assert nodes[0] == Node(
        name="a",
        cpu=Fraction(16),
        memory=Fraction(64 * GI),
        free_cpu=Fraction(15890, 1000),
        free_memory=Fraction(61 * GI),
    )
    obstacles = ["", "not ready", "cordoned", "taint node-role.kubernetes.io/control-plane"]
    assert [one.obstacle for one in nodes] == obstacles


def test_no_nodes(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    kubernetes.lists["/api/v1/nodes"] = lambda _fields: []
    assert told(ask, kubectl.get_nodes(site), cluster.read_nodes) == ()


def test_pods_and_what_they_reserve(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    selectors = []
    pods = [
        pod("web", "a", {"cpu": "500m", "memory": "1Gi"}, None, {"cpu": "1"}),
        pod("web", "b", None),
        pod("web", None, {"cpu": "8"}),
    ]

    def listed(fields: str) -> list[dict[str, Any]]:
        selectors.append(fields)
        return pods

    kubernetes.lists["/api/v1/pods"] = listed
    assert told(ask, kubectl.list_pods(site), cluster.read_pods) == (
        Reserved(namespace="web", node="a", cpu=Fraction(3, 2), memory=Fraction(GI)),
        Reserved(namespace="web", node="b", cpu=Fraction(), memory=Fraction()),
    )
    assert set(selectors) == {"status.phase!=Succeeded,status.phase!=Failed"}
    pods.clear()
    assert told(ask, kubectl.list_pods(site), cluster.read_pods) == ()


def test_storage_classes(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    old = {"storageclass.beta.kubernetes.io/is-default-class": "true"}
    found = [storage_class("fast", **default), storage_class("slow"), storage_class("old", **old)]
    kubernetes.lists["/apis/storage.k8s.io/v1/storageclasses"] = lambda _fields: found
    assert told(ask, kubectl.get_storage_classes(site), cluster.read_storage_classes) == (
        StorageClass(name="fast", is_default=True),
        StorageClass(name="slow"),
        StorageClass(name="old", is_default=True),
    )


def test_node_ports(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    found = [
        service("inside", {"port": 80}),
        service("outside", {"port": 80, "nodePort": 32500}, {"port": 9879, "nodePort": 32510}),
        service("headless"),
    ]
    kubernetes.lists["/api/v1/services"] = lambda _fields: found
    assert told(ask, kubectl.get_services(site), cluster.read_node_ports) == (
        NodePort(port=32500, namespace="web", service="outside"),
        NodePort(port=32510, namespace="web", service="outside"),
    )


def test_namespaces(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    metadata = {"name": "harness"}
    kubernetes.objects["/api/v1/namespaces/harness"] = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata,
        "status": {"phase": "Terminating"},
    }
    there, not_there = kubectl.get_namespace(site, "harness"), kubectl.get_namespace(site, "x")
    assert told(ask, there, cluster.read_phase) == "Terminating"
    assert told(ask, not_there, cluster.read_phase) is None


@pytest.mark.parametrize("allowed", [True, False])
def test_permissions(kubernetes: FakeKubernetes, site: Site, ask: Ask, *, allowed: bool) -> None:
    asked = []

    def may(wanted: dict[str, Any]) -> bool:
        asked.append((wanted["verb"], wanted["resource"], wanted.get("namespace", "")))
        return allowed

    kubernetes.may = may
    for command in (kubectl.may_do_everything(site), kubectl.may_create_namespaces(site)):
        assert told(ask, command, cluster.read_permission) is allowed
    assert asked[0] == ("*", "*", "")
    assert asked[1][:2] == ("create", "namespaces")


def test_a_permission_that_nobody_tells(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    command = kubectl.may_do_everything(site)
    with kubernetes.away():
        finished = ask(command)
    with pytest.raises(ToolError, match="refused"):
        cluster.read_permission(finished, command)


def test_rights(kubernetes: FakeKubernetes, site: Site, ask: Ask) -> None:
    kubernetes.rules = {
        "incomplete": False,
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}],
        "resourceRules": [
            {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]},
            {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*"]},
            {"verbs": ["get"], "apiGroups": ["batch"], "resources": ["jobs/status"]},
            {
                "verbs": ["delete"],
                "apiGroups": [""],
                "resources": ["secrets"],
                "resourceNames": ["one"],
            },
        ],
    }
    rights = told(ask, kubectl.list_rights(site, "harness"), cluster.read_rights)
    allowed = [
        ("get", "pods"),
        ("list", "pods/log"),
        ("patch", "deployments.apps"),
        ("get", "jobs.batch/status"),
    ]
    denied = [
        ("create", "pods"),
        ("get", "pods/exec"),
        ("get", "jobs.batch"),
        ("delete", "secrets"),
        ("get", "services"),
    ]
    assert [right for right in allowed if not rights.allow(*right)] == []
    assert [right for right in denied if rights.allow(*right)] == []
    assert rights.is_complete


def test_rights_to_everything_and_to_perhaps_more(
    kubernetes: FakeKubernetes, site: Site, ask: Ask
) -> None:
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    kubernetes.rules = {"incomplete": True, "resourceRules": [everything], "nonResourceRules": []}
    rights = told(ask, kubectl.list_rights(site, "harness"), cluster.read_rights)
    assert rights.allow("delete", "pods")
    assert rights.allow("patch", "ingresses.networking.k8s.io")
    assert not rights.is_complete


def flags_of(verb: str) -> set[str]:
    """The flags that the real kubectl has for a verb, and for the commands just below it."""
    text = run_kubectl(verb, "--help") if verb != "options" else run_kubectl(verb)
    listed = text.partition("Available Commands:\n")[2].partition("\n\n")[0]
    for below in re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE):
        text += run_kubectl(verb, below, "--help")
    return set(re.findall(r"(--[a-z-]+)=", text))


def run_kubectl(*words: str) -> str:
    argv = [str(need("kubectl")), *words]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30)
    return str(done.stdout)


def test_the_real_kubectl_knows_every_flag_that_is_planned() -> None:
    of_all = flags_of("options")
    commands = [one.argv for asked in questions(good_case()) for one in asked.commands]
    planned = [argv for argv in commands if argv[0] == "kubectl" and argv[1] != "kots"]
    assert {argv[1] for argv in planned} == {"version", "auth", "get"}
    assert len(planned) > 10
    for argv in planned:
        given = {word.partition("=")[0] for word in argv if word.startswith("--")}
        assert given <= of_all | flags_of(argv[1]), argv


def test_the_fake_kubectl_knows_no_flag_that_the_real_one_does_not() -> None:
    of_all = flags_of("options")
    assert {*GLOBAL} <= of_all
    for name, verb in VERBS.items():
        assert {*verb.flags} <= of_all | flags_of(name), name


def test_the_fake_kubectl_refuses_what_kubectl_does_not_know(tmp_path: Path) -> None:
    fake = FakeCluster(tmp_path)
    environment = fake.environment({"PATH": os.environ["PATH"]})
    ask = Runner(keyring=Keyring(environment), secrets=(), say=lambda _line: None)
    for words, said in (
        (("get", "nodes", "--colour"), "unknown flag: --colour"),
        (("fetch", "nodes"), 'unknown command "fetch"'),
        (("get", "weather", "--output=json"), "doesn't have a resource type"),
        (("get", "ns/x", "--output=json"), '"x" not found'),
    ):
        finished = ask(Command(argv=("kubectl", *words)))
        assert finished.exit_code == 1
        assert said in finished.stderr[0]
