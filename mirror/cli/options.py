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


app_option = click.option(
    "--app", metavar="SLUG", help="One application of the site; otherwise all."
)
"""`--app SLUG`; the command gets it as `app`, None for all."""

one_app_option = click.option("--app", metavar="SLUG", required=True, help="The application.")
"""`--app SLUG` of a command for one application; the command gets it as `app`."""


class _Jobs(click.IntRange):
    """A number of jobs; 0, which is no such number, stands for `auto`."""

    name = "auto|number"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """The number."""
        return 0 if value == "auto" else super().convert(value, param, ctx)


adaptive_jobs_option = click.option(
    "--jobs",
    type=_Jobs(1, 64),
    default="auto",
    show_default=True,
    help="Blobs in flight at the same time; auto finds out how many the other side sustains.",
)
"""`--jobs auto|N`; the command gets the number, or 0, as `jobs`."""
