"""The files of a site: its own, the licences and the configuration that it names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mirror.site import Application, Site, parse_site
from transfer.disk import read_text
from transfer.errors import NotFound, raise_together
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
