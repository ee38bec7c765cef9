"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from transfer import console

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

examples = partial(console.examples, "airgap-mirror")
"""An epilog for `--help`: see `transfer.console.examples`."""


def sources_argument(command: _Decorated) -> _Decorated:
    """`SOURCE…`: bundles and archives; the command gets them as `sources`."""
    return click.argument(
        "sources", metavar="SOURCE...", type=click.Path(path_type=Path), nargs=-1, required=True
    )(command)


release_option = click.option(
    "--release",
    "releases",
    metavar="SLUG=LABEL",
    multiple=True,
    help="Of this application, this release only. May be given more than once.",
)
"""`--release SLUG=LABEL`; the command gets all of them as `releases`, for `open_sources`."""


def site_option(help_text: str, *, required: bool = False) -> Callable[[_Decorated], _Decorated]:
    """`--site SITE`; the command gets the path as `site`."""
    return click.option(
        "--site",
        metavar="SITE",
        type=click.Path(path_type=Path, dir_okay=False),
        required=required,
        help=help_text,
    )
