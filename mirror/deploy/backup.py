"""The backup before an upgrade, which only a person can make and vouch for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from shlex import quote

from mirror import kots
from mirror.deploy.draft import Draft
from mirror.kube.kubectl import kubectl
from mirror.offer import Offered
from mirror.operation.model import Person, Step
from mirror.site import Application, by_namespace


def backup(
    draft: Draft,
    applications: Sequence[Application],
    releases: Mapping[Application, Sequence[Offered]],
) -> Step:
    """The step that comes before the first change of an upgrade.

    It says where the upgrade ends, not where it starts: continued after an interruption it is the
    same step, and with a later release it is another one.
    """
    ends = [f"{app.slug} {one[-1].release.version_label}" for app, one in releases.items()]
    if draft.console and not draft.order.skip_console:
        ends.append(f"the admin console {draft.console.release.version_label} or newer")
    first = (
        "Back up what runs, all of it as it is at one moment, and note where it is. A database "
        "that was migrated goes back by its backup only."
    )
    parts = [first, *([f"This upgrade ends with {', '.join(ends)}."] if ends else [])]
    for namespace, members in by_namespace(applications).items():
        parts += _of_namespace(draft, namespace, members)
    return Step(
        name="backup",
        why="Have a backup before the first change.",
        action=Person(instructions="\n\n".join(parts)),
        recorded=True,
    )


def _of_namespace(draft: Draft, namespace: str, members: Sequence[Application]) -> Iterator[str]:
    site = draft.site
    claims = kubectl(site, "get", "persistentvolumeclaims", namespace=namespace)
    yield (
        f"The databases in namespace {namespace}: a dump, or a snapshot of the storage, of each "
        "volume that holds one (of Harness: MongoDB, TimescaleDB and Redis).\n"
        f"  {claims.shell_line()}"
    )
    yield (
        "The admin console and its applications: a full snapshot, where KOTS has a place for "
        f"snapshots.\n  {kots.take_snapshot(site, namespace).shell_line()}"
    )
    files = ((one, kots.get_config(site, one).shell_line()) for one in members)
    lines = (f"  (umask 077; {line} > {quote(f'{one.slug}.values.yaml')})" for one, line in files)
    yield (
        "The answers of each application, to a file for your eyes only. Passwords in it are "
        "encrypted, and this admin console alone can read them.\n" + "\n".join(lines)
    )
