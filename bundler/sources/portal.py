"""The vendor's download portal: its list of releases, and a signed address for each of them.

Source: what public clients of api.replicated.com/market/v1/airgap send and read.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from bundler.sources.asking import Asker, refusal
from bundler.sources.once import Once
from bundler.sources.secrets import Secrets, place
from bundler.sources.told import Told
from bundler.spec.values import Portal, Secret
from transfer.errors import InvalidInput, TransferError, raise_together
from transfer.http.answers import Answer, is_web_address
from transfer.http.messages import Request
from transfer.http.transport import is_loopback

_HEADER = re.compile(r"[!-~]+")
_CHANNEL = "channel: takes the id that the vendor gave, letters and digits"

_RELEASES = "/market/v1/airgap/releases"
_ADDRESS = "/market/v1/airgap/images/url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A release that the portal lists."""

    sequence: int
    patch: int
    label: str
    is_required: bool
    """It must not be skipped."""
    status: str
    """Of the build of its archive."""
    checksum: str
    imageless_checksum: str
    updated: str

    def __str__(self) -> str:
        """`412 (79915)`."""
        return f"{self.sequence} ({self.label})" if self.label else str(self.sequence)


class PortalApi:
    """Asks the portal, with the licence's id and the portal's password."""

    def __init__(self, portal: Portal, asker: Asker, secrets: Secrets) -> None:
        self._portal = portal
        self._asker = asker
        self._secrets = secrets
        self._lists: Once[str | None, tuple[Offer, ...]] = Once()

    @property
    def host(self) -> str:
        """Names the portal in messages."""
        return urlsplit(self._portal.api).netloc.rpartition("@")[2]

    def offers(self, channel: str | None) -> tuple[Offer, ...]:
        """Every release of the licence's channel, or of another one it has; asked once in a run.

        Raises:
            AccessDenied: the portal does not accept licence or password; the hint names where
                they were looked for.
            InvalidInput: a credential is missing, or the answer makes no sense.
            TransferError: no usable answer.
        """
        return self._lists.get(channel, lambda: self._list(channel))

    def address(self, sequence: int, channel: str | None, what: str) -> str:
        """A signed address for the archive of a release, a new one each time.

        Raises:
            TransferError: as `offers`.
        """
        told = self._get(_ADDRESS, {"sequence": str(sequence)}, channel, what)
        url = told.text("url")
        if not self._may_follow(url):
            raise InvalidInput(
                f"{what}: the portal answered with something that is no HTTPS address",
                hint="check portal.api:; if it is right, ask the vendor",
            )
        return url

    def _list(self, channel: str | None) -> tuple[Offer, ...]:
        what = f"portal {self.host}: list of releases"
        told = self._get(_RELEASES, {"show": "all"}, channel, what)
        return tuple(_read_offer(each) for each in told.objects("releases"))

    def _get(self, path: str, query: dict[str, str], channel: str | None, what: str) -> Told:
        if channel is not None and not _HEADER.fullmatch(channel):
            raise InvalidInput(f"{what}: not the id of a channel: {channel!r}", hint=_CHANNEL)
        license_id, password = self._credentials()
        given = urlencode({"license_id": license_id, **query})
        basic = base64.b64encode(password.encode()).decode()
        credentials = {"Authorization": f"Basic {basic}"}
        if channel is not None:
            credentials["X-ReplicatedChannelID"] = channel
        request = Request(
            method="GET",
            url=f"{self._portal.api.rstrip('/')}{path}?{given}",
            what=what,
            headers={"Accept": "application/json"},
            credentials=credentials,
        )
        return Told.parse(self._asker.body(request, lambda a: self._refuse(a, what)), what)

    def _credentials(self) -> tuple[str, str]:
        """Licence id and password; refuses before they would cross a network in the clear."""
        parts = urlsplit(self._portal.api)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise InvalidInput(
                f"portal.api: {self.host} would be sent a licence id and a password without TLS",
                hint="give its address as https://",
            )
        faults: list[TransferError] = []
        license_id = self._read("licence id", self._portal.license_id, "portal.licenseId", faults)
        password = self._read("password", self._portal.password, "portal.password", faults)
        if len(faults) == 1:
            raise faults[0]
        raise_together(InvalidInput, f"portal {self.host}: no credentials", faults)
        return license_id, password

    def _read(self, name: str, secret: Secret, key: str, faults: list[TransferError]) -> str:
        try:
            return self._secrets.read(secret, f"{name} for portal {self.host}", key)
        except InvalidInput as error:
            faults.append(error)
            return ""

    def _refuse(self, answer: Answer, what: str) -> TransferError:
        access = (
            f"the licence id is that of the {place(self._portal.license_id)}, the password that "
            f"of the {place(self._portal.password)}: compare both with what the vendor gave"
        )
        missing = "check portal.api: and channel:; an unknown licence id is answered so, too"
        return refusal(answer, what, access=access, missing=missing)

    def _may_follow(self, url: str) -> bool:
        """Plain HTTP is for a portal that is itself asked by it."""
        plain = self._portal.api.startswith("http:")
        return is_web_address(url) and (plain or urlsplit(url).scheme == "https")


def _read_offer(told: Told) -> Offer:
    return Offer(
        sequence=told.integer("release_sequence"),
        patch=told.number("patch_release_sequence"),
        label=told.said("label"),
        is_required=told.flag("required"),
        status=told.said("build_status"),
        checksum=told.said("checksum"),
        imageless_checksum=told.said("imageless_checksum"),
        updated=told.said("last_update_time"),
    )
