"""What the fake kubectl changes, and tells of pods: `scale`, `logs`, and `get` with more options.

Workloads and pods are `objects` in the state; a workload has the pods that its status counts. What
was scaled is there at once; with the trap `scale` set to `slow` one question later, and with
`stuck` never. With the trap `ending` set to a number, pods that go stay for so many questions, and
no status counts them: `ending` in the state. What is scaled meanwhile is noted in `too_early`, each
with the workloads whose pods were still ending. `logs` in the state are texts by
`pod/container`, with `/previous` behind it; a list is a failure, with what kubectl says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.fakes import kubereads
from tests.fakes.cluster import State
from tests.fakes.kubeverbs import Call, Refused, Verb

JSON = dict[str, Any]
RUNS = {"startedAt": "2026-11-22T09:59:58Z"}
"""What Kubernetes says of a container that runs."""

SCALABLE = {"Deployment", "StatefulSet"}
COLUMNS = "custom-columns=KIND:.kind,NAME:.metadata.name,PODS:.spec.replicas"


def workload(
    kind: str, name: str, replicas: int, namespace: str = "harness", **labels: str
) -> JSON:
    """A Deployment or StatefulSet that runs well."""
    named = {key.replace("__", "/").replace("_", "-"): value for key, value in labels.items()}
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": named},
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas, "readyReplicas": replicas},
    }


def pod(name: str, *containers: JSON, namespace: str = "harness") -> JSON:
    """A pod; a container is its name and, where it does not simply run, its status."""
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": one["name"]} for one in containers]},
        "status": {
            "containerStatuses": [
                {"restartCount": 0, "state": {"running": RUNS}, "lastState": {}, **one}
                for one in containers
            ]
        },
    }


def _get(call: Call, state: State) -> str:
    selector = call.flags.get("--selector", "")
    there = [*kubereads.objects(state), *_pods(state)]
    found = [one for one in there if _is_selected(one, selector)]
    seen = {**state, "namespaces": {}, "objects": found}
    seen["kube"] = {**kubereads.kube(state), **{key: [] for key in _OF_KUBE}}
    in_columns = call.flags.get("--output") == COLUMNS
    flags = {**call.flags, "--output": "json"} if in_columns else call.flags
    said = kubereads.get(Call(verb="get", arguments=call.arguments, flags=flags), seen)
    if _trap(state) == "slow":
        _settle(state)
    if any("pods" in word for word in call.arguments):
        _end(state)
    return "".join(map(_row, json.loads(said)["items"])) if in_columns else said


def _pods(state: State) -> Iterator[JSON]:
    """Those that workloads have, and those that are ending."""
    for one in state.get("objects", ()):
        if one["kind"] in SCALABLE:
            yield from _pods_of(one, int(one["status"].get("replicas", 0)), {})
            ending = state.get("ending", {}).get(_key(one), {"pods": 0})
            yield from _pods_of(one, ending["pods"], {"deletionTimestamp": "2026-11-22T10:00:00Z"})


def _pods_of(one: JSON, count: int, more: JSON) -> Iterator[JSON]:
    name, namespace = one["metadata"]["name"], one["metadata"]["namespace"]
    is_set = one["kind"] == "StatefulSet"
    owner = {"kind": one["kind"] if is_set else "ReplicaSet", "name": name}
    owner["name"] += "" if is_set else "-5f7c9d"
    labels = {} if is_set else {"pod-template-hash": "5f7c9d"}
    for number in range(count):
        found = pod(f"{owner['name']}-{number}{'-ending' if more else ''}", namespace=namespace)
        found["metadata"] |= {"labels": labels, "ownerReferences": [owner], **more}
        yield {**found, "status": {"phase": "Running", **found["status"]}}


def _key(one: JSON) -> str:
    return f"{one['metadata']['namespace']} {_name(one)}"


def _end(state: State) -> None:
    """Pods that are ending are gone some questions later."""
    ending = state.get("ending", {})
    for one in ending.values():
        one["questions"] -= 1
    state["ending"] = {key: one for key, one in ending.items() if one["questions"] > 0}


_OF_KUBE = ("nodes", "namespaces", "storageclasses", "services")


def _row(one: JSON) -> str:
    pods = one["spec"].get("replicas", "<none>")
    return f"{one['kind']:<14}{one['metadata']['name']:<40}{pods}\n"


def _is_selected(one: JSON, selector: str) -> bool:
    labels = dict(one["metadata"].get("labels") or {})
    if one["metadata"]["name"].startswith("kotsadm"):
        labels["kots.io/kotsadm"] = "true"
    for term in filter(None, selector.split(",")):
        if "!=" in term:
            key, _, value = term.partition("!=")
            if labels.get(key) == value:
                return False
        else:
            key, _, value = term.partition("=")
            if labels.get(key) != value:
                return False
    return True


def _trap(state: State) -> str:
    return str(state.get("traps", {}).get("scale", ""))


def _settle(state: State) -> None:
    """Pods that were on their way are there, or gone."""
    for one in state.get("objects", ()):
        if one["kind"] in SCALABLE:
            replicas = one["spec"].get("replicas", 1)
            one["status"] = {"replicas": replicas, "readyReplicas": replicas}


def _scale(call: Call, state: State) -> str:
    if not kubereads.kube(state)["server"]:
        raise Refused(kubereads.UNREACHABLE)
    replicas = call.flags.get("--replicas", "")
    if not replicas.isdecimal():
        raise Refused("error: The --replicas=COUNT flag is required, and COUNT must be >= 0")
    scaled = [one for one in state.get("objects", ()) if _is_meant(one, call)]
    if not scaled and call.flags.get("--selector"):
        raise Refused("error: no objects passed to scale")
    if not scaled:
        raise Refused(f'Error from server (NotFound): "{call.arguments[0]}" not found')
    ending = sorted(key.partition(" ")[2] for key in state.get("ending", {}))
    for one in scaled:
        _let_end(one, int(replicas), state)
        if ending:
            state.setdefault("too_early", []).append([_name(one), ending])
        one["spec"]["replicas"] = int(replicas)
        state.setdefault("scaled", []).append([_name(one), int(replicas)])
    if not _trap(state):
        _settle(state)
    return "".join(f"{_name(one)} scaled\n" for one in scaled)


def _let_end(one: JSON, replicas: int, state: State) -> None:
    questions = int(state.get("traps", {}).get("ending", 0))
    gone = int(one["status"].get("replicas", 0)) - replicas
    if questions and gone > 0:
        found = {"pods": gone, "questions": questions}
        state.setdefault("ending", {})[_key(one)] = found


def _is_meant(one: JSON, call: Call) -> bool:
    if one["kind"] not in SCALABLE or one["metadata"]["namespace"] != call.namespace:
        return False
    selector = call.flags.get("--selector")
    if selector:
        kinds = call.arguments[0].split(",")
        return f"{one['kind'].lower()}s" in kinds and _is_selected(one, selector)
    return _name(one) in call.arguments


def _name(one: JSON) -> str:
    return f"{one['kind'].lower()}/{one['metadata']['name']}"


def _logs(call: Call, state: State) -> str:
    pod_name = call.arguments[0].removeprefix("pod/")
    pods = [
        one
        for one in state.get("objects", ())
        if one["kind"] == "Pod"
        and one["metadata"]["name"] == pod_name
        and one["metadata"]["namespace"] == call.namespace
    ]
    if not pods:
        raise Refused(f'Error from server (NotFound): pods "{pod_name}" not found')
    key = f"{pod_name}/{call.flags.get('--container', '')}"
    key += "/previous" if call.on("--previous") else ""
    text = state.get("logs", {}).get(key, f"2026-11-22T10:00:00Z log of {key}\n")
    if isinstance(text, list):
        raise Refused(*text)
    return str(text)


_LOGS = {"--container": True, "--since": True, "--timestamps": False, "--previous": False}
VERBS = {
    "get": Verb(_get, {**kubereads.VERBS["get"].flags, "--no-headers": False}),
    "scale": Verb(_scale, {"--replicas": True, "--selector": True}),
    "logs": Verb(_logs, _LOGS),
}
