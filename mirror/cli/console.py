"""`airgap-mirror console`: a way to the admin console, as long as it is wanted."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mirror.cli.operation import View, show_plan, view_options
from mirror.cli.options import examples, site_option
from mirror.credentials import Keyring, passwords
from mirror.kots import daily
from mirror.process import Runner
from mirror.site.file import load_site
from mirror.upkeep.console import hold, plan_console
from transfer.console import emit, home, say_for

_ADDRESS = re.compile(r"https?://localhost:\d+")


@click.command(
    short_help="Open a way to the admin console.",
    epilog=examples(
        "console --site site.yaml",
        "console --site site.yaml --app harness-ng --port 8801",
        "console --site site.yaml --dry-run",
        "console --site site.yaml --dry-run --output script",
    ),
)
@site_option("The site file: which cluster, which namespace.", required=True)
@click.option("--app", metavar="SLUG", help="The console of this application.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=daily.CONSOLE_PORT,
    show_default=True,
    help="Of this machine; where 8800 is taken, KOTS looks for one that is free.",
)
@view_options
def console(
    *,
    site: Path,
    app: str | None,
    port: int,
    **common: Any,  # noqa: ANN401 - as View takes them
) -> None:
    """Forward a local port to the admin console, and print its address; Ctrl-C ends it.

    Vendor's install guide, "Step 3: Configure Harness" and "Monitoring Harness". Log in with the
    password that was set at the install.
    """
    view = View(site=site, **common)
    loaded = load_site(site, home())
    namespace = loaded.application(app).namespace if app else loaded.namespace
    plan = plan_console(loaded, namespace, port)
    if view.dry_run:
        show_plan(plan, view)
        return
    say = say_for(quiet=view.quiet)
    keyring = Keyring(dict(os.environ))
    heard = _announcing(say, view.output)
    try:
        hold(plan, Runner(keyring=keyring, secrets=passwords(loaded), say=heard))
    except KeyboardInterrupt:  # the way it is meant to end
        say("closed")


def _announcing(say: Callable[[str], None], output: str) -> Callable[[str], None]:
    """Pass on what KOTS says, in a thread of its own; the address alone goes to stdout."""
    context = click.get_current_context()

    def heard(line: str) -> None:
        found = _ADDRESS.search(line)
        if found:
            with context.scope(cleanup=False):  # an error that follows is to know of it
                emit(output, found[0], {"address": found[0]})
            say("Ctrl-C closes it.")
        elif "Ctrl+C" not in line:
            say(line)

    return heard
