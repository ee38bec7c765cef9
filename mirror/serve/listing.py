"""Lists that a registry gives: tags, repositories, and what is about a manifest.

Sources: OCI distribution-spec, content discovery; `_catalog` is of the Docker registry API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode

from mirror.serve.exchange import Answer, Referrer, Shelf, document, error
from transfer.descriptor import OCI_INDEX
from transfer.digest import Digest


def tags_list(path: str, name: str, images: Mapping[str, Digest], query: str) -> Answer:
    """The tags of a repository; what is named by digest alone has none."""
    return _paged(path, {"name": name}, "tags", (tag for tag in images if ":" not in tag), query)


def catalog(path: str, shelf: Shelf, query: str) -> Answer:
    """The repositories."""
    return _paged(path, {}, "repositories", shelf, query)


def _paged(
    path: str, value: Mapping[str, str], key: str, all_of: Iterable[str], query: str
) -> Answer:
    """The names in order, `n` of them after `last` where asked for."""
    asked = parse_qs(query)
    last, limit = asked.get("last", [""])[0], asked.get("n", [""])[0]
    if limit and not re.fullmatch(r"[0-9]{1,9}", limit):
        return error(
            HTTPStatus.BAD_REQUEST, "PAGINATION_NUMBER_INVALID", f"n is no number of {key}"
        )
    names = sorted(name for name in all_of if name > last)
    page = names[: int(limit)] if limit else names
    if not page or len(page) == len(names):
        return document({**value, key: page})
    following = urlencode({"n": limit, "last": page[-1]})
    return document({**value, key: page}, ("Link", f'<{path}?{following}>; rel="next"'))


def referrers_list(referrers: Iterable[Referrer], subject: Digest, query: str) -> Answer:
    """An index of what is about `subject`, of one `artifactType` where asked for."""
    wanted = parse_qs(query).get("artifactType", [""])[0]
    found = {
        str(referrer.descriptor["digest"]): dict(referrer.descriptor)
        for referrer in referrers
        if referrer.subject == subject and wanted in ("", referrer.artifact_type)
    }
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(found.values())}
    applied = (("OCI-Filters-Applied", "artifactType"),) if wanted else ()
    return document(index, *applied, kind=OCI_INDEX)
