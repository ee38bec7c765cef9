"""Reads where one entry's bytes come from: `path:`, `url:` or `portal:`, and their SHA-256."""

from __future__ import annotations

from urllib.parse import urlsplit

from bundler.spec.origin import Address, LocalFile, Origin, PortalRelease
from bundler.spec.values import Input
from transfer.contents import is_file_name
from transfer.fields import Fields

INPUT_KEYS = ("path", "url", "sha256")
RELEASE_KEYS = (*INPUT_KEYS, "portal")
"""Of an application's release, which the vendor's portal may give."""

_NOTHING = LocalFile(path="nothing")
"""Stands in for an origin whose absence was noted as a fault."""


def read_input(fields: Fields, slug: str = "") -> Input:
    """An entry's origin and digest; `slug` names the application of a release.

    Faults are noted, and the caller raises them.
    """
    digest = fields.digest("sha256", bare_sha256=True) if "sha256" in fields else None
    if digest is not None and digest.algorithm != "sha256":
        fields.fault("sha256", f"expected a SHA-256, found a {digest.algorithm}")
    return Input(entry=fields.where, origin=_read_origin(fields, slug), sha256=digest)


def _read_origin(fields: Fields, slug: str) -> Origin:
    kinds = ("path", "url", "portal") if slug else ("path", "url")
    given = [key for key in kinds if key in fields]
    if len(given) != 1:
        found = "both" if len(given) == 2 else "all" if given else "neither"  # noqa: PLR2004
        fields.fault("", f"expected {': or '.join(kinds)}:, found {found}")
    if "portal" in given:
        return _read_portal_release(fields, slug)
    path, url = fields.optional_text("path"), fields.optional_text("url")
    key = "path"
    origin: LocalFile | Address = _NOTHING if path is None else LocalFile(path=path)
    if url is not None:
        if not is_address(url, fields, "url"):
            return _NOTHING
        key, origin = "url", Address(url=url)
    if (path or url) and not is_file_name(origin.file_name):
        fields.fault(key, "does not end with the name of a file")
    return origin


def _read_portal_release(parent: Fields, slug: str) -> PortalRelease:
    fields = parent.child("portal", "sequence", "label", "channel")
    if fields is None:
        return PortalRelease(slug=slug)
    if ("sequence" in fields) == ("label" in fields):
        found = "both" if "label" in fields else "neither"
        fields.fault("", f"expected sequence: or label:, found {found}")
    label = fields.optional_text("label")
    if label and not is_file_name(f"{label}.airgap"):
        fields.fault("label", f"not a label that can name a file: {label!r}")
    return PortalRelease(
        slug=slug,
        sequence=fields.integer("sequence", None) if "sequence" in fields else None,
        label=label,
        channel=fields.optional_text("channel"),
    )


def is_address(url: str, fields: Fields, key: str) -> bool:
    """Whether a text is an http(s) address without a password; notes a fault where it is not.

    The address itself is not repeated: it may hold a password or a signature.
    """
    try:
        parts = urlsplit(url)
        host, user, _ = parts.hostname, parts.username, parts.port
    except ValueError:
        host = user = None
        parts = urlsplit("https:")
    if parts.scheme not in ("http", "https"):
        fields.fault(key, f"expected http:// or https://, found {parts.scheme or 'no'} scheme")
    elif not host:
        fields.fault(key, "not an address with a host")
    elif user is not None:
        fields.fault(key, "holds a user name or password: a spec is no place for either")
    else:
        return True
    return False
