"""Installs and upgrades: read the cluster, plan every command, check the registry, run, confirm.

`plan` is a function of values: a dry run shows the very steps that a run would take. Read `model`
first, then `planner`, which fills a `draft` from `offers` and `releases`; where it starts from is
read by `observe`, or taken for granted by `assume`; `run` takes the steps and `show` prints them.
"""

from mirror.deploy.assume import assume
from mirror.deploy.model import Action, Offered, Order, Plan, State, Step
from mirror.deploy.observe import Ask, observe
from mirror.deploy.offers import check_kept, offers
from mirror.deploy.planner import plan
from mirror.deploy.releases import applications_of
from mirror.deploy.run import Hands, run, secrets_of
from mirror.deploy.show import as_json, as_text

__all__ = [
    "Action",
    "Ask",
    "Hands",
    "Offered",
    "Order",
    "Plan",
    "State",
    "Step",
    "applications_of",
    "as_json",
    "as_text",
    "assume",
    "check_kept",
    "observe",
    "offers",
    "plan",
    "run",
    "secrets_of",
]
