"""`airgap-mirror rewrite-images`: Kubernetes YAML with the names of the site's registry."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mirror.cli.operation import Elsewhere, operation_options, turn_of
from mirror.cli.options import examples, release_option, site_option
from mirror.holdings import Holdings
from mirror.rewriteplan import Target, digest_of, joined, plan_rewrite
from mirror.rewriting import Rewritten, raise_refused, rewrite
from mirror.site.file import load_site
from mirror.target import STORE_PREFIX
from transfer.console import (
    emit,
    emit_file,
    home,
    progress_for,
    say_for,
)
from transfer.disk import FILE_MODE, storage_errors
from transfer.errors import InvalidInput, TransferError
from transfer.reference import Repository, parse_endpoint
from transfer.relocate import Relocation
from transfer.sources import images_of, open_sources
from transfer.text import counted, table

STDIN = Path("-")


@click.command(
    "rewrite-images",
    short_help="Give the images in Kubernetes YAML the names of the site.",
    epilog=examples(
        "rewrite-images delegate.yaml --source BUNDLE --site site.yaml -o new.yaml",
        "rewrite-images delegate.yaml --source BUNDLE --to r.example:5000/ns --openshift",
        "rewrite-images a.yaml b.yaml --source BUNDLE --site site.yaml --look --in-place",
        "rewrite-images a.yaml --source BUNDLE --site site.yaml --in-place --dry-run",
    ),
)
@click.argument(
    "files", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1, required=True
)
@click.option(
    "--source",
    "sources",
    metavar="SOURCE",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="A bundle or archive whose images the site has. May be given more than once.",
)
@release_option
@site_option("The site file, for the registry that it names.")
@click.option("--to", metavar="HOST[:PORT][/NS]", help="The site's registry, as push takes it.")
@click.option(
    "--look",
    is_flag=True,
    help="Ask the site's registry, too, and refuse images that it does not hold; with --site.",
)
@click.option("--openshift", is_flag=True, help="Take the delegate's image for OpenShift.")
@click.option(
    "-o",
    "out",
    metavar="OUT",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, instead of to stdout.",
)
@click.option("--in-place", is_flag=True, help="Write each FILE anew where it is.")
@operation_options
def rewrite_images(
    *,
    files: tuple[Path, ...],
    sources: tuple[Path, ...],
    releases: tuple[str, ...],
    site: Path | None,
    to: str | None,
    look: bool,
    openshift: bool,
    out: Path | None,
    in_place: bool,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Give the images in Kubernetes YAML the names that a push gave them at the site.

    FILE is any YAML of Kubernetes, such as a delegate's (vendor's install guide, "Delegates and
    OpenShift"); - is stdin. All but the names stays as it is. If an image is not in a SOURCE, or
    with --look not in the site's registry, nothing is written, and it ends with 5. With --output
    json, stdout gets the list of replacements; the YAML goes to -o or in place, or nowhere.
    """
    manner = Elsewhere(**common)
    _check(files, out, in_place=in_place)
    if manner.dry_run and not out and not in_place:
        raise click.UsageError("--dry-run goes with -o or --in-place: nothing is written otherwise")
    if look and not site:
        raise click.UsageError("--look needs --site, for the way to the registry")
    endpoint = _endpoint(site, to)
    with turn_of(manner) as turn:
        texts = [_read(file) for file in files]
        with open_sources(sources, progress_for(quiet=manner.quiet), releases) as opened:
            holdings = Holdings(images_of(opened), endpoint)
        done = _rewrite_all(files, texts, holdings, openshift=openshift)
        places = [_final(file) if file != STDIN else "-" for file in files]
        images = _named(done, holdings) if look else ()
        targets = _targets(files, texts, out, in_place=in_place)
        planned = plan_rewrite(places, done, targets, images)
        at_site = load_site(site, home()) if site else None
        if turn.carry_out(at_site, planned) is None:
            return
    tell = say_for(quiet=manner.quiet)
    for line in _report(done):
        tell(line)
    if manner.output == "json":
        emit(manner.output, "", _json(done))
    elif not out and not in_place:
        emit_file(joined([one.text for one in done]).encode())


def _named(done: Sequence[Rewritten], holdings: Holdings) -> Sequence[Relocation]:
    """Every image that the files now name."""
    names = {change.new for one in done for change in (*one.replacements, *one.kept)}
    return holdings.plan_of(names).relocations


def _targets(
    files: Sequence[Path], texts: Sequence[str], out: Path | None, *, in_place: bool
) -> list[Target]:
    """What is written: as readable as what was read; a delegate's YAML has its token in it."""
    if out:
        return [Target(path=_final(out), mode=_mode(files[0]))]
    if not in_place:
        return []
    return [
        Target(path=_final(file), mode=_mode(file), before=digest_of(text))
        for file, text in zip(files, texts, strict=True)
    ]


def _final(path: Path) -> str:
    with storage_errors(f"file {path}"):
        return str(path.resolve())  # a link stays one


def _mode(file: Path) -> int:
    with storage_errors(f"file {file}"):
        return stat.S_IMODE(file.stat().st_mode) if file != STDIN else FILE_MODE


def _check(files: Sequence[Path], out: Path | None, *, in_place: bool) -> None:
    if out and in_place:
        raise click.UsageError("-o and --in-place exclude each other")
    if in_place and STDIN in files:
        raise click.UsageError("--in-place: stdin is no place; leave - out")
    if out and any(file.exists() and out.exists() and file.samefile(out) for file in files):
        raise click.UsageError(f"-o {out} is one of the files; to change it, say --in-place")


def _endpoint(site: Path | None, to: str | None) -> Repository:
    if bool(site) == bool(to):
        raise click.UsageError("give --site or --to, one of them, for the site's registry")
    if site:
        return load_site(site, home()).registry.endpoint
    if str(to).startswith(STORE_PREFIX):
        raise InvalidInput(
            f"--to {to}: a site store has no name that a cluster could pull from",
            hint="give the HOST:PORT at which it is served",
        )
    return parse_endpoint(str(to))


def _read(file: Path) -> str:
    """The text with its line ends as they are."""
    what = f"file {file}"
    with storage_errors(what):
        content = sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what}: not text in UTF-8 (byte {error.start})") from None


def _rewrite_all(
    files: Sequence[Path], texts: Sequence[str], holdings: Holdings, *, openshift: bool
) -> list[Rewritten]:
    done, faults = list[Rewritten](), list[TransferError]()
    for file, text in zip(files, texts, strict=True):
        try:
            done.append(rewrite(text, str(file), holdings, openshift=openshift))
        except TransferError as fault:
            faults += fault.faults or (fault,)
    raise_refused(faults)
    return done


def _report(done: Sequence[Rewritten]) -> list[str]:
    rows = [
        (f"{one.file}:{change.line}", change.old, "->", change.new)
        for one in done
        for change in one.replacements
    ]
    kept = sum(len(one.kept) for one in done)
    total = f"{counted(len(rows), 'image')} rewritten, {kept} named the site's registry already"
    return [*(table(rows) if rows else ()), total]


def _json(done: Sequence[Rewritten]) -> dict[str, Any]:
    return {
        "files": [
            {
                "file": one.file,
                "replacements": [change.to_json() for change in one.replacements],
                "kept": [change.to_json() for change in one.kept],
                "notes": list(one.notes),
            }
            for one in done
        ]
    }
