"""What only an image shows that is there already; nothing is changed about it."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlencode

from mirror.probe.asking import Asker
from mirror.probe.wire import config_of, names
from transfer.descriptor import ACCEPTED_TYPES, INDEX_TYPES

_ONE_IMAGE = ", ".join(kind for kind in ACCEPTED_TYPES if kind not in INDEX_TYPES)


def ask_for_digest(asker: Asker) -> None:
    """Whether HEAD tells what a tag stands for: of any image that is there."""
    for path, tag in _images(asker):
        head = asker.ask("HEAD", f"/v2/{path}/manifests/{tag}", Accept=", ".join(ACCEPTED_TYPES))
        if head is None or head.status != HTTPStatus.OK:
            continue
        told = "tells the digest" if head.digest else "does not tell the digest: one GET more"
        asker.note("head", "digest" if head.digest else "no-digest", f"HEAD of a tag {told}")
        return
    asker.note("head", "unknown", "no image was found to look at")


def _images(asker: Asker) -> Iterator[tuple[str, str]]:
    for path in names(asker.ask("GET", "/v2/_catalog?n=20"), "repositories"):
        for tag in names(asker.ask("GET", f"/v2/{path}/tags/list?n=1"), "tags")[:1]:
            yield path, tag


def ask_for_mount(asker: Asker) -> None:
    """A blob of an image that is there, mounted where it is already: nothing changes."""
    namespace = asker.path.rpartition("/")[0]
    for path, tag in _images(asker):
        if namespace and not path.startswith(f"{namespace}/"):
            continue
        manifest = asker.ask("GET", f"/v2/{path}/manifests/{tag}", Accept=_ONE_IMAGE)
        config = config_of(manifest)
        if config is None:
            continue
        query = urlencode({"mount": config, "from": path})
        answer = asker.begin(f"/v2/{path}/blobs/uploads/?{query}")
        if answer is not None and answer.status == HTTPStatus.CREATED:
            asker.note("mount", "works", "blobs are taken over from other repositories")
        elif answer is not None and answer.status == HTTPStatus.ACCEPTED and answer.location:
            asker.note("mount", "unknown", "where a mount is asked for, it opens an upload")
            asker.cancel(answer.location)
        else:
            told = f"blobs cannot be taken over from other repositories ({asker.said(answer)})"
            asker.note("mount", "refused", told)
        return
    asker.note("mount", "unknown", "no image was found to try it with")
