"""What of a licence nobody may read in output: its ID, which is a key to the vendor's downloads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mirror.secret import Secret
from mirror.site import Application
from transfer.disk import read_text
from transfer.errors import TransferError
from transfer.yamlfile import NOT_YAML, load_texts

_KEYS = ("licenseID", "signature")


def licence_secrets(applications: Iterable[Application]) -> tuple[Secret, ...]:
    """The IDs and signatures of the licences that are at hand."""
    found = []
    for application in applications:
        try:
            text = read_text(Path(application.license_file), "licence")
            spec = load_texts(text)["spec"]
            found += [spec.get(key) for key in _KEYS]
        except (*NOT_YAML, TransferError, TypeError):
            continue  # nothing that could be told
    return tuple(Secret(value) for value in found if isinstance(value, str) and value.strip())
