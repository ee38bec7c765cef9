"""A stand-in for kubectl: starts plugins, and answers what it is asked of an imaginary cluster.

`VERBS` is everything it knows. `refusals` in the state lets a command fail: its first words, such
as `get nodes`, with what kubectl then says on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from tests.fakes import kots, kube_changes, kubedeploy, kubereads
from tests.fakes.cluster import State, cluster, log
from tests.fakes.kubeverbs import Refused, Verb, parse

VERBS: Mapping[str, Verb] = {**kubereads.VERBS, **kube_changes.VERBS, **kubedeploy.VERBS}
"""Each by its name; a file of verbs has a table `VERBS` too, and is added here."""


def main() -> None:
    """Run one command line."""
    words = sys.argv[1:]
    if words[:1] == ["kots"]:
        kots.main(words[1:])  # the plugin, without the price of another process
    log("kubectl", words)
    try:
        call, verb = parse(words, VERBS)
        with cluster() as state:
            _refuse(state, words)
            said = verb.run(call, state)
    except Refused as refusal:
        sys.stdout.write(refusal.stdout)
        sys.stdout.flush()
        sys.stderr.write(f"{refusal}\n")
        sys.exit(refusal.code)
    sys.stdout.write(said)


def _refuse(state: State, words: Sequence[str]) -> None:
    line = " ".join(words)
    for start, said in state.get("refusals", {}).items():
        if line == start or line.startswith(f"{start} "):
            raise Refused(said)
