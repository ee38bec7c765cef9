"""`airgap-bundler cache`: what downloads have left on this machine."""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from bundler.cli import examples
from bundler.cli.options import default_cache
from bundler.downloads.cache import Cache
from bundler.downloads.upkeep import Kept, look
from bundler.downloads.upkeep import prove as run_prove
from bundler.downloads.upkeep import prune as run_prune
from transfer.console import emit, output_option, progress_for, quiet_option
from transfer.plain import one_line
from transfer.text import counted, human_bytes, table

_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}


def _age(_: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Seconds: a number with h, d or w."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})([hdw])", value)
    if found is None:
        raise click.BadParameter(
            f"expected an age such as 12h, 30d or 4w, found {value!r}", param=param
        )
    return int(found[1]) * _UNITS[found[2]]


_CACHE_DIR = click.option(
    "--cache-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where downloads are kept. [default: $XDG_CACHE_HOME/harness-airgap]",
)


@click.group(
    epilog=examples("cache show", "cache verify", "cache prune --older-than 30d"),
    short_help="Show, prove or tidy away what was downloaded.",
)
def cache() -> None:
    """What was downloaded, each file under the digest of its content.

    Several builds may use one cache at once; nothing that one of them uses is removed.
    """


@cache.command(epilog=examples("cache show", "cache show --output json"))
@_CACHE_DIR
@output_option
def show(*, cache_dir: Path | None, output: str) -> None:
    """Show every file: how much of it is here, what it is, and when it was last used."""
    opened = _open(cache_dir)
    found = look(opened)
    lines = table([_HEADINGS, *map(_row, found)]) if found else []
    total = human_bytes(sum(kept.size for kept in found))
    lines.append(f"{opened.root}: {counted(len(found), 'file')}, {total}")
    emit(output, "\n".join(lines), _json(opened, files=found))


@cache.command(
    epilog=examples(
        "cache prune --older-than 30d",
        "cache prune --partial",
        "cache prune --all",
    )
)
@click.option("--older-than", metavar="AGE", callback=_age, help="Not used for 12h, 30d, 4w.")
@click.option("--partial", is_flag=True, help="Only what has not come whole.")
@click.option("--all", "everything", is_flag=True, help="Whatever its age.")
@_CACHE_DIR
@output_option
def prune(
    *,
    older_than: int | None,
    partial: bool,
    everything: bool,
    cache_dir: Path | None,
    output: str,
) -> None:
    """Remove files that no build uses right now."""
    if (older_than is not None) == everything and not (partial and older_than is None):
        raise click.UsageError("say which: --older-than AGE, --partial or --all")
    before = time.time() - (older_than or 0)
    opened = _open(cache_dir)
    removed, staying = run_prune(
        opened,
        lambda kept: (
            (not partial or not kept.complete) and (older_than is None or kept.used < before)
        ),
    )
    freed = human_bytes(sum(kept.size for kept in removed))
    lines = [f"removed {counted(len(removed), 'file')}, {freed}"]
    lines += [f"in use, and left: {kept.file_name or kept.path.name}" for kept in staying]
    emit(output, "\n".join(lines), _json(opened, removed=removed, inUse=staying))


@cache.command(epilog=examples("cache verify"))
@_CACHE_DIR
@quiet_option
@output_option
def verify(*, cache_dir: Path | None, quiet: bool, output: str) -> None:
    """Read every complete file and compare it with its digest; remove what is damaged."""
    opened = _open(cache_dir)
    proven = run_prove(opened, progress_for(quiet=quiet))
    size = human_bytes(sum(kept.size for kept in proven))
    text = f"{opened.root}: {counted(len(proven), 'file')}, {size}, all as they should be"
    emit(output, text, _json(opened, files=proven))


def _open(folder: Path | None) -> Cache:
    return Cache(folder or default_cache())


_HEADINGS = ("FILE", "HERE", "OF", "LAST USED", "CONTENT")


def _row(kept: Kept) -> tuple[str, ...]:
    whole = "?" if kept.total is None else human_bytes(kept.total)
    state = str(kept.digest) if kept.complete else "not whole yet"
    return (
        one_line(kept.file_name) or "(unknown)",  # as the cache has it, whoever wrote that
        human_bytes(kept.size),
        "all" if kept.complete else whole,
        "now" if kept.in_use else time.strftime("%Y-%m-%d %H:%M", time.localtime(kept.used)),
        state,
    )


def _json(opened: Cache, **lists: list[Kept]) -> dict[str, object]:
    return {
        "cache": str(opened.root),
        **{name: [_kept_json(kept) for kept in found] for name, found in lists.items()},
    }


def _kept_json(kept: Kept) -> dict[str, object]:
    return {
        "path": str(kept.path),
        "fileName": kept.file_name,
        "complete": kept.complete,
        "size": kept.size,
        "total": kept.total,
        "digest": str(kept.digest) if kept.digest else None,
        "lastUsed": int(kept.used),
        "inUse": kept.in_use,
    }
