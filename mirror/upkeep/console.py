"""A way to the admin console, as long as it is wanted.

Source: vendor's install guide, "Step 3: Configure Harness" and "Monitoring Harness".
"""

from __future__ import annotations

from mirror.kots import daily, outcome
from mirror.operation.hands import AskCluster
from mirror.operation.model import Plan, Step
from mirror.operation.reading import Hold
from mirror.site import Site
from transfer.errors import ToolError


def plan_console(site: Site, namespace: str, port: int) -> Plan:
    """The one command, which forwards a port of this machine until it is interrupted."""
    step = Step(
        name=f"open-console-{namespace}",
        why=f"Forward port {port} of this machine to the admin console in namespace {namespace}, "
        "until Ctrl-C ends it; where the port is taken, KOTS says which one it takes instead.",
        action=Hold(command=daily.open_console(site, namespace, port)),
    )
    return Plan(
        title=f"open the admin console of namespace {namespace} at {site.name}",
        steps=(step,),
        notes=("Log in with the password that was set at the install.",),
    )


def hold(plan: Plan, execute: AskCluster) -> None:
    """Keep the way open; an interrupt is the way it is meant to end.

    Raises:
        ToolError: there is no way, or it is closed by itself.
    """
    for command in plan.commands():
        outcome.check(execute(command), command)
        raise ToolError(
            f"{command}\nended by itself: the way to the admin console is closed",
            hint="the console's pod may have been replaced: run the same command again",
        )
