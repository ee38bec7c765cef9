"""Reads a bundle spec: strictly, with all faults at once.

```yaml
apiVersion: airgap/v1
kind: BundleSpec
name: harness
version: "2026.11"
kots: {version: v1.131.4}                               # archive and plugins of its release
applications:
  - slug: harness
    releases: [{archive: {url: https://example.com/h.airgap, sha256: …}}]
  - slug: harness-ng
    installed: "402"                                    # what runs at the site
    license: license.yaml                               # checked, and not carried
    releases: [{archive: {portal: {sequence: 412}}}]
imageArchives: [{path: platform_images.tgz}]
images: [docker.io/harness/delegate:latest]
files: [{name: values/configvalues.yaml, path: configvalues.yaml}]
toolkit: {platforms: [linux/amd64], python: ["3.11"]}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bundler.spec.inputs import INPUT_KEYS, is_address, read_input
from bundler.spec.kots import KOTS_KEYS, PLATFORM, read_applications, read_kots
from bundler.spec.origin import ManifestModule
from bundler.spec.values import (
    PORTAL,
    ArchiveInput,
    BundleSpec,
    FileInput,
    ImageInput,
    Input,
    Portal,
    Secret,
    Toolkit,
)
from transfer.contents import FILES, KEPT_ARCHIVES, PLUGINS, TOOLKIT, ArchiveKind, is_bundle_path
from transfer.errors import InvalidInput
from transfer.fields import Fields
from transfer.reference import Reference
from transfer.yamlfile import read_yaml

_WITH_VARIANT = re.compile(f"{PLATFORM.pattern}(?:/[a-z0-9]+)?")
"""Of an image: `linux/arm/v7`."""

_CARRIED = ("kots", "applications", "imageArchives", "images", "files", "toolkit")
_PORTAL_KEYS = ("api", "licenseIdEnv", "licenseIdFile", "passwordEnv", "passwordFile")


def parse_spec(text: str, file: str) -> BundleSpec:
    """Read a spec; `file` names it in messages.

    Raises:
        InvalidInput: with every fault and the path to it.
        UnsupportedVersion: it was written for a newer version of the toolkit.
    """
    fields = read_yaml(text, file, "apiVersion", "kind", "name", "version", "portal", *_CARRIED)
    fields.expect("BundleSpec")
    name, version = fields.text("name"), fields.text("version")
    console, archives, plugins = read_kots(fields.child("kots", *KOTS_KEYS))
    applications, releases = read_applications(fields)
    spec = BundleSpec(
        name=name,
        version=version,
        archives=(*archives, *releases, *_read_image_archives(fields)),
        images=tuple(_read_images(fields)),
        files=(*plugins, *_read_files(fields)),
        console=console,
        applications=applications,
        portal=_read_portal(fields),
        toolkit=_read_toolkit(fields),
    )
    _refuse_clashes(fields, spec.files)
    if not any(fields.is_filled(key) for key in _CARRIED):
        fields.fault("", "names nothing to carry")
    fields.faults.raise_all()
    return spec


def _read_portal(parent: Fields) -> Portal:
    fields = parent.child("portal", *_PORTAL_KEYS)
    if fields is None:
        return PORTAL
    api = fields.text("api", PORTAL.api)
    is_address(api, fields, "api")
    return Portal(
        api=api.rstrip("/"),
        license_id=_read_secret(fields, "licenseId", PORTAL.license_id),
        password=_read_secret(fields, "password", PORTAL.password),
    )


def _read_secret(fields: Fields, key: str, usual: Secret) -> Secret:
    named, path = fields.optional_text(f"{key}Env"), fields.optional_text(f"{key}File")
    if named and path:
        fields.fault(f"{key}File", f"give this or {key}Env:, not both")
    if path:
        return Secret(path=path)
    return Secret(variable=named) if named else usual


def _read_image_archives(parent: Fields) -> Iterator[ArchiveInput]:
    for fields in parent.children("imageArchives", *INPUT_KEYS, "manifest", "modules"):
        manifest = fields.optional_text("manifest")
        if manifest is None:
            if "modules" in fields:
                fields.fault("modules", "belongs to manifest:, which is missing")
            yield ArchiveInput(input=read_input(fields), kind=ArchiveKind.IMAGES)
            continue
        for key in INPUT_KEYS:
            if key in fields:
                fields.fault(key, "cannot stand beside manifest:")
        yield from _read_modules(fields, manifest)


def _read_modules(fields: Fields, manifest: str) -> Iterator[ArchiveInput]:
    seen: dict[str, str] = {}
    if not fields.is_filled("modules"):
        fields.fault("modules", "is missing: name at least one module of the manifest")
    for place, module in fields.placed_texts("modules"):
        if not is_bundle_path(module):
            fields.fault(place, f"not the name of a module: {module!r}")
        refuse_duplicate(fields, place, module, seen)
        origin = ManifestModule(manifest=manifest, module=module)
        found = Input(entry=f"{fields.where}.modules[{module}]", origin=origin)
        yield ArchiveInput(input=found, kind=ArchiveKind.IMAGES)


def _read_images(fields: Fields) -> Iterator[ImageInput]:
    seen: dict[str, str] = {}
    for place, item in fields.placed_items("images", "image", "platforms", "engine"):
        key = place if isinstance(item, str) else f"{place}.image"
        text = item if isinstance(item, str) else item.text("image")
        try:
            reference = Reference.parse(text) if text else None
        except InvalidInput as error:
            fields.fault(key, error.message)
            continue
        platforms, engine = _read_choice(item) if isinstance(item, Fields) else ((), None)
        if reference is None:
            continue
        refuse_duplicate(fields, key, str(reference), seen)
        yield ImageInput(
            entry=fields.at(place), reference=reference, platforms=platforms, engine=engine
        )


def _read_choice(fields: Fields) -> tuple[tuple[str, ...], str | None]:
    platforms = _read_platforms(fields, "platforms", _WITH_VARIANT)
    engine = fields.optional_text("engine")
    if not engine:
        return platforms, engine
    if platforms:
        fields.fault("platforms", "a local engine holds one platform of an image: leave it out")
    if engine != "default" and not engine.startswith("unix:///"):
        fields.fault("engine", f"expected default or unix:///path/to.sock, found {engine!r}")
    return platforms, "" if engine == "default" else engine


def _read_platforms(fields: Fields, key: str, known: re.Pattern[str] = PLATFORM) -> tuple[str, ...]:
    found: list[str] = []
    for place, text in fields.placed_texts(key):
        if not known.fullmatch(text):
            fields.fault(place, f"expected os/architecture such as linux/amd64, found {text!r}")
        elif text in found:
            fields.fault(place, f"{text} stands there twice")
        else:
            found.append(text)
    return tuple(found)


def _read_files(parent: Fields) -> Iterator[FileInput]:
    for fields in parent.children("files", "name", *INPUT_KEYS):
        name = fields.text("name")
        if name and not is_bundle_path(name):
            fields.fault("name", f"not a path below files/: {name!r}")
        path = f"{FILES}/{name}"
        for folder in (PLUGINS, KEPT_ARCHIVES, TOOLKIT):
            if f"{path}/".startswith(f"{folder}/"):
                fields.fault("name", f"{folder}/ is filled by the toolkit: choose another folder")
        yield FileInput(input=read_input(fields), path=path)


def _read_toolkit(parent: Fields) -> Toolkit | None:
    fields = parent.child("toolkit", "platforms", "python")
    if fields is None:
        return None
    for key in ("platforms", "python"):
        if not fields.is_filled(key):
            fields.fault(key, "is missing: name at least one")
    return Toolkit(platforms=_read_platforms(fields, "platforms"), python=fields.texts("python"))


def refuse_duplicate(fields: Fields, key: str, name: str, seen: dict[str, str]) -> None:
    """Note a fault where `name` stands a second time."""
    if name in seen:
        fields.fault(key, f"{name} stands at {seen[name]} already")
    elif name:
        seen[name] = fields.at(key)


def _refuse_clashes(fields: Fields, files: Iterable[FileInput]) -> None:
    """No two files may want one path, nor one the other's folder; letter case is no difference."""
    seen: dict[str, str] = {}
    for file in files:
        path, entry = file.path.casefold(), file.input.entry
        parts = path.split("/")
        above = ("/".join(parts[:i]) for i in range(1, len(parts)))
        below = (taken for taken in seen if taken.startswith(f"{path}/"))
        clash = next((taken for taken in (path, *above, *below) if taken in seen), None)
        if clash is not None:
            fields.fault(entry, f"{file.path} in the bundle is taken by {seen[clash]}")
        seen.setdefault(path, entry)
