"""A stand-in for oc: its version, and security context constraints for service accounts.

`allowed` in the state has what was given: policy, namespace and account.
"""

from __future__ import annotations

import json
import sys

from tests.fakes.cluster import State, cluster, log
from tests.fakes.kubereads import kube
from tests.fakes.kubeverbs import Call, Refused, Verb, parse

_PLACES = {"--serviceaccount": True}


def main() -> None:
    """Run one command line."""
    words = sys.argv[1:]
    log("oc", words)
    try:
        call, verb = parse(words, VERBS)
        with cluster() as state:
            said = verb.run(call, state)
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
        sys.exit(refusal.code)
    sys.stdout.write(said)


def _version(_call: Call, _state: State) -> str:
    return json.dumps({"releaseClientVersion": "4.14.1"}) + "\n"


def _adm(call: Call, state: State) -> str:
    if call.arguments[:1] != ["policy"] or "--serviceaccount" not in call.flags:
        raise Refused(f"error: unknown command {call.arguments}")
    _, change, policy = call.arguments
    namespace, account = call.namespace, call.flags["--serviceaccount"]
    if namespace not in (*kube(state)["namespaces"], *state["namespaces"]):
        raise Refused(f'Error from server (NotFound): namespaces "{namespace}" not found')
    allowed = state.setdefault("allowed", [])
    given = [policy, namespace, account]
    if change == "add-scc-to-user" and given not in allowed:
        allowed.append(given)
    if change == "remove-scc-from-user" and given in allowed:
        allowed.remove(given)
    return (
        f'clusterrole.rbac.authorization.k8s.io/system:openshift:scc:{policy} added: "{account}"\n'
    )


VERBS = {
    "version": Verb(_version, {"--client": False, "--output": True}),
    "adm": Verb(_adm, _PLACES),
}
