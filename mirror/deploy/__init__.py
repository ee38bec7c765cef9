"""Installs and upgrades: read the cluster, plan every command, check the registry, run, confirm.

`plan` is a function of values: a dry run shows the very steps that a run would take. Read `model`
first, then `planner`, which fills a `draft` from `offers` and `releases`; where it starts from is
read by `observe`, or taken for granted by `assume`. `mirror.operation` shows and runs what comes
out.
"""

from mirror.deploy.assume import assume
from mirror.deploy.model import Known, Order, State, Task
from mirror.deploy.observe import observe
from mirror.deploy.offers import check_kept, offers
from mirror.deploy.planner import plan
from mirror.deploy.releases import applications_of, looked_at

__all__ = [
    "Known",
    "Order",
    "State",
    "Task",
    "applications_of",
    "assume",
    "check_kept",
    "looked_at",
    "observe",
    "offers",
    "plan",
]
