"""`airgap-mirror probe`: what a registry is like."""

from __future__ import annotations

import click

from mirror.cli.destination import destination_options
from mirror.cli.options import examples
from mirror.probe import REPOSITORY, Probe
from mirror.target import RegistryAccess
from transfer.console import emit, output_option
from transfer.reference import parse_endpoint
from transfer.text import table


@click.command(
    short_help="Find out the habits of a registry; leave nothing behind.",
    epilog=examples(
        "probe registry.example:5000/harness --ca-file ca.pem",
        "probe --site site.yaml --output json",
    ),
)
@destination_options(argument=True)
@output_option
def probe(*, to: str, access: RegistryAccess, output: str) -> None:
    """Find out what a registry takes, with a few kilobytes, before a push depends on it.

    Uploads are begun and cancelled; no image, no tag and no blob is stored. If a push would be
    refused, it ends with the error of that push.
    """
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
