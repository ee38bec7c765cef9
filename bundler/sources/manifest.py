"""The manifest of Harness support: archives of images, and a signed address for each.

`smp-bundle-manifest-<account>-<chart>.yaml` has `modules:` by name, and perhaps
`expires_at_epoch_seconds`. A module has `bucket_path`, `requires`, `parent` where it belongs to
another one, and its address as `downloadUrl` or `download_url`; with `bundle_type: single` it has
an archive for each of its `images` instead, named by `name` and the one suffix in `variants`.
Sources: Harness documentation, "Install in an air-gapped environment"; harness/helm-charts,
src/airgap/download-airgap-bundles.sh.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from transfer.errors import InvalidInput, NotFound
from transfer.http.answers import is_web_address
from transfer.plain import is_plain, one_line
from transfer.yamlfile import NOT_YAML, load_texts

_FILE = re.compile(r"smp-bundle-manifest-(.+)-([0-9][^-]*(?:-[a-z][^-]*)?)\.ya?ml")
_ADDRESSES = ("downloadUrl", "download_url")
_ASK = "use the manifest as Harness support sent it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """An archive that the manifest names."""

    name: str
    path: str
    """The same with the folder it has in the bucket: `ci/plugins`, `platform/agents/delegate`."""
    url: str = field(repr=False)
    """Signed; "" where the manifest has none."""
    requires: tuple[str, ...]

    @property
    def object_path(self) -> str:
        """Where the archive is, without the signature: the same in every new manifest."""
        parts = urlsplit(self.url)
        return f"{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def file_name(self) -> str:
        """The archive's own name."""
        return unquote(urlsplit(self.url).path).rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What support sent."""

    file: str
    """Names it in messages."""
    issued_for: str
    """Account and chart, as the file's own name says them; "" where it has another name."""
    expires: str
    """As written: seconds since 1970; "" where it does not say."""
    modules: tuple[Module, ...]

    @classmethod
    def parse(cls, text: str, file: str) -> Self:
        """Read a manifest; the name of the file says whom it was made for.

        Raises:
            InvalidInput: it is none; nothing of it is quoted, for its addresses are secrets.
        """
        what = f"manifest {file}"
        try:
            value = load_texts(text)
        except NOT_YAML:
            raise InvalidInput(f"{what}: not valid YAML", hint=_ASK) from None
        modules = _mapping(_mapping(value).get("modules"))
        if not modules:
            raise InvalidInput(f"{what}: no manifest of modules (modules: is missing)", hint=_ASK)
        found = [each for name, said in modules.items() for each in _read(name, _mapping(said))]
        strange = [each.name for each in found if not _usable(each)]
        if strange:
            names = ", ".join(map(one_line, strange))
            raise InvalidInput(
                f"{what}: names or addresses that cannot be used: {names}", hint=_ASK
            )
        named = _FILE.fullmatch(file.rpartition("/")[2])
        return cls(
            file=what,
            issued_for=" ".join(named.groups()) if named else "",
            expires=_text(_mapping(value).get("expires_at_epoch_seconds")),
            modules=tuple(found),
        )

    def module(self, wanted: str) -> Module:
        """The archive of a name, or of its path in the bucket.

        Raises:
            NotFound: there is none; the message names those there are.
            InvalidInput: the manifest has no address for it.
        """
        fits = [each for each in self.modules if each.name == wanted]
        fits = fits or [each for each in self.modules if each.path == wanted]
        if not fits:
            there = ", ".join(dict.fromkeys(each.name for each in self.modules))
            raise NotFound(
                f"{self.file}: has no module {wanted}; it has {there}",
                hint="check modules: in the spec, or ask Harness support for a manifest with it",
            )
        if not fits[0].url:
            raise InvalidInput(
                f"{self.file}: has no address for {wanted}",
                hint="manifests of charts before 0.41 have none: name the archive by url:",
            )
        return fits[0]


def _read(name: str, said: Mapping[str, Any]) -> Iterator[Module]:
    folder = _text(said.get("bucket_path")) or name
    needed = said.get("requires")
    requires = tuple(filter(None, map(_text, needed if isinstance(needed, list) else ())))
    if said.get("bundle_type") != "single":
        yield Module(name=name, path=folder, url=_address(said), requires=requires)
        return
    images = said.get("images")
    for image in images if isinstance(images, list) else ():
        entry = _mapping(image)
        for bundle in _bundles(entry):
            path = f"{folder}/{bundle}"
            yield Module(name=bundle, path=path, url=_address(entry), requires=requires)


def _bundles(image: Mapping[str, Any]) -> Iterator[str]:
    """The names of the archives that one entry stands for: with an address it is one."""
    name, variants = _text(image.get("name")), image.get("variants")
    suffixes = [_text(each) for each in variants] if isinstance(variants, list) else []
    if name and (not suffixes or (not _address(image) and image.get("variants_only") != "true")):
        yield name
    yield from (f"{name}{suffix}" for suffix in suffixes if name)


def _address(said: Mapping[str, Any]) -> str:
    return next(filter(None, (_text(said.get(key)) for key in _ADDRESSES)), "")


def _usable(module: Module) -> bool:
    url = module.url or "https://none"
    safe = is_web_address(url) and urlsplit(url).username is None
    return safe and all(map(is_plain, (module.name, module.path, url, *module.requires)))


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {key: each for key, each in value.items() if isinstance(key, str)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
