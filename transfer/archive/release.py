"""What `airgap.yaml` says of a release.

Field names: the Airgap kind of KOTS (kotskinds: apis/kots/v1beta1/airgap_types.go). Unknown
fields are passed over, as KOTS does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from transfer.contents import ReleaseRecord, RequiredRelease
from transfer.errors import InvalidInput, TransferError
from transfer.plain import is_plain
from transfer.yamlfile import NOT_YAML, load_texts

KINDS_GROUP = "kots.io/"
MAX_TEXT = 1024
"""Characters of a text; names and versions have some dozens."""


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
        if not isinstance(value, str):
            self.fault(self.at(key), "expected text")
        elif not _is_usable(value):
            self.fault(self.at(key), "too long, or holds characters that are not seen")
        elif value not in ("null", "~"):
            return value
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
        found = tuple(value for value in values if isinstance(value, str) and _is_usable(value))
        if len(found) != len(values) or "" in found:
            self.fault(self.at(key), "expected a list of texts")
        return tuple(filter(None, found))

    def children(self, key: str) -> list[_Spec]:
        return [
            _Spec(value, self.at(f"{key}[{i}]"), self._what, self._faults)
            for i, value in enumerate(self.items(key))
        ]

    def child(self, key: str) -> _Spec:
        return _Spec(self._value.get(key), self.at(key), self._what, self._faults)


def _is_usable(text: str) -> bool:
    return len(text) <= MAX_TEXT and is_plain(text)


def parse_airgap(raw: bytes, what: str, faults: list[TransferError]) -> Airgap:
    """Read an `airgap.yaml`; what is wrong is added to `faults` as InvalidInput."""
    try:
        value = load_texts(raw.decode())
    except NOT_YAML as error:
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
