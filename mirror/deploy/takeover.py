"""An application that is added gets the answers of one that is there."""

from __future__ import annotations

from dataclasses import replace

from mirror import kots
from mirror.config.takeover import clashes
from mirror.deploy.draft import Draft
from mirror.operation.model import Edit, MergeValues, Save, Step
from mirror.site import Application
from transfer.errors import PolicyError


def take_over(draft: Draft, application: Application) -> Application:
    """The application with a file of answers that the steps added here write.

    Harness guide, "Install NextGen on existing FirstGen cluster": the exact same configuration.
    What the console keeps encrypted stays so: it can read it again, and no other console can.

    Raises:
        PolicyError: there is nobody to take them from, or answers differ that must not.
    """
    order, site = draft.order, draft.site
    if order.take_from in (None, application.slug):
        return application
    source = site.application(order.take_from or "")
    _check(draft, source, application)
    taken = f"{order.folder}/{application.slug}.taken-values.yaml"
    merged = f"{order.folder}/{application.slug}.merged-values.yaml"
    config = draft.state.known.configs.get(application.slug)
    keys = tuple(item.name for item in config.items) if config else None
    change = MergeValues(source=taken, own=application.config_values, keys=keys)
    clear = " The passwords among them are in the clear." if order.decrypt else ""
    command = kots.get_config(site, source, decrypt=order.decrypt)
    name = application.slug
    draft.add(
        Step(
            name=f"take-config-{name}",
            why=f"Write down what {source.slug} is configured with.{clear}",
            action=Save(command=command, path=taken),
            undo=f"delete {taken}",
        )
    )
    draft.add(
        Step(
            name=f"merge-config-{name}",
            why=f"Make the answers of {name} from that: its own first, then those of "
            f"{source.slug}.{clear}",
            action=Edit(path=merged, change=change),
            undo=f"delete {merged}",
        )
    )
    if order.decrypt:
        draft.note(
            f"{taken} and {merged} will hold passwords in the clear: delete them once {name} is "
            "deployed."
        )
    return replace(application, config_values=merged)


def _check(draft: Draft, source: Application, application: Application) -> None:
    order, slug = draft.order, source.slug
    if not draft.runs(source):
        raise PolicyError(
            f"--take-config-from {slug}: it is not installed in namespace {source.namespace}",
            hint="install it first, or give its archive as a source too",
        )
    if source.namespace != application.namespace and not order.decrypt:
        raise PolicyError(
            f"--take-config-from {slug}: the admin console of namespace {application.namespace} "
            f"cannot read what that of {source.namespace} has encrypted",
            hint="--decrypt-config takes the values over in the clear",
        )
    known = draft.state.known
    theirs = draft.state.running or known.answers.get(slug)
    own = known.answers.get(application.slug)
    if theirs is None or own is None:
        return
    differing = list(clashes(theirs, own, known.configs.get(application.slug)))
    if differing:
        raise PolicyError(
            f"{own.file}: {', '.join(differing)}: not what {slug} is configured with; the scheme "
            "and the ingress settings have to be the same",
            hint=f"leave them out, so that they are taken from {slug}, or change them there first",
        )
