"""The command `airgap-mirror`."""

from __future__ import annotations

import click

from mirror.cli.options import examples
from transfer import __version__
from transfer.console import HELP, Program


@click.group(
    cls=Program,
    context_settings=HELP,
    modules={
        "verify": "mirror.cli.images",
        "show": "mirror.cli.images",
        "probe": "mirror.cli.probe",
        "plan": "mirror.cli.images",
        "push": "mirror.cli.images",
        "preflight": "mirror.cli.preflight",
        "plugin": "mirror.cli.plugin",
        "install": "mirror.cli.kots",
        "upgrade": "mirror.cli.kots",
        "deploy": "mirror.cli.status",
        "status": "mirror.cli.status",
        "audit": "mirror.cli.images",
        "serve": "mirror.cli.serve",
        "load": "mirror.cli.load",
        "rewrite-images": "mirror.cli.rewrite",
        "config": "mirror.cli.config",
        "console": "mirror.cli.console",
        "licence": "mirror.cli.licence",
        "logs": "mirror.cli.logs",
        "remove-ingress-patch": "mirror.cli.ingress",
        "down": "mirror.cli.downtime",
        "up": "mirror.cli.downtime",
    },
    epilog=examples(
        "verify  /media/usb/harness",
        "plan    /media/usb/harness --site site.yaml",
        "push    /media/usb/harness --site site.yaml --receipt receipt.json",
        "preflight /media/usb/harness --site site.yaml",
        "install /media/usb/harness --site site.yaml --dry-run",
        "install /media/usb/harness --site site.yaml",
        "audit   receipt.json --site site.yaml",
    ),
)
@click.version_option(__version__, prog_name="airgap-mirror")
def main() -> None:
    """The disconnected end: prove a bundle, fill the site's registry, drive KOTS.

    SOURCE is the folder of a bundle, or a vendor's archive as it is. Results go to stdout,
    everything else to stderr.
    """
