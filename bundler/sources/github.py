"""Releases on GitHub, each asked for once in a run.

Source: GitHub's REST API, "Releases", "Git database: list matching references", "Rate limits".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from bundler.sources.asking import Asker, refusal
from bundler.sources.once import Once
from bundler.sources.signed import epoch, moment
from bundler.sources.told import Told
from transfer.errors import (
    AccessDenied,
    InvalidInput,
    NotFound,
    TransferError,
    Unavailable,
)
from transfer.http.answers import Answer
from transfer.http.messages import Request
from transfer.http.transport import is_loopback, origin
from transfer.plain import one_line

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
API = "GITHUB_API_URL"
PUBLIC_API = "https://api.github.com"

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_VERSION = re.compile(r"v?([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})(.*)", re.DOTALL)
_NEAR = 8
"""Tags named where one is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file of a release."""

    name: str
    size: int
    digest: str
    """As told, `sha256:…`; "" in releases from before June 2025."""
    url: str = field(repr=False)
    """It leads to a signed address that expires; this one stays."""
    identity: str
    """Another one when the file was put there anew under the same name."""
    ready: bool
    """False while it is still being uploaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release with its files."""

    what: str
    """Names it in messages."""
    tag: str
    is_prerelease: bool
    assets: Mapping[str, Asset]


class GitHub:
    """Asks the API of GitHub, or of a server that answers like it."""

    def __init__(self, asker: Asker, environ: Mapping[str, str], now: Callable[[], float]) -> None:
        """`GITHUB_TOKEN` of `environ` goes to the host of `GITHUB_API_URL` and to no other."""
        self._asker = asker
        self._environ = environ
        self._now = now
        self._releases: Once[tuple[str, str], Release] = Once()

    def release(self, repository: str, tag: str) -> Release:
        """The release of a tag, which may be written with or without its leading v.

        Args:
            repository: Its address in the API.
            tag: For example `v1.131.4`.

        Raises:
            NotFound: there is none; the message names tags that are like it.
            AccessDenied: the limit of requests is reached, or the token is not accepted.
            TransferError: no usable answer.
        """
        return self._releases.get((repository, tag), lambda: self._find(repository, tag))

    def _find(self, repository: str, tag: str) -> Release:
        for spelt in (tag, tag.removeprefix("v") if tag.startswith("v") else f"v{tag}"):
            try:
                return self._read(repository, spelt)
            except NotFound:
                continue
        raise self._missing(repository, tag)

    def _read(self, repository: str, tag: str) -> Release:
        what = f"release {one_line(tag)} of {repository_name(repository)}"
        body = self._get(f"{repository}/releases/tags/{quote(tag, safe='')}", what)
        told = Told.parse(body, what)
        assets = [_read_asset(asset) for asset in told.objects("assets")]
        return Release(
            what=what,
            tag=tag,
            is_prerelease=told.flag("prerelease"),
            assets={asset.name: asset for asset in assets},
        )

    def _missing(self, repository: str, tag: str) -> NotFound:
        name = repository_name(repository)
        what, hint = f"release {one_line(tag)} of {name}: not there", f"see the releases of {name}"
        version = _VERSION.fullmatch(tag)
        if version is None:
            return NotFound(what, hint=hint)
        prefix = f"{'v' if tag.startswith('v') else ''}{version[1]}.{version[2]}."
        address = f"{repository}/git/matching-refs/tags/{prefix}"
        try:
            refs = Told.parse_list(self._get(address, what), what)
            tags = [ref.text("ref").removeprefix("refs/tags/") for ref in refs]
        except NotFound:
            return NotFound(f"{what}, nor is the repository", hint="check kots.releases:")
        except TransferError:
            return NotFound(what, hint=hint)
        near = sorted(tags, key=_by_version)[-_NEAR:]
        there = f"; like it are {', '.join(near)}" if near else f"; nor is any {prefix}*"
        return NotFound(what + there, hint=hint)

    def _get(self, url: str, what: str) -> bytes:
        token = self._token_for(url)
        credentials = {"Authorization": f"Bearer {token}"} if token else {}
        request = Request(
            method="GET", url=url, what=what, headers=_HEADERS, credentials=credentials
        )
        return self._asker.body(request, lambda answer: self._refuse(answer, what, token))

    def _token_for(self, url: str) -> str:
        token = self._environ.get(TOKEN, "").strip()
        parts = urlsplit(url)
        guarded = parts.scheme == "https" or is_loopback(parts.hostname or "")
        if not guarded or origin(url) != origin(self._environ.get(API) or PUBLIC_API):
            return ""
        if not (token.isascii() and token.isprintable()):
            raise InvalidInput(
                f"environment variable {TOKEN}: expected one line of ASCII text",
                hint="correct it, or unset it: public releases need none",
            )
        return token

    def _refuse(self, answer: Answer, what: str, token: str) -> TransferError:
        if answer.status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
            limited = self._limited(answer, what, token)
            if limited is not None:
                return limited
        access = f"{TOKEN} is not accepted, or may not read this: renew it, or unset it"
        if not token:
            access = f"if it is not public, set {TOKEN}, and {API} unless it is {PUBLIC_API}"
        return refusal(answer, what, access=access, missing="check kots.version:")

    def _limited(self, answer: Answer, what: str, token: str) -> TransferError | None:
        """GitHub's answer when there were too many requests: wait if it is soon over."""
        wait = answer.retry_after
        if answer.headers.get("x-ratelimit-remaining", "").strip() == "0":
            ends = epoch(answer.headers.get("x-ratelimit-reset", ""))
            wait = max(wait or 0.0, ends - self._now()) if ends else wait
        elif wait is None:
            return None
        until = f" until {moment(self._now() + wait)}" if wait is not None else " for now"
        message = f"{what}: answered {answer.status}: no more requests are allowed{until}"
        if wait is not None and wait <= self._asker.patience:
            return Unavailable(message, hint="run the same command again", retry_after=wait)
        if token:
            return AccessDenied(message, hint=f"the limit of {TOKEN} is used up: wait until then")
        return AccessDenied(
            message,
            hint=f"wait until then, or set {TOKEN} (any, without rights): 5000 an hour and not 60",
        )


def repository_name(repository: str) -> str:
    """`owner/name`, with the host where it is not GitHub's own."""
    parts = urlsplit(repository)
    name = one_line("/".join(parts.path.rstrip("/").split("/")[-2:]))
    return name if parts.hostname == "api.github.com" else f"{name} ({parts.netloc})"


def _read_asset(told: Told) -> Asset:
    name, size = told.text("name"), told.integer("size")
    number, updated = told.said("id"), told.said("updated_at")
    return Asset(
        name=name,
        size=size,
        digest=told.said("digest"),
        url=told.text("browser_download_url"),
        identity=" ".join((name, number, updated, str(size))),
        ready=told.said("state") in ("", "uploaded"),
    )


def _by_version(tag: str) -> tuple[tuple[int, ...], str]:
    found = _VERSION.fullmatch(tag)
    return (tuple(int(part) for part in found.groups()[:3]) if found else ()), tag
