"""What the registry is asked: to let somebody in, to take an upload, to show what it holds.

Uploads are begun and cancelled: nothing is stored. Source: distribution-spec 1.1, "Pushing blobs".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from mirror.audit import Audit, Finding, audit
from mirror.preflight.model import Access, Held
from mirror.target import RegistryAccess, RegistryDestinations
from mirror.workers import each
from transfer.errors import TransferError
from transfer.http.messages import Request
from transfer.registry import RegistryClient, RetryPolicy
from transfer.registry.refusals import refusal
from transfer.relocate import Relocation, RelocationPlan

JOBS = 8
"""Questions at the same time."""
_RETRY = RetryPolicy(attempts=3)
"""Of what is begun and cancelled; all else the client itself tries again."""


@contextmanager
def let_in(host: str, access: RegistryAccess) -> Iterator[RegistryClient]:
    """The way to a registry that accepts its user.

    Raises:
        TransferError: there is none, TLS fails, or the user is not accepted.
    """
    with access.connect(host) as client:
        client.ping()
        yield client


def try_uploads(client: RegistryClient, repositories: Sequence[str]) -> Access:
    """Begin an upload in every repository, and cancel it."""
    return _try_all(repositories, lambda path: _RETRY.run(lambda: _upload(client, path)))


def try_reading(client: RegistryClient, images: Iterable[Relocation]) -> Access:
    """Ask for an image of every repository; one that is not there yet may be read all the same."""
    first: Mapping[str, str] = {
        image.destination.repository.path: image.destination.name for image in images
    }

    def read(path: str) -> None:
        client.repository(path).resolve(first[path])

    return _try_all(sorted(first), read)


def look_for(client: RegistryClient, plan: RelocationPlan) -> Held:
    """Look for every image, down to each blob.

    Raises:
        TransferError: the registry cannot be asked.
    """
    found = audit(plan, RegistryDestinations(client, plan.endpoint), jobs=JOBS)
    return Held(
        images=len(found.images),
        missing=_named(found, Finding.MISSING),
        different=_named(found, Finding.DIFFERENT),
    )


def _try_all(paths: Sequence[str], work: Callable[[str], None]) -> Access:
    def attempt(path: str) -> TransferError | None:
        try:
            work(path)
        except TransferError as error:
            return error
        return None

    errors = zip(paths, each(attempt, paths, jobs=JOBS), strict=True)
    return Access(repositories=len(paths), refused={path: error for path, error in errors if error})


def _upload(client: RegistryClient, path: str) -> None:
    what, scopes = f"upload to {path}", (f"repository:{path}:pull,push",)
    url = f"/v2/{path}/blobs/uploads/"
    begun = client.ask(Request(method="POST", url=url, what=what, scopes=scopes))
    if begun.status != HTTPStatus.ACCEPTED or begun.location is None:
        raise refusal(begun, what, access_hint="", writing=True)
    # Not every registry cancels: what is left is empty, and swept away some day.
    client.ask(Request(method="DELETE", url=begun.location, what=what, scopes=scopes))


def _named(found: Audit, finding: Finding) -> tuple[str, ...]:
    return tuple(
        f"{image.relocation.destination}: {image.details[0]}"
        for image in found.images
        if image.finding is finding
    )
