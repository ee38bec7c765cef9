"""The folder that KOTS puts manifests into: ours alone, for nobody else to read."""

from __future__ import annotations

from pathlib import Path

from mirror.kots import daily, outcome
from mirror.operation.edits import edit
from mirror.operation.hands import AskCluster
from mirror.operation.listitem import items_of
from mirror.operation.model import Edit, RemoveFolder
from mirror.site import Application, Site
from mirror.upkeep.ingress import Manifests, Patch
from transfer.disk import read_text, storage_errors
from transfer.errors import Conflict

MARK = ".airgap-mirror"
"""A file that says whose a folder is."""

_OWNER_ONLY = 0o700
_ANOTHER = "name a folder that is not there yet: it is deleted in the end"
_SAID = "airgap-mirror puts manifests of KOTS here, and deletes the folder when it is done.\n"


def claim(folder: Path, what: str = "--work-dir", hint: str = _ANOTHER) -> bool:
    """Make the folder ours; whether it was left over from a run of ours that did not end.

    Args:
        folder: Which.
        what: How whoever named it knows it.
        hint: What to do where somebody else's files are in it.

    Raises:
        Conflict: somebody else's files are in it.
        StorageError: it cannot be made or read.
    """
    mark = folder / MARK
    with storage_errors(f"{what} {folder}"):
        folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        if mark.exists():
            return True
        if any(folder.iterdir()):
            raise Conflict(
                f"{what} {folder}: there are files in it, and they are not ours",
                hint=hint,
            )
        folder.chmod(_OWNER_ONLY)
        mark.write_text(_SAID, encoding="utf-8")
    return False


def get_manifests(
    site: Site, application: Application, patch: Patch, folder: Path, ask: AskCluster
) -> Manifests:
    """Let KOTS give out the manifests of an application, and look for a patch in them.

    They stay in the folder as long as there is something to take out of them.

    Raises:
        Conflict, StorageError: as `claim`.
        ToolError: KOTS does not give them out.
        NotFound, InvalidInput: they are not what they are taken for.
    """
    overwrite = claim(folder)
    command = daily.download(site, application, str(folder), overwrite=overwrite)
    outcome.check(ask(command), command)
    own = folder / application.slug
    listed_in = own / patch.listed_in
    listed = items_of(read_text(listed_in, str(listed_in)), patch.key, str(listed_in))
    found = Manifests(
        folder=str(folder),
        is_listed=patch.name in listed,
        is_there=(listed_in.parent / patch.name).exists(),
        downloaded=True,
        overwrite=overwrite,
    )
    if not found.has_patch:
        edit(Edit(path=str(folder), change=RemoveFolder()))
    return found
