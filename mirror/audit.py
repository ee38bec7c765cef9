"""Does the site still hold what was pushed: every name, every manifest below it, every blob.

Manifests are read and proven against their digests; of a blob it is asked whether it is there, and
only a deep audit reads it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from mirror.target import Destinations, Holder
from mirror.workers import each
from transfer.descriptor import Descriptor
from transfer.digest import Digest
from transfer.errors import (
    Conflict,
    Incomplete,
    IntegrityError,
    InvalidInput,
    NotFound,
    TransferError,
    Unavailable,
    raise_together,
)
from transfer.graph import successors
from transfer.layout.proof import prove
from transfer.lock import BundleLock
from transfer.progress import SILENT, Progress
from transfer.receipt import Receipt
from transfer.reference import Reference, Repository
from transfer.relocate import Relocation, RelocationPlan, listed_images, relocate
from transfer.sources import images_of, open_sources

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")

_PATIENCE = 8
"""Things in a row that a registry fails at, after which it counts as one that is down."""

PUSH_AGAIN = (
    "push their source again (airgap-mirror push …): with --repair where something below a name "
    "is missing, with --overwrite where a name holds other content"
)
"""What helps against every fault that an audit finds."""


class Finding(StrEnum):
    """What was found of one image."""

    HELD = "held"
    """All of it, under its name."""
    MISSING = "missing"
    """The name, or something below it, is not there, or the registry fails to hand it out."""
    DIFFERENT = "different"
    """The name stands for other content, or a manifest's bytes are others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedImage:
    """One image, and what was found of it."""

    relocation: Relocation
    finding: Finding
    details: tuple[str, ...] = ()
    """What is missing or different, one line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found of every image."""

    images: tuple[AuditedImage, ...]
    extra: tuple[Reference, ...] = ()
    """Names that the same repositories have besides: of other releases, or of somebody else."""
    unlisted: str = ""
    """Why nobody knows which names there are besides; "" where it is known."""
    blobs_read: int = 0
    """How many blobs were read, each once however many repositories hold it."""
    bytes_read: int = 0

    def count(self, finding: Finding) -> int:
        """How many images were found so."""
        return sum(image.finding is finding for image in self.images)

    def raise_for_findings(self) -> None:
        """Raise unless everything is held.

        Raises:
            NotFound: something is missing, and nothing is different.
            Conflict: something is different, and nothing is missing.
            Incomplete: both.
        """
        missing, different = self.count(Finding.MISSING), self.count(Finding.DIFFERENT)
        kind = Incomplete if missing and different else NotFound if missing else Conflict
        raise_together(
            kind,
            f"of {len(self.images)} images: {missing} missing, {different} different",
            self.faults(),
            hint=PUSH_AGAIN,
        )

    def faults(self) -> Iterator[TransferError]:
        """Everything that is missing or different."""
        for image in self.images:
            for detail in image.details:
                kind = NotFound if image.finding is Finding.MISSING else Conflict
                yield kind(f"{image.relocation.destination}: {detail}")


def audit(
    plan: RelocationPlan,
    destinations: Destinations,
    *,
    jobs: int,
    deep: bool = False,
    progress: Progress = SILENT,
) -> Audit:
    """Look for every image of a plan.

    A blob that several images share in one repository is asked for once.

    Args:
        plan: The images, and where each should be.
        destinations: The registry or store; the plan was made for its endpoint.
        jobs: Questions under way at the same time.
        deep: Read every blob too, once and in the first repository that should have it, and compare
            it with its digest.
        progress: Told of the bytes that a deep audit reads.

    Raises:
        TransferError: the destination cannot be asked.
    """
    asking = _Asking()
    look = partial(_look, destinations=destinations, asking=asking)
    roots = each(look, plan.relocations, jobs=jobs)
    wanted = list(dict.fromkeys((look.holder, blob) for look in roots for blob in look.blobs))
    answers = each(lambda pair: asking.ask(pair[0].has_blob, pair[1]), wanted, jobs=jobs)
    wrong: dict[tuple[Holder, Descriptor], TransferError] = {
        pair: NotFound(f"blob {pair[1].digest} is not there") if held is False else held
        for pair, held in zip(wanted, answers, strict=True)
        if held is not True
    }
    reading = _Reading.of(pair for pair in wanted if deep and pair not in wrong)
    damaged = reading.faults(asking, jobs, progress)
    wrong |= {pair: damaged[pair[1].digest] for pair in wanted if pair[1].digest in damaged}
    extra, unlisted = _others(plan, destinations, jobs)
    return Audit(
        images=tuple(_judge(look, wrong) for look in roots),
        extra=extra,
        unlisted=unlisted,
        blobs_read=len(reading.blobs),
        bytes_read=sum(blob.size for _, blob in reading.blobs),
    )


def receipt_plan(receipt: Receipt, endpoint: Repository) -> RelocationPlan:
    """The images of a receipt, to be looked for at `endpoint`.

    Raises:
        InvalidInput: the receipt is of another namespace than the endpoint.
    """
    namespace = f"{endpoint.path}/" if endpoint.path else ""
    if any(not image.repository.startswith(namespace) for image in receipt.images):
        raise InvalidInput(
            f"the receipt is of {receipt.target}, not of {endpoint}",
            hint=f"give --to {receipt.target}, another address of that place, or its site file",
        )
    relocations = (
        Relocation(
            source=image.source,
            destination=Reference(
                Repository(endpoint.registry, image.repository),
                image.tag,
                None if image.tag else image.root.digest,
            ),
            root=image.root,
        )
        for image in receipt.images
    )
    return RelocationPlan(endpoint=endpoint, relocations=tuple(relocations))


def lock_plan(lock: BundleLock, endpoint: Repository) -> RelocationPlan:
    """The images that a build of this lock carries, to be looked for at `endpoint`.

    Raises:
        TransferError: as `relocate`.
    """
    return relocate(listed_images(lock.contents), endpoint)


def sources_plan(
    paths: Sequence[Path],
    endpoint: Repository,
    progress: Progress = SILENT,
    releases: Sequence[str] = (),
) -> RelocationPlan:
    """The images of bundles and archives, to be looked for at `endpoint`; see `open_sources`.

    Raises:
        TransferError: as `open_sources` and `relocate`.
    """
    with open_sources(paths, progress, releases) as sources:
        return relocate(images_of(sources), endpoint)


class _Asking:
    """Questions at which a registry may fail: that one image is broken is an answer too.

    A crash may leave half of what says that something is there, and a registry then fails
    whenever it is asked for it. Where it fails at everything, it cannot be asked.
    """

    def __init__(self) -> None:
        self._in_a_row = 0

    def ask(
        self, question: Callable[[_Asked], _Answer], about: _Asked
    ) -> _Answer | Unavailable | IntegrityError:
        """The answer, or how the registry failed at it, or what is wrong with what it has.

        Raises:
            Unavailable: it does not answer, or fails at too many things in a row.
        """
        try:
            answer = question(about)
        except Unavailable as error:
            self._in_a_row += 1
            if not error.stumbled or self._in_a_row >= _PATIENCE:
                raise
            return error
        except IntegrityError as error:
            self._in_a_row = 0
            return error
        self._in_a_row = 0
        return answer


@dataclass(frozen=True, slots=True)
class _Reading:
    """Blobs to be read, each in one of the places that hold it: a registry stores it once."""

    blobs: tuple[tuple[Holder, Descriptor], ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[Holder, Descriptor]]) -> Self:
        """Each blob where it was named first."""
        places: dict[Digest, tuple[Holder, Descriptor]] = {}
        for holder, blob in pairs:
            places.setdefault(blob.digest, (holder, blob))
        return cls(tuple(places.values()))

    def faults(self, asking: _Asking, jobs: int, progress: Progress) -> dict[Digest, TransferError]:
        """What is wrong with any of them."""
        if not self.blobs:
            return {}

        def read(pair: tuple[Holder, Descriptor]) -> TransferError | None:
            try:
                return asking.ask(lambda pair: prove(*pair, progress), pair)
            except NotFound as fault:  # it was there when it was asked for
                return fault

        progress.begin("reading back", sum(blob.size for _, blob in self.blobs))
        try:
            faults = each(read, self.blobs, jobs=jobs)
        finally:
            progress.end()
        pairs = zip(self.blobs, faults, strict=True)
        return {blob.digest: fault for (_, blob), fault in pairs if fault is not None}


def _others(
    plan: RelocationPlan, destinations: Destinations, jobs: int
) -> tuple[tuple[Reference, ...], str]:
    """Names in the repositories of the plan that it does not have; or why they are unknown."""
    expected = {(r.destination.repository, r.destination.tag) for r in plan.relocations}
    repositories = list(dict.fromkeys(r.destination.repository for r in plan.relocations))
    try:
        # One alone first: a registry that lists nothing is not asked as often as it has places.
        found = [destinations.tags(repository) for repository in repositories[:1]]
        found += each(destinations.tags, repositories[1:], jobs=jobs)
    except TransferError as error:
        return (), error.message
    named = zip(repositories, found, strict=True)
    pairs = [(repository, tag) for repository, tags in named for tag in sorted(tags)]
    return tuple(Reference(*pair, None) for pair in pairs if pair not in expected), ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """The manifests of one image, found or not, and the blobs to look for."""

    relocation: Relocation
    holder: Holder
    finding: Finding = Finding.HELD
    detail: str = ""
    blobs: tuple[Descriptor, ...] = ()


def _look(relocation: Relocation, destinations: Destinations, asking: _Asking) -> _Look:
    holder, name = destinations.place(relocation.destination)
    root = relocation.root
    look = _Look(relocation=relocation, holder=holder)
    found = asking.ask(holder.resolve, name)
    if isinstance(found, TransferError):
        return replace(look, finding=_finding(found), detail=found.message)
    if found is None:
        look = replace(look, finding=Finding.MISSING, detail="the name is not there")
    elif found.digest != root.digest:
        expected = f"holds {found.digest}, expected {root.digest}"
        return replace(look, finding=Finding.DIFFERENT, detail=expected)
    try:
        manifests = asking.ask(partial(successors, holder), root)
    except NotFound as fault:
        return replace(look, finding=Finding.MISSING, detail=look.detail or fault.message)
    if isinstance(manifests, IntegrityError):
        return replace(look, finding=Finding.DIFFERENT, detail=manifests.message)
    if isinstance(manifests, Unavailable):
        return replace(look, finding=Finding.MISSING, detail=look.detail or manifests.message)
    blobs = {blob.digest: blob for manifest in manifests for blob in manifest.blobs}
    return replace(look, blobs=tuple(blobs.values()))


def _judge(look: _Look, wrong: Mapping[tuple[Holder, Descriptor], TransferError]) -> AuditedImage:
    pairs = [(look.holder, blob) for blob in look.blobs]
    faults = [wrong[pair] for pair in pairs if pair in wrong]
    details = [look.detail] if look.detail else []
    details += [fault.message for fault in faults]
    finding = look.finding
    if faults and finding is Finding.HELD:
        findings = {_finding(fault) for fault in faults}
        finding = Finding.MISSING if Finding.MISSING in findings else Finding.DIFFERENT
    return AuditedImage(relocation=look.relocation, finding=finding, details=tuple(details))


def _finding(fault: TransferError) -> Finding:
    return Finding.DIFFERENT if isinstance(fault, IntegrityError) else Finding.MISSING
