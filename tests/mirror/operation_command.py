"""A small operation as a command: python -m tests.mirror.operation_command try --site SITE …"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mirror.cli.operation import Manner, operation_options, turn_of
from mirror.cli.options import site_option
from mirror.operation.model import Person, Run, Step
from mirror.secret import FromEnvironment
from mirror.site.file import load_site
from tests.mirror.shells import kubectl, plan_of
from transfer.console import Program

ENVIRONMENT = (("KOTS_REGISTRY_PASSWORD", FromEnvironment("REGISTRY_PASSWORD")),)
PLAN = plan_of(
    Step(
        name="backup",
        why="Have a backup.",
        action=Person(instructions="Back it up:\n\n  kubectl kots backup"),
        recorded=True,
    ),
    Step(
        name="install",
        why="Install it.",
        action=Run(command=kubectl("install", environment=ENVIRONMENT)),
        undo="take it out again",
    ),
)


@click.group(cls=Program)
def main() -> None:
    """Try an operation."""


@main.command("try")
@site_option("The site file.", required=True)
@operation_options
def attempt(*, site: Path, **common: Any) -> None:  # noqa: ANN401 - as Manner takes them
    """Try it."""
    manner = Manner(site=site, **common)
    with turn_of(manner) as turn:
        if not manner.dry_run:
            Path("seen").touch()  # as if the cluster was asked
        turn.take(load_site(site, None), PLAN)


if __name__ == "__main__":
    main()
