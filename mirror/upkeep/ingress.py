"""A customisation of the ingress that old installations have is taken out again.

Source: vendor's install guide, "Note: Remove previous kustomization for ingress controller". KOTS
gives the manifests out, a patch is removed from them, and KOTS takes them back as a new version,
which it deploys.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirror.kots import daily
from mirror.operation.model import (
    Ask,
    Edit,
    Judge,
    Plan,
    RemoveFile,
    RemoveFolder,
    RemoveItem,
    Run,
    Step,
)
from mirror.site import Application, Site
from mirror.upkeep.newest import deployed, reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """What is taken out of the manifests; the guide's names by default."""

    name: str = "nginx-service.yaml"
    """The file, beside the one that lists it."""
    listed_in: str = "overlays/midstream/kustomization.yaml"
    """Path below the folder of the application."""
    key: str = "patchesStrategicMerge"
    """The list that names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """Where the manifests of an application are, and what was found in them."""

    folder: str
    """The work folder, ours alone: absolute path. KOTS makes one named by the slug in it."""
    is_listed: bool = True
    """The list names the patch."""
    is_there: bool = True
    """The patch's own file is there."""
    downloaded: bool = False
    """They were got already, to look into them."""
    overwrite: bool = False
    """The folder is left over from a run that did not end."""
    settled: bool = True
    """Nothing is being deployed at the moment."""

    @property
    def has_patch(self) -> bool:
        """Whether there is anything to take out."""
        return self.is_listed or self.is_there


def plan_removal(site: Site, application: Application, patch: Patch, found: Manifests) -> Plan:
    """Take the patch out, upload, and see the new version deployed."""
    slug = application.slug
    own = f"{found.folder}/{slug}"
    listed_in = f"{own}/{patch.listed_in}"
    file = f"{listed_in.rpartition('/')[0]}/{patch.name}"
    steps = [*reads(site, application), _download(site, application, found)]
    if found.is_listed:
        steps.append(
            Step(
                name="edit-kustomization",
                why=f"Let the manifests not be patched with {patch.name} any more.",
                action=Edit(path=listed_in, change=RemoveItem(key=patch.key, item=patch.name)),
            )
        )
    if found.is_there:
        why = "Remove the patch itself."
        action = Edit(path=file, change=RemoveFile())
        steps.append(Step(name="remove-patch", why=why, action=action))
    if found.has_patch:
        steps.append(_upload(site, application, own))
    if found.has_patch or not found.settled:
        steps.append(deployed(site, application))
    if found.has_patch:
        steps.append(_clean_up(found))
    notes = () if found.has_patch else (f"{patch.listed_in} of {slug} has no {patch.name}.",)
    return Plan(
        title=f"remove {patch.name} from {slug} at {site.name}",
        steps=tuple(steps),
        assumptions=() if found.downloaded else _assumed(application, patch, found),
        notes=notes,
    )


def _download(site: Site, application: Application, found: Manifests) -> Step:
    """A question: it changes nothing but a folder of ours, and the plan depends on the answer."""
    return Step(
        name="download",
        why=f"Get the manifests of the deployed version of {application.slug}. Its licence is "
        "among them.",
        action=Ask(
            command=daily.download(site, application, found.folder, overwrite=found.overwrite)
        ),
    )


def _upload(site: Site, application: Application, folder: str) -> Step:
    slug = application.slug
    return Step(
        name="upload",
        why=f"Give the manifests back to the console, as a new version of {slug}, and deploy it.",
        action=Run(command=daily.upload(site, application, folder), judge=Judge.ANSWER),
        undo=f"in the admin console, Version history of {slug}, deploy the version before: it has "
        "the patch",
    )


def _clean_up(found: Manifests) -> Step:
    return Step(
        name="clean-up",
        why="Delete the manifests here: nothing needs them any more, and the licence is in them.",
        action=Edit(path=found.folder, change=RemoveFolder()),
    )


def _assumed(application: Application, patch: Patch, found: Manifests) -> tuple[str, ...]:
    return (
        f"{application.slug} is deployed, and no newer version of it waits.",
        f"Its manifests have {patch.name}; a run looks, and ends where they do not.",
        f"{found.folder} is not there yet.",
    )
