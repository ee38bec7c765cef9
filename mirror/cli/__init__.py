"""The command `airgap-mirror`."""

from __future__ import annotations

import click

from mirror.cli import images, kots
from transfer import __version__
from transfer.console import Program


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="airgap-mirror")
def main() -> None:
    """The disconnected end: prove a bundle, fill the site's registry, drive KOTS.

    SOURCE is the folder of a bundle, or a vendor's archive as it is. Results go to stdout,
    everything else to stderr.
    """


for command in (
    images.verify,
    images.show,
    images.plan,
    images.push,
    images.audit,
    images.serve,
    kots.install,
    kots.upgrade,
):
    main.add_command(command)
