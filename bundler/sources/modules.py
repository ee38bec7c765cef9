"""Archives of images that a manifest of Harness support has signed addresses for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bundler.sources.asking import Asker, refusal
from bundler.sources.manifest import Manifest, Module
from bundler.sources.once import Once
from bundler.sources.protocol import Location, Promise
from bundler.sources.signed import epoch, expires_at, moment
from bundler.spec.origin import ManifestModule
from transfer.contents import is_file_name
from transfer.disk import read_text
from transfer.errors import AccessDenied
from transfer.http.messages import Request

_SOON = 6 * 3600
"""Seconds: an evening's download, and time to ask support for another manifest."""


class ModuleSource:
    """The archive of a module; nobody says its digest."""

    def __init__(
        self,
        origin: ManifestModule,
        folder: Path,
        asker: Asker,
        now: Callable[[], float],
        warned: Once[tuple[str, int], None],
    ) -> None:
        self._origin = origin
        self._folder = folder
        self._asker = asker
        self._now = now
        self._warned = warned

    def promise(self) -> Promise:
        """What the manifest says, and the server of the archive's size.

        Raises:
            NotFound: there is no such file, or no such module in it.
            AccessDenied: the address has expired, or the server does not accept it.
            TransferError: the manifest makes no sense; no answer.
        """
        manifest, module = self._read()
        request = Request(method="GET", url=module.url, what=self._what)
        found = self._asker.probe(
            request,
            lambda answer: refusal(
                answer,
                self._what,
                access=self._access(manifest),
                missing="ask Harness support: the manifest names an archive that is not there",
            ),
        )
        known = (manifest.issued_for, module.path, module.object_path, found.validator)
        requires = ", ".join(module.requires)
        name = module.file_name
        return Promise(
            file_name=name if is_file_name(name) else self._origin.file_name,
            size=found.size,
            identity=" ".join(filter(None, known)),
            notes=(f"requires {requires}",) if requires else (),
        )

    def locate(self) -> Location:
        """The address in the manifest as it is now: it may have been replaced meanwhile.

        Raises:
            TransferError: as `promise`.
        """
        manifest, module = self._read()
        return Location(url=module.url, refused=self._access(manifest))

    @property
    def _what(self) -> str:
        return f"module {self._origin.module} of {self._origin.manifest}"

    def _read(self) -> tuple[Manifest, Module]:
        file = self._origin.manifest
        manifest = Manifest.parse(read_text(self._folder / file, f"manifest {file}"), file)
        module = manifest.module(self._origin.module)
        told = filter(None, (epoch(manifest.expires), expires_at(module.url)))
        ends = min(told, default=None)
        if ends is not None:
            self._check_time(manifest, ends)
        return manifest, module

    def _check_time(self, manifest: Manifest, ends: int) -> None:
        left = ends - self._now()
        if left <= 0:
            raise AccessDenied(
                f"{self._what}: its signed address expired at {moment(ends)}",
                hint=self._ask(manifest),
            )
        if left < _SOON:
            self._warned.get((self._origin.manifest, ends), lambda: self._warn(ends))

    def _warn(self, ends: int) -> None:
        self._asker.say(
            f"manifest {self._origin.manifest}: its signed addresses expire at {moment(ends)}; "
            "a new manifest put in its place is used at once, and downloads continue"
        )

    def _access(self, manifest: Manifest) -> str:
        return f"its signed address has expired or was cut: {self._ask(manifest)}"

    def _ask(self, manifest: Manifest) -> str:
        account = f" ({manifest.issued_for})" if manifest.issued_for else ""
        return (
            f"ask Harness support for a new manifest for the same account and chart{account}, "
            "put it in place of this one, and run the same command: what arrived is kept"
        )
