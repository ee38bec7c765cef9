"""`airgap-bundler schema`: what editors need to complete and check the files of this toolkit."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli import examples
from bundler.schema import SCHEMAS
from transfer.console import emit
from transfer.disk import replace_file
from transfer.fields import dump_json
from transfer.schema import key_table


@click.command(
    short_help="Print a JSON Schema, so that editors complete and check files.",
    epilog=examples(
        "schema spec -o bundle-spec.schema.json",
        "schema site -o site.schema.json",
        "schema spec --keys",
    ),
)
@click.argument("kind", type=click.Choice([*SCHEMAS]), default="spec")
@click.option(
    "-o",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it there; a schema that is there is written anew.",
)
@click.option("--keys", is_flag=True, help="A table of every key instead, in Markdown.")
def schema(*, kind: str, target: Path | None, keys: bool) -> None:
    """Print the JSON Schema of bundle specs, of their locks, or of site files.

    An editor with a YAML language server uses it for a file whose first line is
    "# yaml-language-server: $schema=FILE", where the path starts at that file's folder.
    """
    wanted = SCHEMAS[kind]()
    if target is None:
        emit("text" if keys else "json", key_table(wanted).rstrip(), wanted)
    else:
        text = key_table(wanted) if keys else dump_json(wanted)
        replace_file(target, text.encode(), f"schema {target}")
