"""`airgap-mirror console`: a way to the admin console, as long as it is wanted."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import click

from mirror.cli.options import examples, site_option
from mirror.credentials import Keyring, passwords
from mirror.kots import daily, outcome
from mirror.process import Runner
from mirror.site.file import load_site
from transfer.console import home, quiet_option, say_for
from transfer.errors import ToolError

_ADDRESS = re.compile(r"https?://localhost:\d+")


@click.command(
    short_help="Open a way to the admin console.",
    epilog=examples(
        "console --site site.yaml",
        "console --site site.yaml --app harness-ng --port 8801",
        "console --site site.yaml --dry-run",
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
@click.option("--dry-run", is_flag=True, help="Print the command.")
@quiet_option
def console(*, site: Path, app: str | None, port: int, dry_run: bool, quiet: bool) -> None:
    """Forward a local port to the admin console, and print its address; Ctrl-C ends it.

    Vendor's install guide, "Step 3: Configure Harness" and "Monitoring Harness". Log in with the
    password that was set at the install.
    """
    loaded = load_site(site, home())
    namespace = loaded.application(app).namespace if app else loaded.namespace
    command = daily.open_console(loaded, namespace, port)
    if dry_run:
        click.echo(command.shell_line())
        return
    say = say_for(quiet=quiet)
    runner = Runner(
        keyring=Keyring(dict(os.environ)), secrets=passwords(loaded), say=_announcing(say)
    )
    try:
        finished = runner(command)
    except KeyboardInterrupt:  # the way it is meant to end
        say("closed")
        return
    outcome.check(finished, command)
    raise ToolError(
        f"{command}\nended by itself: the way to the admin console is closed",
        hint="the console's pod may have been replaced: run the same command again",
    )


def _announcing(say: Callable[[str], None]) -> Callable[[str], None]:
    """Pass on what KOTS says; the address alone goes to stdout."""

    def heard(line: str) -> None:
        found = _ADDRESS.search(line)
        if found:
            click.echo(found[0])
            say("Ctrl-C closes it.")
        elif "Ctrl+C" not in line:
            say(line)

    return heard
