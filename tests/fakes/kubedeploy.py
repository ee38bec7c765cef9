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


VERBS = {"create": Verb(create, {})}
