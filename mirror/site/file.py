"""The files of a site: its own, the licences and the configuration that it names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mirror.site import Application, Site, parse_site
from mirror.site.edit import by_hand, with_mapping
from transfer.disk import ingest, read_text, storage_errors
from transfer.errors import InvalidInput, NotFound, raise_together
from transfer.kots.licence import Licence

_HABITS = ("registry", "habits")


def load_site(path: Path, home: Path | None) -> Site:
    """Read a site file; `~/` in it stands for `home`, if that is known.

    Raises:
        NotFound, StorageError: it cannot be read.
        InvalidInput: with every fault.
    """
    text = read_text(path, f"site file {path}")
    folder = str(path.absolute().parent)
    return parse_site(text, str(path), folder=folder, home=str(home) if home else None)


def write_habits(path: Path, lines: Sequence[str], home: Path | None) -> None:
    """Write `registry.habits` of a site file anew; all else stays: comments, line ends, owner.

    Raises:
        InvalidInput: it is no site file, or nobody can tell where to write, or something would
            be lost; the hint has what is to be written.
        NotFound, StorageError: it cannot be read, or written.
    """
    before, final, what = load_site(path, home), path.resolve(), f"site file {path}"
    with storage_errors(what):
        text, status = final.read_bytes().decode(), final.stat()
    changed = with_mapping(text, _HABITS, lines, str(path))
    if not _differ_in_habits(before, changed, path, home):
        raise InvalidInput(
            f"{path}: cannot be changed without changing more than {'.'.join(_HABITS)}",
            hint=by_hand(_HABITS, lines),
        )
    with ingest(final, final.parent, what, stat.S_IMODE(status.st_mode)) as file:
        file.write(changed.encode())
        _give_to(file.fileno(), status)


def _give_to(handle: int, owner: os.stat_result) -> None:
    """What root writes for somebody stays theirs."""
    made = os.fstat(handle)
    if (made.st_uid, made.st_gid) != (owner.st_uid, owner.st_gid):
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _differ_in_habits(before: Site, changed: str, path: Path, home: Path | None) -> bool:
    """Whether a changed site file is the same site, its registry's habits apart."""
    folder = str(path.absolute().parent)
    try:
        after = parse_site(changed, str(path), folder=folder, home=str(home) if home else None)
    except InvalidInput:
        return False
    registry = replace(after.registry, habits=before.registry.habits)
    return replace(after, registry=registry) == before


def load_licences(applications: Iterable[Application]) -> dict[str, Licence | None]:
    """The licences that are at hand, by slug; None for a file that is not there.

    Raises:
        StorageError: one cannot be read.
        InvalidInput: one is no licence.
    """
    found: dict[str, Licence | None] = {}
    for application in applications:
        path = Path(application.license_file)
        found[application.slug] = (
            Licence.parse(read_text(path, f"licence {path}"), str(path)) if path.exists() else None
        )
    return found


def check_files(site: Site, applications: Iterable[Application]) -> None:
    """See that every file is there that KOTS will be given for some applications.

    Raises:
        NotFound: naming each that is missing, and the key of the site file it comes from.
    """
    wanted = {"cluster.kubeconfig": site.cluster.kubeconfig}
    for application in applications:
        where = f"applications.{application.slug}"
        wanted[f"{where}.licenseFile"] = application.license_file
        wanted[f"{where}.configValues"] = application.config_values
    raise_together(
        NotFound,
        "files of the site are not there",
        (
            NotFound(f"{key}: {path} does not exist")
            for key, path in wanted.items()
            if path and not Path(path).is_file()
        ),
        hint="put them there, or change the site file; relative paths start at its folder",
    )
