"""What the fake kubectl tells: `version`, `get` and `auth can-i`.

`kube` in the state is the cluster apart from KOTS; what is missing there is as in a good one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.fakes.cluster import State
from tests.fakes.kubeverbs import Call, Refused, Verb

JSON = dict[str, Any]

KINDS = {
    "Node": ("nodes", "node", "no"),
    "Namespace": ("namespaces", "namespace", "ns"),
    "StorageClass": ("storageclasses", "storageclass", "sc", "storageclasses.storage.k8s.io"),
    "Service": ("services", "service", "svc"),
    "Deployment": ("deployments", "deployment", "deploy", "deployments.apps"),
    "StatefulSet": ("statefulsets", "statefulset", "sts", "statefulsets.apps"),
    "ConfigMap": ("configmaps", "configmap", "cm"),
    "Secret": ("secrets", "secret"),
    "Pod": ("pods", "pod", "po"),
}
"""Kinds and the words that mean them."""
OF_THE_CLUSTER = {"Node", "Namespace", "StorageClass"}
"""Kinds that are in no namespace."""
COLUMNS = "custom-columns="
UNREACHABLE = "Unable to connect to the server: dial tcp 192.0.2.1:6443: i/o timeout"
EVERYTHING = [{"verbs": ["*"], "resources": ["*"]}]
NODES = [{"name": f"node-{i}", "cpu": "16", "memory": "64Gi"} for i in range(1, 5)]


def kube(state: State) -> JSON:
    """The cluster apart from KOTS, with what a good one has."""
    return {
        "client": "v1.27.4",
        "server": "v1.27.3",
        "nodes": NODES,
        "namespaces": ["default", "kube-system"],
        "storageclasses": [{"name": "fast", "default": True}],
        "services": [{"name": "kubernetes", "namespace": "default"}],
        "pods": [],
        "rights": EVERYTHING,
        **state.get("kube", {}),
    }


def version(call: Call, state: State) -> str:
    """`kubectl version --output=json`."""
    found = kube(state)
    told = {"clientVersion": {"gitVersion": found["client"]}, "kustomizeVersion": "v5.0.1"}
    if call.on("--client"):
        return _dump(told)
    if not found["server"]:
        raise Refused(UNREACHABLE, stdout=_dump(told))
    return _dump({**told, "serverVersion": {"gitVersion": found["server"]}})


def get(call: Call, state: State) -> str:
    """`kubectl get TYPE…` and `kubectl get TYPE/NAME…`, as JSON."""
    _reach(state)
    if call.flags.get("--raw") == "/apis":
        groups = ["apps", *(["config.openshift.io"] if state.get("openshift") else [])]
        return _dump({"kind": "APIGroupList", "groups": [{"name": name} for name in groups]})
    output = call.flags.get("--output", "")
    if output != "json" and not output.startswith(COLUMNS):
        raise Refused("the fake kubectl answers in JSON or custom columns only")
    wanted = list(_wanted(call))
    found = [one for one in objects(state) if _is_meant(one, wanted, call)]
    names = [name for _, name in wanted if name]
    missing = set(names) - {one["metadata"]["name"] for one in found}
    if missing and not call.on("--ignore-not-found"):
        raise Refused(f'Error from server (NotFound): "{min(missing)}" not found')
    if names and not found:
        return ""
    if output.startswith(COLUMNS):
        return _columns(found, output.removeprefix(COLUMNS))
    if len(names) == 1:
        return _dump(found[0])
    return _dump({"apiVersion": "v1", "kind": "List", "items": found})


def can_i(call: Call, state: State) -> str:
    """`kubectl auth can-i VERB TYPE`, and `kubectl auth can-i --list`."""
    _reach(state)
    if call.arguments[:1] != ["can-i"]:
        raise Refused(f'error: unknown command "{call.arguments[0]}"')
    here = None if call.on("--all-namespaces") else call.namespace
    rules = [one for one in kube(state)["rights"] if one.get("namespace") in (None, here)]
    if call.on("--list"):
        return _rules_table(rules)
    _, verb, resource = call.arguments
    resource += "/" + call.flags["--subresource"] if "--subresource" in call.flags else ""
    if any(_allows(one, "verbs", verb) and _allows(one, "resources", resource) for one in rules):
        return "yes\n"
    raise Refused("", stdout="no\n")


def objects(state: State) -> Iterator[JSON]:
    """Everything that is in the cluster; `objects` in the state may hold more, as it is."""
    found = kube(state)
    for node in found["nodes"]:
        yield _node(**node)
    for name in dict.fromkeys([*found["namespaces"], *state.get("namespaces", {})]):
        yield {**_meta("Namespace", name), "status": {"phase": "Active"}}
    for one in found["storageclasses"]:
        key = "storageclass.kubernetes.io/is-default-class"
        notes = {key: "true"} if one.get("default") else {}
        yield _meta("StorageClass", one["name"], annotations=notes)
    for one in found["services"]:
        yield {
            **_meta("Service", one["name"], namespace=one["namespace"]),
            "spec": {"ports": [{"port": 80, "nodePort": port} for port in one.get("ports", ())]},
        }
    for pod in found["pods"]:
        yield _pod(**pod)
    for name, namespace in state.get("namespaces", {}).items():
        yield from _console(name, namespace)
    yield from state.get("objects", ())


def _console(name: str, namespace: JSON) -> Iterator[JSON]:
    for secret, login in namespace.get("secrets", {}).items():
        config = json.dumps({"auths": {login["host"]: {"auth": login["auth"]}}})
        data = {".dockerconfigjson": base64.b64encode(config.encode()).decode()}
        yield {**_meta("Secret", secret, namespace=name), "data": data}
    console = namespace["console"]
    if console is None:
        return
    image = f"{console['registry']}/kotsadm:{console['version']}"
    kind = "Deployment" if console["minio"] else "StatefulSet"
    yield {
        **_meta(kind, "kotsadm", namespace=name),
        "spec": {"template": {"spec": {"containers": [{"name": "kotsadm", "image": image}]}}},
    }
    yield {
        **_meta("ConfigMap", "kotsadm-confg", namespace=name),
        "data": {"kotsadm-registry": console["registry"]},
    }


def _node(
    name: str,
    cpu: str,
    memory: str,
    *,
    ready: str = "True",
    taints: list[JSON] | None = None,
    cordoned: bool = False,
) -> JSON:
    size = {"cpu": cpu, "memory": memory}
    return {
        **_meta("Node", name),
        "spec": {
            **({"taints": taints} if taints else {}),
            **({"unschedulable": True} if cordoned else {}),
        },
        "status": {
            "capacity": size,
            "allocatable": size,
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": ready},
            ],
        },
    }


def _pod(namespace: str, node: str, requests: list[JSON]) -> JSON:
    containers = [{"resources": {"requests": one} if one else {}} for one in requests]
    return {
        **_meta("Pod", "pod", namespace=namespace),
        "spec": {"nodeName": node, "containers": containers},
    }


def _meta(kind: str, name: str, **metadata: Any) -> JSON:  # noqa: ANN401 - JSON
    return {"kind": kind, "metadata": {"name": name, **metadata}}


def _wanted(call: Call) -> Iterator[tuple[str, str]]:
    """Kinds and names asked for; the name is "" for all of a kind."""
    kinds = {word: kind for kind, words in KINDS.items() for word in words}
    words = list(call.arguments)
    if words and "/" not in words[0]:
        first, *names = words
        words = [f"{one}/{name}" for one in first.split(",") for name in names or [""]]
    for word in words:
        kind, _, name = word.partition("/")
        if kind not in kinds:
            raise Refused(f'error: the server doesn\'t have a resource type "{kind}"')
        yield kinds[kind], name


def _is_meant(one: JSON, wanted: list[tuple[str, str]], call: Call) -> bool:
    metadata = one["metadata"]
    here = one["kind"] in OF_THE_CLUSTER or call.on("--all-namespaces")
    in_place = here or metadata.get("namespace") == call.namespace
    return in_place and any(
        one["kind"] == kind and name in ("", metadata["name"]) for kind, name in wanted
    )


def _columns(found: list[JSON], columns: str) -> str:
    """One line for each, without headers; a list of values is joined with commas."""
    paths = [column.partition(":")[2].strip(".").split(".") for column in columns.split(",")]
    rows = ([",".join(_values(one, path)) or "<none>" for path in paths] for one in found)
    return "".join("   ".join(row) + "\n" for row in rows)


def _values(value: Any, path: list[str]) -> list[str]:  # noqa: ANN401 - JSON
    if not path:
        return [str(value)]
    name, several, _ = path[0].partition("[*]")
    below = value.get(name)
    if below is None:
        return []
    return [text for one in (below if several else [below]) for text in _values(one, path[1:])]


def _allows(rule: JSON, what: str, wanted: str) -> bool:
    return "*" in rule[what] or wanted in rule[what]


def _rules_table(rules: list[JSON]) -> str:
    rows = [("Resources", "Non-Resource URLs", "Resource Names", "Verbs")]
    for rule in rules:
        for resource in rule["resources"]:
            shown = "*.*" if resource == "*" else resource
            rows.append((shown, "[]", "[]", f"[{' '.join(rule['verbs'])}]"))
    rows.append(("", "[/healthz]", "[]", "[get]"))
    widths = [max(map(len, column)) + 3 for column in zip(*rows, strict=True)]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in rows
    )


def _reach(state: State) -> None:
    if not kube(state)["server"]:
        raise Refused(UNREACHABLE)


def _dump(value: JSON) -> str:
    return json.dumps(value, indent=4) + "\n"


_GET = ("--all-namespaces", "--ignore-not-found", "--no-headers")
_GET_VALUES = ("--output", "--raw", "--selector", "--field-selector")
_CAN_I = ("--all-namespaces", "--list", "--no-headers", "--quiet")
VERBS = {
    "version": Verb(version, {"--output": True, "--client": False}),
    "get": Verb(get, {**dict.fromkeys(_GET_VALUES, True), **dict.fromkeys(_GET, False)}),
    "auth": Verb(can_i, {"--subresource": True, **dict.fromkeys(_CAN_I, False)}),
}
