"""A release in the vendor's download portal, chosen by its sequence or its label."""

from __future__ import annotations

from collections.abc import Sequence

from bundler.sources.asking import Asker, refusal
from bundler.sources.portal import Offer, PortalApi
from bundler.sources.protocol import Location, Promise
from bundler.spec.origin import PortalRelease
from transfer.errors import InvalidInput, NotFound, PolicyError
from transfer.http.messages import Request
from transfer.text import counted

_UNFINISHED = frozenset(
    {"pending", "building", "failed", "failed_with_metadata", "cancelled", "metadata", "none"}
)
"""What the vendor's builder says of an archive that is not there, or lacks its images."""
_BUILT = ("", "built")

_ACCESS = "run the same command again; a proxy may hold old addresses back"
_NAMED = 10
"""Releases named where one is not there."""


class PortalSource:
    """The archive of a release; nobody says its digest for certain."""

    def __init__(self, origin: PortalRelease, portal: PortalApi, asker: Asker) -> None:
        self._origin = origin
        self._portal = portal
        self._asker = asker

    def promise(self) -> Promise:
        """What the portal says of the release, and the server behind it of the archive's size.

        Raises:
            NotFound: the portal lists no such release; the message says what it lists.
            PolicyError: its archive is not built.
            InvalidInput: a label that several releases have.
            TransferError: as `PortalApi.offers`.
        """
        offers = self._portal.offers(self._origin.channel)
        offer = self._choose(offers)
        self._check_built(offer, offers)
        request = Request(method="GET", url=self.locate().url, what=self._what)
        found = self._asker.probe(
            request,
            lambda answer: refusal(
                answer,
                f"{self._what}: its signed address",
                access=_ACCESS,
                missing="the vendor lists it, and has no archive of it: ask the vendor",
            ),
        )
        release = f"{offer.sequence}.{offer.patch}"
        known = (self._what, self._origin.channel, release, offer.checksum, offer.updated)
        return Promise(
            file_name=self._origin.file_name,
            size=found.size,
            identity=" ".join(filter(None, known)),
            notes=tuple(_notes(offer, offers)),
            checksum=offer.checksum,
        )

    def locate(self) -> Location:
        """A new signed address.

        Raises:
            TransferError: as `promise`.
        """
        sequence = self._origin.sequence
        if sequence is None:
            sequence = self._choose(self._portal.offers(self._origin.channel)).sequence
        url = self._portal.address(sequence, self._origin.channel, self._what)
        return Location(url=url, refused=_ACCESS)

    @property
    def _what(self) -> str:
        return f"portal {self._portal.host}: {self._origin.slug} {self._wanted}"

    @property
    def _wanted(self) -> str:
        sequence, label = self._origin.sequence, self._origin.label
        return f"label {label}" if sequence is None else f"sequence {sequence}"

    def _choose(self, offers: Sequence[Offer]) -> Offer:
        """The release that is meant; of several patches of one release the newest."""
        fits = [offer for offer in offers if self._is_meant(offer)]
        if not fits:
            raise NotFound(f"{self._what}: not there; {_listed(offers)}", hint=self._look)
        if len({offer.sequence for offer in fits}) > 1:
            raise InvalidInput(
                f"{self._what}: {len(fits)} releases have this label: "
                f"{', '.join(str(offer.sequence) for offer in fits)}",
                hint="say which one is meant by sequence:",
            )
        return max(fits, key=lambda offer: offer.patch)

    def _is_meant(self, offer: Offer) -> bool:
        if self._origin.sequence is None:
            return offer.label == self._origin.label
        return offer.sequence == self._origin.sequence

    @property
    def _look(self) -> str:
        if self._origin.channel:
            return f"they are those of channel {self._origin.channel}; check channel: in the spec"
        return "a licence with several channels needs channel: with the channel's id"

    def _check_built(self, offer: Offer, offers: Sequence[Offer]) -> None:
        if offer.status.lower() not in _UNFINISHED:
            return
        built = [other for other in offers if other.status.lower() not in _UNFINISHED]
        raise PolicyError(
            f"{self._what}: its archive is not built (build status: {offer.status}); "
            f"{_listed(built, 'built')}",
            hint="wait until the vendor has built it, or ask for it; then run the same command",
        )


def _listed(offers: Sequence[Offer], kind: str = "listed") -> str:
    if not offers:
        return f"none is {kind}"
    newest = sorted(offers, key=lambda offer: offer.sequence, reverse=True)
    shown = ", ".join(map(str, newest[:_NAMED]))
    more = f", and {counted(len(newest) - _NAMED, 'older one')}" if len(newest) > _NAMED else ""
    return f"{kind} are {shown}{more}"


def _notes(offer: Offer, offers: Sequence[Offer]) -> list[str]:
    """What a reviewer of the lock should know."""
    notes = [f"release {offer}"]
    if offer.is_required:
        notes.append("required: no upgrade may skip it")
    before = [other for other in offers if other.is_required and other.sequence < offer.sequence]
    if before:
        last = max(before, key=lambda other: other.sequence)
        notes.append(f"the required release before it: {last}")
    if offer.status.lower() not in _BUILT:
        notes.append(f"build status: {offer.status}")
    if offer.checksum:
        notes.append(f"checksum: {offer.checksum}")
    if offer.imageless_checksum:
        notes.append(f"imageless checksum: {offer.imageless_checksum}")
    return notes
