"""Content discovery and conditions of the served registry, by clause of the specifications."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mirror.served import BLOB, BLOB_DIGEST, OCI, Client, fill_store, keep, served
from tests.transfer import images
from tests.transfer.images import Tree
from transfer.descriptor import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from transfer.digest import Digest
from transfer.layout import OciLayout

SIGNATURE, BILL = "application/vnd.example.signature", "application/vnd.example.sbom"
SIGNED = images.about(OCI, kind=SIGNATURE, annotations={"signer": "somebody"})
PLAIN = images.about(OCI)
LISTED = images.about(OCI, kind=BILL)
LIST = images.index(LISTED)
OTHER = images.about(LISTED, kind=SIGNATURE)


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Client]:
    store = fill_store(tmp_path / "store")
    with OciLayout.create(store) as layout:
        keep(layout, SIGNED, f"redis@{SIGNED.root.digest}")
        keep(layout, PLAIN, "redis:plain")
        keep(layout, LIST, f"redis:sha256-{OCI.root.digest.encoded}")
        keep(layout, OTHER, "redis:other")
        keep(layout, SIGNED, "elsewhere:1")
    with served(store) as client:
        yield client


def referrers(ask: Client, name: str, subject: Tree, query: str = "") -> list[dict[str, Any]]:
    answered = ask(f"/v2/{name}/referrers/{subject.root.digest}{query}")
    assert answered.status == 200
    assert answered.headers["Content-Type"] == OCI_INDEX
    value = json.loads(answered.body)
    assert (value["schemaVersion"], value["mediaType"]) == (2, OCI_INDEX)
    return list(value["manifests"])


def described(tree: Tree, **more: object) -> dict[str, Any]:
    return {
        "mediaType": OCI_MANIFEST,
        "digest": str(tree.root.digest),
        "size": tree.root.size,
        **more,
    }


def test_listing_referrers(ask: Client) -> None:
    """Untagged ones, and those that a tag of the older schema lists, are among them."""
    expected = [
        described(SIGNED, artifactType=SIGNATURE, annotations={"signer": "somebody"}),
        described(PLAIN, artifactType=OCI_CONFIG),  # of the configuration
        described(LISTED, artifactType=BILL),
    ]
    found = referrers(ask, "redis", OCI)
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert referrers(ask, "elsewhere", OCI) == expected[:1]
    assert [one["digest"] for one in referrers(ask, "redis", LISTED)] == [str(OTHER.root.digest)]


def test_listing_referrers_of_nothing_is_empty_not_404(ask: Client) -> None:
    assert referrers(ask, "redis", OTHER) == []
    assert referrers(ask, "pinned", OCI) == []


def test_listing_referrers_of_one_artifact_type(ask: Client) -> None:
    found = referrers(ask, "redis", OCI, f"?artifactType={BILL}")
    assert [one["digest"] for one in found] == [str(LISTED.root.digest)]
    path = f"/v2/redis/referrers/{OCI.root.digest}"
    filtered = ask(f"{path}?artifactType={BILL}")
    assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
    assert "OCI-Filters-Applied" not in ask(path).headers


def test_listing_referrers_of_what_is_no_digest(ask: Client) -> None:
    answered = ask("/v2/redis/referrers/sha256:short")
    assert (answered.status, answered.code) == (400, "DIGEST_INVALID")
    assert ask(f"/v2/nowhere/referrers/{OCI.root.digest}").code == "NAME_UNKNOWN"


def test_a_referrer_that_comes_later_is_found(tmp_path: Path) -> None:
    store = fill_store(tmp_path / "store")
    with served(store) as ask:
        assert referrers(ask, "redis", OCI) == []
        with OciLayout.create(store) as layout:
            keep(layout, SIGNED, "redis:signed")
        assert len(referrers(ask, "redis", OCI)) == 1


def test_the_catalog_comes_in_pages(ask: Client) -> None:
    names = ["a/b/both", "elsewhere", "latest", "list", "pinned", "redis"]
    assert json.loads(ask("/v2/_catalog").body) == {"repositories": names}
    first = ask("/v2/_catalog?n=4")
    assert json.loads(first.body)["repositories"] == names[:4]
    assert first.headers["Link"] == '</v2/_catalog?n=4&last=list>; rel="next"'
    assert json.loads(ask("/v2/_catalog?n=4&last=list").body)["repositories"] == names[4:]
    assert ask("/v2/_catalog?n=x").code == "PAGINATION_NUMBER_INVALID"


@pytest.mark.parametrize(
    "path", ["manifests/7", f"manifests/{OCI.root.digest}", f"blobs/{BLOB_DIGEST}"]
)
def test_what_a_client_has_is_not_sent_again(ask: Client, path: str) -> None:
    path = f"/v2/redis/{path}"
    whole = ask(path)
    etag = whole.headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        for method in ("GET", "HEAD"):
            answered = ask(path, method, If_None_Match=known, Range="bytes=0-1")
            assert (answered.status, answered.body) == (304, b"")
            assert answered.headers["ETag"] == etag
            assert "Content-Length" not in answered.headers
    for unknown in ('"other"', etag.strip('"'), ""):
        assert ask(path, If_None_Match=unknown).body == whole.body


def test_content_of_another_algorithm(tmp_path: Path) -> None:
    store = fill_store(tmp_path / "store")
    digest, manifest = Digest.of(BLOB, "sha512"), OCI.manifests[OCI.root.digest]
    with OciLayout.create(store) as layout:
        for raw in (BLOB, manifest):
            path = layout.path_of(Digest.of(raw, "sha512"))
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(raw)
    with served(store) as ask:
        assert ask(f"/v2/redis/blobs/{digest}").body == BLOB
        answered = ask(f"/v2/redis/manifests/{Digest.of(manifest, 'sha512')}")
        assert answered.body == manifest
        assert answered.headers["Docker-Content-Digest"] == str(Digest.of(manifest, "sha512"))
