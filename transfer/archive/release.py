"""What `airgap.yaml` and `app.tar.gz` say of a release.

Field names: the Airgap kind of KOTS (kotskinds: apis/kots/v1beta1/airgap_types.go) and its
Application kind. Unknown fields are passed over, as KOTS does.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from dataclasses import dataclass, field, replace
from typing import IO, Any, cast

import yaml

from transfer.contents import ReleaseRecord, RequiredRelease
from transfer.digest import Readable
from transfer.errors import CorruptArchive, InvalidInput, TransferError

KINDS_GROUP = "kots.io/"
MAX_KIND_SIZE = 1 << 20
"""Bytes of a file in app.tar.gz that can be a KOTS kind."""

_APPLICATION = re.compile(rb"^kind:\s*[\"']?Application\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Airgap:
    """An `airgap.yaml`."""

    is_valid: bool = True
    """False where it could not be read; everything else is empty then."""
    format: str = ""
    saved_images: tuple[str, ...] = ()
    release: ReleaseRecord = field(default_factory=ReleaseRecord)


class _Spec:
    """A mapping read leniently in its keys, strictly in its types."""

    def __init__(self, value: object, path: str, what: str, faults: list[TransferError]) -> None:
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}
        self._path = path
        self._what = what
        self._faults = faults
        if value is not None and not isinstance(value, dict):
            self.fault(path, "expected a mapping")

    def at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def fault(self, path: str, why: str) -> None:
        place = f"{self._what}: {path}" if path else self._what
        self._faults.append(InvalidInput(f"{place}: {why}"))

    def text(self, key: str) -> str:
        value = self._value.get(key, "")
        if isinstance(value, str):
            return "" if value in ("null", "~") else value
        self.fault(self.at(key), "expected text")
        return ""

    def items(self, key: str) -> list[Any]:
        value = self._value.get(key)
        if value in (None, "", "null", "~"):
            return []
        if isinstance(value, list):
            return value
        self.fault(self.at(key), "expected a list")
        return []

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.items(key)
        if not all(isinstance(value, str) and value for value in values):
            self.fault(self.at(key), "expected a list of texts")
        return tuple(value for value in values if isinstance(value, str) and value)

    def children(self, key: str) -> list[_Spec]:
        return [
            _Spec(value, self.at(f"{key}[{i}]"), self._what, self._faults)
            for i, value in enumerate(self.items(key))
        ]

    def child(self, key: str) -> _Spec:
        return _Spec(self._value.get(key), self.at(key), self._what, self._faults)


def parse_airgap(raw: bytes, what: str, faults: list[TransferError]) -> Airgap:
    """Read an `airgap.yaml`; what is wrong is added to `faults` as InvalidInput."""
    try:
        value = _load(raw)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        faults.append(InvalidInput(f"{what}: not valid YAML: {' '.join(str(error).split())}"))
        return Airgap(is_valid=False)
    before = len(faults)
    document = _Spec(value, "", what, faults)
    kind, group = document.text("kind"), document.text("apiVersion")
    if len(faults) > before:
        return Airgap(is_valid=False)
    if kind != "Airgap" or not group.startswith(KINDS_GROUP):
        found = f"{group or 'no apiVersion'}, {kind or 'no kind'}"
        document.fault("", f"expected kots.io/v1beta1, Airgap; found {found}")
        return Airgap(is_valid=False)
    spec = document.child("spec")
    return Airgap(
        format=spec.text("format"),
        saved_images=spec.texts("savedImages"),
        release=ReleaseRecord(
            app_slug=spec.text("appSlug"),
            version_label=spec.text("versionLabel"),
            channel_id=spec.text("channelID"),
            channel_name=spec.text("channelName"),
            update_cursor=spec.text("updateCursor"),
            is_required=spec.text("isRequired") == "true",
            required_releases=tuple(
                RequiredRelease(
                    version_label=release.text("versionLabel"),
                    update_cursor=release.text("updateCursor"),
                )
                for release in spec.children("requiredReleases")
            ),
        ),
    )


def read_application(
    stream: Readable, release: ReleaseRecord, what: str, faults: list[TransferError]
) -> ReleaseRecord:
    """Add what the Application kind in an `app.tar.gz` says of KOTS versions."""
    try:
        with (
            gzip.GzipFile(fileobj=cast("IO[bytes]", stream)) as content,
            tarfile.open(fileobj=content, mode="r|") as tar,
        ):
            for member in tar:
                if member.isreg() and member.name.endswith((".yaml", ".yml")):
                    file = tar.extractfile(member)
                    raw = file.read(MAX_KIND_SIZE) if file else b""
                    release = _with_versions(release, raw)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        faults.append(CorruptArchive(f"{what}: app.tar.gz is damaged: {error}"))
    return release


def _with_versions(release: ReleaseRecord, raw: bytes) -> ReleaseRecord:
    if not _APPLICATION.search(raw):
        return release
    for part in re.split(rb"^---\s*$", raw, flags=re.MULTILINE):
        spec = _application_spec(part)
        if spec is not None:
            return replace(
                release,
                min_kots_version=str(spec.get("minKotsVersion", "")),
                target_kots_version=str(spec.get("targetKotsVersion", "")),
            )
    return release


def _application_spec(raw: bytes) -> dict[str, Any] | None:
    try:
        value = _load(raw)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None  # a template of the release, which is not YAML yet
    if not isinstance(value, dict) or value.get("kind") != "Application":
        return None
    if not str(value.get("apiVersion", "")).startswith(KINDS_GROUP):
        return None  # the Application of sigs.k8s.io has the same name
    spec = value.get("spec")
    return spec if isinstance(spec, dict) else {}


def _load(raw: bytes) -> Any:  # noqa: ANN401 - whatever the file holds
    # The base loader leaves scalars as they are written: the label 1.10 is not the number 1.1.
    return yaml.load(raw.decode(), Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only
