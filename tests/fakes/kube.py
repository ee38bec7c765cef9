"""A stand-in for kubectl: starts plugins, and answers the one `get` that we ask."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.fakes import kots
from tests.fakes.cluster import cluster, log, namespace_of

_FLAGS = ("--kubeconfig=", "--context=", "--namespace=", "--output=json", "--ignore-not-found")


def main() -> None:
    """Run one command line."""
    words = sys.argv[1:]
    if words[:1] == ["kots"]:
        kots.main(words[1:])  # the plugin, without the price of another process
    log("kubectl", words)
    if words[:1] != ["get"]:
        sys.exit(f"error: unknown command or flag {words[:1]}")
    flags = [word for word in words[1:] if word.startswith("-")]
    for flag in flags:
        if not flag.startswith(_FLAGS):
            sys.exit(f"error: unknown flag: {flag}")
    name = next(flag for flag in flags if flag.startswith("--namespace=")).partition("=")[2]
    names = [word for word in words[1:] if not word.startswith("-")]
    with cluster() as state:
        items = [item for item in _objects(namespace_of(state, name)) if _name(item) in names]
    if items:
        sys.stdout.write(json.dumps({"kind": "List", "items": items}, indent=4) + "\n")


def _name(item: dict[str, Any]) -> str:
    return f"{item['kind'].lower()}/{item['metadata']['name']}"


def _objects(namespace: dict[str, Any]) -> list[dict[str, Any]]:
    console = namespace["console"]
    if console is None:
        return []
    image = f"{console['registry']}/kotsadm:{console['version']}"
    containers = [{"name": "kotsadm", "image": image}]
    workload = {
        "kind": "Deployment" if console["minio"] else "StatefulSet",
        "metadata": {"name": "kotsadm"},
        "spec": {"template": {"spec": {"containers": containers}}},
    }
    config = {
        "kind": "ConfigMap",
        "metadata": {"name": "kotsadm-confg"},
        "data": {"kotsadm-registry": console["registry"]},
    }
    return [workload, config]
