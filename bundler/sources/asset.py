"""A file of a release on GitHub, and everything that the release says of it."""

from __future__ import annotations

import re

from bundler.sources.asking import Asker, refusal
from bundler.sources.github import Asset, GitHub, Release
from bundler.sources.once import Once
from bundler.sources.protocol import Evidence, Location, Promise
from bundler.spec.origin import ReleaseAsset
from transfer.digest import Digest
from transfer.errors import (
    DigestMismatch,
    IntegrityError,
    InvalidInput,
    NotFound,
    PolicyError,
)
from transfer.http.answers import is_web_address
from transfer.http.messages import Request
from transfer.plain import one_line

MAX_CHECKSUMS = 1 << 20
"""Bytes of a file of checksums; that of KOTS has three lines."""

_PLUGIN = re.compile(r"kots_[a-z0-9]+_[a-z0-9]+\.tar\.gz")
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
_NAMED = 30
"""Files named where one is not there."""


class Checksums:
    """The files of checksums of releases, each fetched and proven once."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._read: Once[str, dict[str, Digest]] = Once()

    def of(self, release: Release) -> tuple[str, dict[str, Digest]] | None:
        """The name of a release's file of checksums and what it says, None where it has none.

        Raises:
            IntegrityError: the file is not what the release's API says of it.
            TransferError: it cannot be had.
        """
        bare = release.tag.removeprefix("v")
        names = (f"kots_{bare}_checksums.txt", f"kots_v{bare}_checksums.txt")
        asset = next(filter(None, map(release.assets.get, names)), None)
        if asset is None:
            return None
        return asset.name, self._read.get(asset.url, lambda: self._fetch(asset, release.what))

    def _fetch(self, asset: Asset, release: str) -> dict[str, Digest]:
        what = f"{release}: {asset.name}"
        request = Request(method="GET", url=asset.url, what=what)
        hints = {"access": "check kots.releases:", "missing": "run the same command again"}
        body = self._asker.body(
            request, lambda answer: refusal(answer, what, **hints), MAX_CHECKSUMS
        )
        said = sha256_of(asset)
        if said is not None and said != Digest.of(body):
            raise DigestMismatch(
                f"{what}: the release API says {said}, found {Digest.of(body)}",
                hint="run it again; if it stays so, the release was changed: ask who made it",
            )
        lines = (_LINE.fullmatch(line) for line in body.decode(errors="replace").splitlines())
        return {found[2]: Digest("sha256", found[1].lower()) for found in lines if found}


class AssetSource:
    """A file of a release; its digest and size come from the release's API."""

    def __init__(self, origin: ReleaseAsset, github: GitHub, checksums: Checksums) -> None:
        self._origin = origin
        self._github = github
        self._checksums = checksums

    def promise(self) -> Promise:
        """What the release says of the file.

        Raises:
            NotFound: there is no such release, or no such file in it.
            IntegrityError: the API and the release's own file of checksums do not agree.
            PolicyError: the file is still being uploaded.
            TransferError: no usable answer.
        """
        release, asset = self._asset()
        notes = ["the release is marked as a pre-release"] if release.is_prerelease else []
        digest, evidence = sha256_of(asset), Evidence.RELEASE_API
        if asset.digest and digest is None:
            notes.append(f"digest: {asset.digest}")
        if _PLUGIN.fullmatch(asset.name):
            digest, evidence, note = self._compare(release, asset, digest)
            notes.append(note)
        return Promise(
            file_name=asset.name,
            size=asset.size,
            digest=digest,
            evidence=Evidence.FIRST_USE if digest is None else evidence,
            identity=f"{self._origin.repository}@{release.tag} {asset.identity} {asset.digest}",
            notes=tuple(filter(None, notes)),
        )

    def locate(self) -> Location:
        """The file's own address, which stays; each request is led to a new signed one."""
        return Location(url=self._asset()[1].url)

    def _asset(self) -> tuple[Release, Asset]:
        release = self._github.release(self._origin.repository, self._origin.tag)
        asset = release.assets.get(self._origin.file_name)
        if asset is None:
            names = [one_line(name) for name in release.assets]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            raise NotFound(
                f"{release.what}: has no {self._origin.file_name}; it has "
                f"{', '.join(names[:_NAMED]) or 'no files'}{more}",
                hint="check kots.version:, or give the file by path: or url:",
            )
        if not asset.ready:
            raise PolicyError(
                f"{release.what}: {asset.name} is still being uploaded",
                hint="the release is not complete yet: wait, or take the one before",
            )
        if not is_web_address(asset.url):
            raise InvalidInput(
                f"{release.what}: {asset.name} has no http(s) address",
                hint="check kots.releases:, or give the file by path: or url:",
            )
        return release, asset

    def _compare(
        self, release: Release, asset: Asset, said: Digest | None
    ) -> tuple[Digest | None, Evidence, str]:
        """Digest, evidence and a note with the release's file of checksums in view."""
        found = self._checksums.of(release)
        if found is None:
            return said, Evidence.RELEASE_API, "the release has no file of checksums"
        name, listed = found
        digest = listed.get(asset.name)
        if digest is None:
            return said, Evidence.RELEASE_API, f"not listed in {name}"
        if said is None:
            return digest, Evidence.CHECKSUM_FILE, ""
        if said != digest:
            raise IntegrityError(
                f"{release.what}: {asset.name}: the release API says {said}, {name} says {digest}",
                hint="the release was changed, or is damaged: do not use it; ask who made it",
            )
        return said, Evidence.CHECKSUMS, ""


def sha256_of(asset: Asset) -> Digest | None:
    """The SHA-256 that the API says, None where it says none, or another kind of digest."""
    try:
        digest = Digest.parse(asset.digest)
    except InvalidInput:
        return None
    return digest if digest.algorithm == "sha256" else None
