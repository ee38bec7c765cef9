"""The command `airgap-bundler`.

Each command is in a module of its own, loaded when it is asked for; `options` reads what is given,
`access` reaches what a spec names, `reports` words the results.
"""

from __future__ import annotations

import functools

import click

from transfer import __version__, console
from transfer.console import HELP, Program

examples = functools.partial(console.examples, "airgap-bundler")
"""An epilog for `--help`: see `transfer.console.examples`."""


@click.group(
    cls=Program,
    context_settings=HELP,
    modules={
        "init": "bundler.cli.init",
        "lock": "bundler.cli.lock",
        "check": "bundler.cli.check",
        "build": "bundler.cli.build",
        "verify": "bundler.cli.sources",
        "show": "bundler.cli.sources",
        "schema": "bundler.cli.schema",
        "cache": "bundler.cli.cache",
    },
    epilog=examples(
        "lock   manifests/first-install.yaml",
        "build  manifests/first-install.yaml -o harness-2026.11",
        "verify harness-2026.11",
    ),
)
@click.version_option(__version__, prog_name="airgap-bundler")
def main() -> None:
    """The connected end: resolve a bundle spec, prove every byte, write the transfer bundle.

    Results go to stdout, everything else to stderr.
    """
