"""What installs and upgrades change through the fake kubectl: namespaces and secrets."""

from __future__ import annotations

from tests.fakes.cluster import State, namespace_of
from tests.fakes.kubereads import kube
from tests.fakes.kubeverbs import Call, Refused, Verb


def create(call: Call, state: State) -> str:
    """`kubectl create namespace NAME`."""
    kind, name = call.arguments
    if kind != "namespace":
        raise Refused(f'error: unknown command "{kind}"')
    if name in (*kube(state)["namespaces"], *state["namespaces"]):
        raise Refused(f'Error from server (AlreadyExists): namespaces "{name}" already exists')
    namespace_of(state, name)
    return f"namespace/{name} created\n"


def delete(call: Call, state: State) -> str:
    """`kubectl delete secrets NAME`."""
    kind, name = call.arguments
    if kind != "secrets":
        raise Refused(f'error: the server doesn\'t have a resource type "{kind}"')
    secrets = state["namespaces"].get(call.namespace, {}).get("secrets", {})
    if name not in secrets and not call.on("--ignore-not-found"):
        raise Refused(f'Error from server (NotFound): secrets "{name}" not found')
    return f'secret "{name}" deleted\n' if secrets.pop(name, None) else ""


VERBS = {
    "create": Verb(create, {}),
    "delete": Verb(delete, {"--ignore-not-found": False}),
}
