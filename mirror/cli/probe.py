"""`airgap-mirror probe`: what a registry is like."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from mirror.cli.destination import destination_options
from mirror.cli.options import examples
from mirror.probe import REPOSITORY, Probe
from mirror.site.file import write_habits
from mirror.site.habits import to_lines
from mirror.target import RegistryAccess
from transfer.console import emit, home, output_option
from transfer.reference import parse_endpoint
from transfer.text import table


@click.command(
    short_help="Find out the habits of a registry; leave nothing behind.",
    epilog=examples(
        "probe registry.example:5000/harness --ca-file ca.pem",
        "probe --site site.yaml --write",
    ),
)
@destination_options(argument=True)
@click.option(
    "--write",
    is_flag=True,
    help="Write what was found into the site file, as registry.habits; a push makes use of it.",
)
@output_option
def probe(*, to: str, access: RegistryAccess, write: bool, output: str) -> None:
    """Find out what a registry takes, with a few kilobytes, before a push depends on it.

    Uploads are begun and cancelled; no image, no tag and no blob is stored. If a push would be
    refused, it ends with the error of that push.
    """
    site: Path | None = click.get_current_context().params["site"]
    if write and site is None:
        raise click.UsageError("--write needs --site: that is the file to write into")
    endpoint = parse_endpoint(to)
    path = f"{endpoint.path}/{REPOSITORY}" if endpoint.path else REPOSITORY
    with access.connect(endpoint.registry) as client:
        found = Probe(client, path)
        found.run()
    rows = [(one.name, one.value, one.told) for one in found.findings]
    data = {one.name: {"value": one.value, "told": one.told} for one in found.findings}
    emit(output, "\n".join(table(rows)), {"endpoint": to, "repository": path, "findings": data})
    if found.refusal is not None:
        raise found.refusal
    if write and site is not None:
        values = {one.name: one.value for one in found.findings}
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        write_habits(site, to_lines(values, day), home())
        click.echo(f"written to {site}: registry.habits", err=True)
