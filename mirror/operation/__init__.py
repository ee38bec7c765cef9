"""Operations: a plan that can be read and approved, and a run of it that can be interrupted.

Read `model` first: a plan is a list of steps. `show` prints it for a person and for programs,
`script` and `runbook` write it down for where we are not; `run` takes its steps with the `hands`
it is given, and notes them in a `journal`.
"""

from mirror.operation.hands import AskCluster, Hands
from mirror.operation.model import Plan, Step
from mirror.operation.run import run, secrets_of
from mirror.operation.runbook import as_runbook
from mirror.operation.script import as_script
from mirror.operation.show import as_json, as_text

__all__ = [
    "AskCluster",
    "Hands",
    "Plan",
    "Step",
    "as_json",
    "as_runbook",
    "as_script",
    "as_text",
    "run",
    "secrets_of",
]
