"""The command `check`, and the option that `build` shares with it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bundler.check import ALLOWABLE, Checked, Verdict
from bundler.check import check as run_check
from bundler.cli import examples
from bundler.cli.access import Access
from bundler.cli.options import access_options, lock_path, read_spec
from bundler.resolve import check_spec, read_lock
from transfer.console import emit, output_option, progress_for, quiet_option, say_for
from transfer.kots.finding import Finding
from transfer.report import counts

allow_option = click.option(
    "--allow",
    metavar="FINDING",
    type=click.Choice([rule.value for rule in ALLOWABLE]),
    multiple=True,
    help="Let a finding of this name pass; the bundle keeps a record. May be given more than once.",
)
"""`--allow FINDING`; the command gets the names as `allow`."""


@click.command(
    short_help="Hold what SPEC names against everything the site will demand.",
    epilog=examples("check manifests/first-install.yaml", "check spec.yaml --allow kots-too-new"),
)
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@allow_option
@access_options
@quiet_option
@output_option
def check(*, spec: Path, allow: tuple[str, ...], access: Access, quiet: bool, output: str) -> None:
    """Read and prove everything that SPEC names, and hold it against what the site will demand.

    Versions, plugins, licences, configuration values, images and upgrade paths: what KOTS would
    refuse in the maintenance window is refused here, all of it at once. Nothing is written but
    downloads into the cache. The lock, where there is one, has to agree. docs/check.md lists the
    findings.
    """
    wanted, lock = read_spec(spec), read_lock(lock_path(spec))
    if lock is not None:
        check_spec(lock, wanted, str(lock_path(spec)))
    with access.inputs(wanted, spec.parent, progress_for(quiet=quiet)) as inputs:
        checked = run_check(
            wanted, spec.parent, inputs, locked=lock, allow=allow, now=datetime.now(UTC)
        )
    say = say_for(quiet=quiet)
    for line in verdict_lines(checked.verdict):
        say(line)
    checked.verdict.raise_refused(str(spec))
    emit(output, _text(spec, checked), _json(checked))


def verdict_lines(verdict: Verdict) -> list[str]:
    """What passed, and is to be known all the same."""
    return [
        *(f"warning: {finding}" for finding in verdict.warnings),
        *(f"allowed: {finding}" for finding in verdict.allowed),
    ]


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """The same for a program."""
    return {
        "warnings": list(map(_finding_json, verdict.warnings)),
        "allowed": list(map(_finding_json, verdict.allowed)),
    }


def _text(spec: Path, checked: Checked) -> str:
    allowed = len(checked.verdict.allowed)
    passed = f"; {allowed} allowed" if allowed else ""
    return f"{spec}: {counts(checked.contents)}, nothing against it{passed}"


def _json(checked: Checked) -> dict[str, Any]:
    contents = checked.contents
    return {
        "archives": len(contents.archives),
        "images": len(contents.all_images()),
        "files": len(contents.all_files()),
        **verdict_json(checked.verdict),
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    value = {"name": finding.rule.value, "subject": finding.subject, "message": finding.message}
    return value | ({"hint": finding.hint} if finding.hint else {})
