"""What the Application kind in an `app.tar.gz` says of a release.

Field names: the Application kind of KOTS (kotskinds: apis/kots/v1beta1/application_types.go).
Whoever made the archive also chose how large its content is once inflated, and how hard to parse:
there is a limit to all of it, far above what KOTS itself could install.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from transfer.archive.inflated import DAMAGED, Inflated
from transfer.archive.release import KINDS_GROUP
from transfer.archive.tarscan import Section, scan_tar
from transfer.contents import ReleaseRecord
from transfer.digest import Readable
from transfer.errors import CorruptArchive, TransferError
from transfer.plain import is_plain
from transfer.yamlfile import NOT_YAML, load_texts

MAX_CONTENT = 1 << 30
"""Bytes of an `app.tar.gz` once inflated; the largest have some megabytes."""

MAX_FILE = 1 << 20
"""Bytes of a file in it that are looked at: KOTS's kinds have a few kilobytes."""

MAX_DOCUMENT = 64 * 1024
MAX_DOCUMENTS = 16
"""Parsing YAML takes seconds for a megabyte; a release has one Application of KOTS."""

YAML = (".yaml", ".yml")
SEPARATOR = re.compile(rb"^---[ \t]*$", re.MULTILINE)

_KIND = re.compile(rb"^kind:\s*[\"']?Application\b", re.MULTILINE)


def read_application(
    stream: Readable, release: ReleaseRecord, what: str, faults: list[TransferError]
) -> ReleaseRecord:
    """Add what the Application kind in an `app.tar.gz` says of KOTS versions."""
    try:
        for document in _documents(stream, what):
            spec = _application_spec(document)
            if spec is not None:
                release = replace(
                    release,
                    min_kots_version=_text(spec, "minKotsVersion"),
                    target_kots_version=_text(spec, "targetKotsVersion"),
                )
    except DAMAGED as error:
        faults.append(CorruptArchive(f"{what}: app.tar.gz is damaged: {error}"))
    return release


def _documents(stream: Readable, what: str) -> Iterator[bytes]:
    """Every YAML document that may be the one; the first few, if it is made to have many."""
    left = MAX_DOCUMENTS
    faults: list[TransferError] = []  # of the members: KOTS takes them or not, nothing is unpacked
    content = Inflated(stream, MAX_CONTENT)
    for member in scan_tar(content, f"{what}: app.tar.gz", faults, links=True):
        if member.link is None and member.name.endswith(YAML):
            for document in _candidates(start_of(member.content))[:left]:
                left -= 1
                yield document


def start_of(content: Section) -> bytes:
    """A file, or what of it is looked at."""
    parts, left = [], MAX_FILE
    while left and (part := content.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _candidates(raw: bytes) -> list[bytes]:
    if not _KIND.search(raw):
        return []
    group = KINDS_GROUP.encode()
    return [
        part
        for part in SEPARATOR.split(raw)
        if len(part) <= MAX_DOCUMENT and group in part and _KIND.search(part)
    ]


def _application_spec(raw: bytes) -> dict[str, Any] | None:
    try:
        value = load_texts(raw.decode())
    except NOT_YAML:
        return None  # a template of the release, which is not YAML yet
    if not isinstance(value, dict) or value.get("kind") != "Application":
        return None
    if not _text(value, "apiVersion").startswith(KINDS_GROUP):
        return None  # the Application of sigs.k8s.io has the same name
    spec = value.get("spec")
    return spec if isinstance(spec, dict) else {}


def _text(value: dict[str, Any], key: str) -> str:
    """A text; "" for what is none. Never `str()`: with aliases a list may be endless."""
    found = value.get(key)
    return found if isinstance(found, str) and is_plain(found) else ""
