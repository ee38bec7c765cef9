"""`airgap-mirror config`: what releases ask, and what the site answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mirror.cli.operation import (
    Elsewhere,
    View,
    operation_options,
    show_plan,
    turn_of,
    view_options,
)
from mirror.cli.options import examples, release_option, site_option, sources_argument
from mirror.config.advice import advise, differing, is_in_guide
from mirror.config.carried import CarriedRelease, carried_releases
from mirror.config.compare import Compared, as_data, as_lines, compare_configs, compare_values
from mirror.config.plans import Asked, plan_check, plan_init, plan_review
from mirror.config.template import compose, emptied
from mirror.site import Application, by_namespace
from mirror.site.file import load_site
from transfer.console import emit, home, progress_for
from transfer.disk import read_text, storage_errors
from transfer.errors import Conflict, InvalidInput, NotFound
from transfer.kots.finding import Finding, refuse
from transfer.kots.values import ConfigValues, check_values
from transfer.sources import open_sources
from transfer.text import counted

_app_option = click.option("--app", metavar="SLUG", help="This application only.")


@click.group(
    short_help="Write, check and compare the answers to what releases ask.",
    epilog=examples(
        "config init /media/usb/harness --app harness -o configvalues.yaml",
        "config check /media/usb/harness --site site.yaml",
        "config diff old.yaml new.yaml",
    ),
)
def config() -> None:
    """Answer before the window what the Config page of KOTS would ask in it.

    Vendor's install guide, "Step 3: Configure Harness": what is filled in there by hand is a file
    of configuration values here, named by `configValues` in the site file.
    """


@config.command(
    epilog=examples(
        "config init /media/usb/harness --app harness -o configvalues.yaml",
        "config init harness.airgap -o configvalues.yaml --force",
        "config init harness.airgap -o configvalues.yaml --dry-run --output script",
    ),
)
@sources_argument
@release_option
@_app_option
@click.option(
    "-o",
    "out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write; nobody else can read it.",
)
@click.option("--force", is_flag=True, help="Write it even if there is such a file.")
@operation_options
def init(
    *,
    sources: tuple[Path, ...],
    releases: tuple[str, ...],
    app: str | None,
    out: Path,
    force: bool,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Write a file to fill in, with every item that the newest release in SOURCE asks for.

    Each item has its title, help, default and conditions as comments. Ends with 8 if the file is
    there, unless --force says to write it anew.
    """
    manner = Elsewhere(**common)
    with turn_of(manner) as turn:
        with open_sources(sources, progress_for(quiet=manner.quiet), releases) as opened:
            carried = carried_releases(opened, app)
            if len(carried) > 1:
                raise click.UsageError(f"--app is missing: there are {', '.join(carried)}")
            ((slug, found),) = carried.items()
            asked = found[-1].read_config()
            name = str(found[-1])
        if not asked.items:
            raise NotFound(f"{name}: asks nothing: it has no Config that can be read")
        with storage_errors(f"file {out}"):
            out = out.resolve()
        content = compose(asked, slug, name)
        is_there = _is_there(out, content, force=force or manner.dry_run)
        planned = plan_init(str(out), name, content, is_there=is_there, replaces=force)
        if turn.carry_out(None, planned) is None:
            return
    needed = [item.name for item in asked.items if item.is_needed]
    lines = [f"{out}: {counted(len(asked.items), 'item')} of {name}"]
    lines += [f"to fill in: {', '.join(needed)}"] if needed else []
    data = {"file": str(out), "release": name, "items": len(asked.items), "required": needed}
    emit(manner.output, "\n".join(lines), data)


def _is_there(out: Path, content: str, *, force: bool) -> bool:
    """Whether the file has been written already, as by a run that was interrupted after it.

    Raises:
        Conflict: another one is there, and is not to be replaced.
    """
    if not out.exists() or force:
        return False
    if read_text(out, f"file {out}") == content:
        return True
    raise Conflict(
        f"{out}: is there already", hint="choose another file, or give --force to replace it"
    )


@config.command(
    epilog=examples(
        "config check /media/usb/harness --site site.yaml",
        "config check harness-ng.airgap --site site.yaml --app harness-ng --output json",
        "config check harness-ng.airgap --site site.yaml --dry-run --output runbook",
    ),
)
@sources_argument
@release_option
@site_option("The site file, whose applications name their files of values.", required=True)
@_app_option
@view_options
def check(
    *,
    sources: tuple[Path, ...],
    releases: tuple[str, ...],
    site: Path,
    app: str | None,
    **common: Any,  # noqa: ANN401 - as View takes them
) -> None:
    """Check the site's configuration values against what the newest releases in SOURCE ask.

    An install gives them to KOTS. What KOTS would stop at, or pass over without a word, ends it
    with 12; what the vendor's guide advises is a note. No value is ever shown. A dry run reads
    the sources and not the values, and lists what a person has to see in them.
    """
    view = View(site=site, **common)
    at_site = load_site(site, home())
    wanted = [at_site.application(app)] if app else at_site.applications
    with open_sources(sources, progress_for(quiet=view.quiet), releases) as opened:
        carried = carried_releases(opened, app)
        pairs = [(one, carried[one.slug][-1]) for one in wanted if one.slug in carried]
        if not pairs:
            known = ", ".join(carried)
            raise NotFound(
                f"{site}: lists none of the applications that the sources carry: {known}"
            )
        if view.dry_run:
            show_plan(plan_check(at_site.name, [_asked(*pair) for pair in pairs]), view)
            return
        checked = [_check(*pair) for pair in pairs]
    shared = list(_of_one_console(at_site.applications, checked))
    emit(view.output, _checked_text(checked, shared), _checked_json(checked, shared))
    refuse("configuration values are refused", (f for one in checked for f in one.findings))


@config.command(
    epilog=examples(
        "config diff old.yaml new.yaml",
        "config diff /media/usb/harness-2026.10 /media/usb/harness-2026.11 --app harness",
        "config diff /media/usb/harness-2026.11",
        "config diff /media/usb/harness-2026.11 --dry-run --output runbook",
    ),
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path), required=False)
@_app_option
@view_options
def diff(
    *,
    old: Path,
    new: Path | None,
    app: str | None,
    **common: Any,  # noqa: ANN401 - as View takes them
) -> None:
    """Compare two files of values, or what two releases ask.

    OLD and NEW are files of configuration values, or bundles or archives; of each the newest
    release counts. OLD alone carries several releases, which are compared one after the other.
    Of values, only their items are shown. Nothing is asked of anybody, so that a dry run compares
    as well: its plan is the list to go through.
    """
    view = View(site=old, **common)
    given = [_values(path) for path in (old, new) if path is not None]
    if new and all(given):
        first, second = filter(None, given)
        found: Compared = {f"{old} -> {new}": list(compare_values(first, second))}
    elif any(given):
        raise InvalidInput(
            f"{' and '.join(str(p) for p, v in zip((old, new), given, strict=False) if v)}: "
            "configuration values, which are compared with another file of them"
        )
    else:
        found = _compare_sources([old, *([new] if new else [])], app, quiet=view.quiet)
    if view.dry_run:
        show_plan(plan_review(found), view)
        return
    emit(
        view.output,
        "\n".join(as_lines(found)),
        as_data(found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    slug: str
    release: str
    file: str
    values: ConfigValues
    is_in_guide: bool
    findings: Sequence[Finding]
    notes: Sequence[str]


def _asked(application: Application, carried: CarriedRelease) -> Asked:
    file, config = application.config_values, carried.read_config()
    return Asked(slug=application.slug, release=str(carried), file=file or None, config=config)


def _check(application: Application, carried: CarriedRelease) -> _Checked:
    path, asked = application.config_values, carried.read_config()
    where = f"applications.{application.slug}.configValues"
    if path:
        values = ConfigValues.parse(read_text(Path(path), f"{where}: {path}"), path)
    else:
        values = ConfigValues(file=f"{where} (not given)")
    return _Checked(
        slug=application.slug,
        release=str(carried),
        file=values.file,
        values=values,
        is_in_guide=is_in_guide(asked),
        findings=list(check_values(values, [(str(carried), asked)])),
        notes=[
            f"{values.file}: {note}" for note in (*emptied(values, asked), *advise(values, asked))
        ],
    )


def _of_one_console(
    applications: Sequence[Application], checked: Sequence[_Checked]
) -> Iterator[str]:
    """Where applications of one admin console answer one item in two ways."""
    found = {one.slug: one for one in checked if one.is_in_guide}
    for group in by_namespace(applications).values():
        members = [found[one.slug] for one in group if one.slug in found]
        for other in members[1:]:
            first = members[0]
            if names := differing(first.values, other.values):
                yield (
                    f"{first.slug} and {other.slug} have different values of {', '.join(names)}; "
                    "the vendor's guide (Install NextGen on existing FirstGen cluster) wants the "
                    "same in both"
                )


def _checked_text(checked: Sequence[_Checked], shared: Sequence[str]) -> str:
    lines = []
    for one in checked:
        answers, faults = len(one.values.answers), len(one.findings)
        what = counted(faults, "fault") if faults else "nothing to correct"
        lines.append(f"{one.release}: {one.file}: {counted(answers, 'value')}, {what}")
        lines += [f"  note: {note}" for note in one.notes]
    return "\n".join([*lines, *(f"note: {note}" for note in shared)])


def _checked_json(checked: Sequence[_Checked], shared: Sequence[str]) -> dict[str, Any]:
    return {
        "applications": [
            {
                "slug": one.slug,
                "release": one.release,
                "file": one.file,
                "findings": [
                    {"rule": f.rule.value, "item": f.subject, "message": f.message}
                    for f in one.findings
                ],
                "notes": list(one.notes),
            }
            for one in checked
        ],
        "notes": list(shared),
    }


def _values(path: Path) -> ConfigValues | None:
    """A file of values; None for a bundle or an archive, which is no text."""
    if path.is_dir():
        return None
    with storage_errors(str(path)), path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b" or path.suffix in (".airgap", ".tar"):
            return None
    return ConfigValues.parse(read_text(path, str(path)), str(path))


def _compare_sources(paths: Sequence[Path], app: str | None, *, quiet: bool) -> Compared:
    with open_sources(paths, progress_for(quiet=quiet)) as opened:
        sides = [carried_releases([source], app) for source in opened]
        found = {}
        for slug in sides[0]:
            releases = (
                [side[slug][-1] for side in sides if slug in side]
                if len(sides) > 1
                else list(sides[0][slug])
            )
            configs = [one.read_config() for one in releases]
            for i in range(1, len(releases)):
                title = f"{releases[i - 1]} -> {releases[i].release.version_label}"
                found[title] = list(compare_configs(configs[i - 1], configs[i]))
    if not found:
        raise NotFound(
            f"{' and '.join(map(str, paths))}: no application with two releases to compare"
        )
    return found
