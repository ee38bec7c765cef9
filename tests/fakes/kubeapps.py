"""The API server of an imaginary cluster, for the real kubectl: workloads, their scale, and logs.

Paths and bodies: Kubernetes API reference, v1.27. `kubectl scale` looks for the resource
`deployments/scale`, asks for each workload, and patches its scale.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.fakes.faulty import Exchange, FaultyServer

JSON = dict[str, Any]

KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet"}


class AppsApi(Exchange):
    """The part of the API that kubectl uses for `get`, `scale` and `logs`."""

    @property
    def cluster(self) -> FakeApps:
        """What is in it."""
        assert isinstance(self.server.owner, FakeApps)
        return self.server.owner

    def serve(self) -> None:
        """Answer one request."""
        url = urlsplit(self.path)
        parts, query = url.path.strip("/").split("/"), parse_qs(url.query)
        match parts:
            case ["api"]:
                self._send({"kind": "APIVersions", "versions": ["v1"]})
            case ["apis"]:
                self._send(_GROUPS)
            case ["api", "v1"]:
                self._send(_resources("v1", {"pods": "Pod"}))
            case ["apis", "apps", "v1"]:
                self._send(_resources("apps/v1", KINDS))
            case ["api", "v1", "namespaces", _, "pods", pod, "log"]:
                self._log(pod, query)
            case ["api", "v1", "namespaces", _, "pods"]:
                self._send(_list(iter(self.cluster.pods)))
            case ["api", "v1", "namespaces", _, "pods", pod]:
                self._send(_pod(pod))
            case ["apis", "apps", "v1", "namespaces", _, kind]:
                selector = query.get("labelSelector", [""])[0]
                self._send(_list(self.cluster.selected(kind, selector)))
            case ["apis", "apps", "v1", "namespaces", _, kind, name, *rest]:
                self._workload(f"{kind}/{name}", *rest)
            case _:
                self._send({"kind": "Status", "status": "Failure", "reason": "NotFound"}, 404)

    def _workload(self, name: str, *rest: str) -> None:
        one = self.cluster.workloads[name]
        if self.command == "PATCH":
            replicas = json.loads(self.read_body())["spec"]["replicas"]
            one["spec"]["replicas"] = replicas
            self.cluster.scaled.append((name, replicas))
        self._send(_scale(one) if rest == ("scale",) else one)

    def _log(self, pod: str, query: dict[str, list[str]]) -> None:
        given = {key: values[0] for key, values in query.items()}
        self.cluster.asked.append({"pod": pod, **given})
        self.answer(200, {"Content-Type": "text/plain"}, b"2026-11-22T10:00:00Z said\n")

    def _send(self, value: JSON, code: int = 200) -> None:
        self.answer(code, {"Content-Type": "application/json"}, json.dumps(value).encode())


@dataclass(slots=True)
class FakeApps(FaultyServer):
    """An API server and what it holds."""

    handler: ClassVar[type[Exchange]] = AppsApi

    workloads: dict[str, JSON] = field(default_factory=dict)
    """By names such as `deployments/ui`."""
    pods: list[JSON] = field(default_factory=list)
    """What a list of pods tells, whatever it selects."""
    scaled: list[tuple[str, int]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    """The query of each request for a log."""

    def add(self, kind: str, name: str, replicas: int, **labels: str) -> None:
        """A workload with its pods."""
        named = {key.replace("__", "/").replace("_", "-"): value for key, value in labels.items()}
        self.workloads[f"{kind}/{name}"] = {
            "kind": KINDS[kind],
            "apiVersion": "apps/v1",
            "metadata": {"name": name, "namespace": "harness", "labels": named},
            "spec": {"replicas": replicas},
            "status": {"replicas": replicas, "readyReplicas": replicas},
        }

    def selected(self, kind: str, selector: str) -> Iterator[JSON]:
        """What a label selector of `!=` selects."""
        terms = [term.split("!=") for term in selector.split(",") if term]
        for name, one in self.workloads.items():
            labels = one["metadata"]["labels"]
            if name.startswith(f"{kind}/") and all(labels.get(k) != v for k, v in terms):
                yield one


_GROUPS = {
    "kind": "APIGroupList",
    "apiVersion": "v1",
    "groups": [
        {
            "name": "apps",
            "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
            "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
        }
    ],
}


def _resources(group: str, kinds: dict[str, str]) -> JSON:
    verbs = ["get", "list", "patch", "update"]
    found: list[JSON] = []
    for name, kind in kinds.items():
        own = {"name": name, "singularName": kind.lower(), "namespaced": True, "verbs": verbs}
        found.append({**own, "kind": kind})
        scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        found.append({**own, **scale, "name": f"{name}/scale", "singularName": ""})
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group,
        "resources": found,
    }


def _list(items: Iterator[JSON]) -> JSON:
    return {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": list(items)}


def _scale(one: JSON) -> JSON:
    replicas = one["spec"]["replicas"]
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": one["metadata"],
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas},
    }


def _pod(name: str) -> JSON:
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "harness"},
        "spec": {"containers": [{"name": "c"}]},
        "status": {"phase": "Running"},
    }
