"""The files of a site: its own, the licences and the configuration that it names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mirror.site import Application, Site, parse_site
from mirror.site.edit import with_mapping
from transfer.disk import read_text, replace_file, storage_errors
from transfer.errors import InvalidInput, NotFound, raise_together
from transfer.kots.licence import Licence


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
    """Write `registry.habits` of a site file anew; everything else stays, comments too.

    Raises:
        InvalidInput: it is no site file, or nobody can tell where to write.
        NotFound, StorageError: it cannot be read, or written.
    """
    before = load_site(path, home)
    text = read_text(path, f"site file {path}")
    changed = with_mapping(text, ("registry", "habits"), lines, str(path))
    if not _differ_in_habits(before, changed, path, home):
        raise InvalidInput(
            f"{path}: cannot be changed without changing more than registry.habits",
            hint="write it by hand; what was found is above",
        )
    final, what = path.resolve(), f"site file {path}"
    with storage_errors(what):
        mode = final.stat().st_mode & 0o777
    replace_file(final, changed.encode(), what, mode)


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
