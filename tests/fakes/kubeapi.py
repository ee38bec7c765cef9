"""The API server of an imaginary cluster, for the real kubectl: what it is asked before a window.

Paths and bodies: Kubernetes API reference, v1.27. `lists` are what a GET of a path answers; `may`
decides over access reviews.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.fakes.faulty import Exchange, FaultyServer

JSON = dict[str, Any]

GROUPS = {
    "v1": {"nodes": "Node", "namespaces": "Namespace", "services": "Service", "pods": "Pod"},
    "storage.k8s.io/v1": {"storageclasses": "StorageClass"},
    "authorization.k8s.io/v1": {
        "selfsubjectaccessreviews": "SelfSubjectAccessReview",
        "selfsubjectrulesreviews": "SelfSubjectRulesReview",
    },
}
NAMESPACED = {"services", "pods"}


class KubeApi(Exchange):
    """The part of the API that kubectl uses for `version`, `get` and `auth can-i`."""

    @property
    def cluster(self) -> FakeKubernetes:
        """What is in it."""
        assert isinstance(self.server.owner, FakeKubernetes)
        return self.server.owner

    def serve(self) -> None:
        """Answer one request."""
        url = urlsplit(self.path)
        path, query = url.path, parse_qs(url.query)
        if self.command == "POST":
            self._send(self._review(json.loads(self.read_body())), 201)
        elif path == "/version":
            self._send({"major": "1", "minor": "27", "gitVersion": self.cluster.version})
        elif path in ("/api", "/apis"):
            self._send(_groups(path))
        elif path.removeprefix("/apis/").removeprefix("/api/") in GROUPS:
            self._send(_resources(path.removeprefix("/apis/").removeprefix("/api/")))
        elif path in self.cluster.objects:
            self._send(self.cluster.objects[path])
        elif path in self.cluster.lists:
            selected = self.cluster.lists[path](query.get("fieldSelector", [""])[0])
            self._send({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": selected})
        else:
            self._send({"kind": "Status", "status": "Failure", "reason": "NotFound"}, 404)

    def _review(self, body: JSON) -> JSON:
        if body["kind"] == "SelfSubjectRulesReview":
            return {**body, "status": self.cluster.rules}
        wanted = body["spec"]["resourceAttributes"]
        return {**body, "status": {"allowed": self.cluster.may(wanted)}}

    def _send(self, value: JSON, code: int = 200) -> None:
        self.answer(code, {"Content-Type": "application/json"}, json.dumps(value).encode())


@dataclass(slots=True)
class FakeKubernetes(FaultyServer):
    """An API server and what it holds."""

    handler: ClassVar[type[Exchange]] = KubeApi

    version: str = "v1.27.3"
    lists: dict[str, Callable[[str], list[JSON]]] = field(default_factory=dict)
    """Items by the path that lists them; each gets the field selector."""
    objects: dict[str, JSON] = field(default_factory=dict)
    """Single objects by their path."""
    may: Callable[[JSON], bool] = lambda _wanted: True
    """Gets the resource attributes of an access review."""
    rules: JSON = field(default_factory=dict)
    """The status of a rules review."""


def _groups(path: str) -> JSON:
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    groups = []
    for name in GROUPS:
        group, slash, version = name.partition("/")
        preferred = {"groupVersion": name, "version": version}
        if slash:
            groups.append({"name": group, "versions": [preferred], "preferredVersion": preferred})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _resources(group: str) -> JSON:
    resources = [
        {
            "name": name,
            "singularName": kind.lower(),
            "namespaced": name in NAMESPACED,
            "kind": kind,
            "verbs": ["get", "list", "create"],
        }
        for name, kind in GROUPS[group].items()
    ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group,
        "resources": resources,
    }
