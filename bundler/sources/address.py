"""Files behind any http(s) address."""

from __future__ import annotations

from collections.abc import Callable

from bundler.sources.asking import Asker, refusal
from bundler.sources.protocol import Location, Promise
from bundler.sources.signed import expires_at, moment
from bundler.spec.origin import Address
from transfer.digest import Digest
from transfer.errors import InvalidInput, TransferError
from transfer.http.answers import Answer, printable
from transfer.http.messages import Request

_PAGES = (".html", ".htm", ".xhtml")
_MISSING = "check the address, and whether the file was moved or removed"


class AddressSource:
    """A file of which the server tells size and validators, and nobody a digest but the spec."""

    def __init__(
        self, origin: Address, sha256: Digest | None, asker: Asker, now: Callable[[], float]
    ) -> None:
        self._origin = origin
        self._sha256 = sha256
        self._asker = asker
        self._now = now

    def promise(self) -> Promise:
        """What the server says; with a digest in the spec it is not asked.

        Raises:
            NotFound, AccessDenied, Unavailable: the server says so.
            InvalidInput: a web page is there, probably one to log in.
        """
        url, name = self._origin.url, self._origin.file_name
        place = printable(url)
        if self._sha256 is not None:
            return Promise(file_name=name, identity=place)
        what = f"download {place}"
        found = self._asker.probe(Request(method="GET", url=url, what=what), self._refuse)
        if found.is_page and not name.lower().endswith(_PAGES):
            raise InvalidInput(
                f"{what}: answered with a web page, expected a file",
                hint="the server may want a log-in: open the address in a browser, download the "
                "file there, and name it by path:",
            )
        parts = (place, found.validator, None if found.size is None else str(found.size))
        return Promise(file_name=name, size=found.size, identity=" ".join(filter(None, parts)))

    def locate(self) -> Location:
        """The address, as the spec has it."""
        return Location(url=self._origin.url, refused=self._access())

    def _refuse(self, answer: Answer) -> TransferError:
        what = f"download {printable(self._origin.url)}"
        return refusal(answer, what, access=self._access(), missing=_MISSING)

    def _access(self) -> str:
        ends = expires_at(self._origin.url)
        if ends is None:
            return (
                "the address wants a log-in or a signature, or its signature has expired: put the "
                "full address, as it is now, into the spec; what arrived is kept and the download "
                "continues"
            )
        verb = "expired" if ends <= self._now() else "expires"
        return (
            f"it is a signed address, which {verb} at {moment(ends)}: put a new one into the "
            "spec; what arrived is kept and the download continues"
        )
