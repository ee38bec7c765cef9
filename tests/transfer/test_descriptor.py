"""Manifests and indexes as they come: what is read out of them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.transfer.images import Tree, every_kind, from_blobs, image, index, layer
from transfer.descriptor import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    FOREIGN_LAYER_TYPES,
    MAX_MANIFEST_SIZE,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    Platform,
)
from transfer.digest import Digest
from transfer.errors import IntegrityError

DIGEST = Digest.of(b"")
ENTRY = {"mediaType": OCI_LAYER_GZIP, "digest": str(DIGEST), "size": 7}


def manifest(**changes: object) -> bytes:
    value: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {**ENTRY, "mediaType": OCI_CONFIG},
        "layers": [ENTRY],
    }
    return dump(value | changes)


def dump(value: dict[str, Any]) -> bytes:
    return json.dumps({key: v for key, v in value.items() if v is not ...}).encode()


@pytest.mark.parametrize("tree", every_kind().values(), ids=every_kind())
def test_every_kind_is_read_and_keeps_its_bytes(tree: Tree) -> None:
    for digest, raw in tree.manifests.items():
        found = Manifest.parse(raw)
        assert found.raw == raw
        assert found.descriptor.digest == digest
        assert bool(found.blobs) != bool(found.manifests)
    assert Manifest.parse(tree.manifests[tree.root.digest]).descriptor == tree.root


def test_an_image_points_at_its_config_and_its_layers_in_order() -> None:
    found = Manifest.parse(next(iter(from_blobs(b"c", b"1", b"2", b"1").manifests.values())))
    expected = [Digest.of(content) for content in (b"c", b"1", b"2", b"1")]
    assert [blob.digest for blob in found.blobs] == expected
    assert [blob.size for blob in found.blobs] == [1, 1, 1, 1]
    assert found.manifests == ()


def test_an_index_points_at_its_images_in_order() -> None:
    first, second = image(layer("a")), image(layer("b"))
    tree = index(second, first)
    found = Manifest.parse(tree.manifests[tree.root.digest])
    assert (found.manifests, found.blobs) == ((second.root, first.root), ())


def test_layers_that_no_registry_holds_are_left_out() -> None:
    foreign = [{**ENTRY, "mediaType": kind} for kind in sorted(FOREIGN_LAYER_TYPES)]
    found = Manifest.parse(manifest(layers=[*foreign, ENTRY]))
    assert [blob.media_type for blob in found.blobs] == [OCI_CONFIG, OCI_LAYER_GZIP]
    assert len(foreign) == 4


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (manifest(mediaType=...), OCI_MANIFEST),
        (manifest(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST),
        (manifest(schemaVersion=...), OCI_MANIFEST),
        (dump({"schemaVersion": 2, "manifests": [ENTRY]}), OCI_INDEX),
        (dump({"mediaType": DOCKER_INDEX, "manifests": []}), DOCKER_INDEX),
    ],
)
def test_the_type_is_the_one_it_declares_or_the_oci_one(raw: bytes, media_type: str) -> None:
    found = Manifest.parse(raw)
    assert (found.media_type, found.descriptor.media_type) == (media_type, media_type)


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "neither an OCI nor a Docker v2 manifest (mediaType None, schemaVersion None)"),
        (manifest(mediaType=..., schemaVersion=1), "neither an OCI nor a Docker v2 manifest"),
        (manifest(mediaType="text/plain"), "(mediaType 'text/plain', schemaVersion 2)"),
        (manifest(mediaType=[]), "(mediaType [], schemaVersion 2)"),
        (manifest(manifests=[]), "an image and an index at once"),
        (manifest(mediaType=OCI_INDEX, manifests=[]), "an image and an index at once"),
        (dump({"schemaVersion": 2, "manifests": [], "layers": []}), "an image and an index"),
        (dump({"schemaVersion": 2, "manifests": [], "config": {}}), "an image and an index"),
        (manifest(layers=...), "layers is not a list"),
        (manifest(layers={}), "layers is not a list"),
        (dump({"mediaType": OCI_INDEX}), "manifests is not a list"),
        (manifest(config=...), "m: config: not a descriptor"),
        (manifest(layers=[ENTRY, 1]), "m: layers[1]: not a descriptor"),
        (manifest(layers=[{**ENTRY, "mediaType": ""}]), "layers[0].mediaType: not a media type"),
        (manifest(layers=[{**ENTRY, "mediaType": 1}]), "layers[0].mediaType: not a media type"),
        (manifest(layers=[{**ENTRY, "size": -1}]), "layers[0].size: not a number of bytes"),
        (manifest(layers=[{**ENTRY, "size": 1 << 63}]), "layers[0].size: not a number of bytes"),
        (manifest(layers=[{**ENTRY, "size": True}]), "layers[0].size: not a number of bytes"),
        (manifest(layers=[{**ENTRY, "size": 1.0}]), "layers[0].size: not a number of bytes"),
        (manifest(layers=[{**ENTRY, "size": "1"}]), "layers[0].size: not a number of bytes"),
        (manifest(layers=[{**ENTRY, "digest": None}]), "layers[0].digest: not a digest: 'None'"),
        (manifest(layers=[{**ENTRY, "digest": "md5:0"}]), "layers[0].digest: not a digest"),
        (dump({"mediaType": OCI_INDEX, "manifests": [{}]}), "manifests[0].mediaType"),
        (b" " * (MAX_MANIFEST_SIZE + 1), "4194305 bytes are more than a manifest may have"),
    ],
)
def test_anything_else_is_refused(raw: bytes, fault: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        Manifest.parse(raw, "m")
    assert fault in str(caught.value)
    assert str(caught.value).startswith("m: ")


def test_a_manifest_may_have_four_megabytes() -> None:
    raw = manifest().ljust(MAX_MANIFEST_SIZE)
    assert Manifest.parse(raw).descriptor.size == MAX_MANIFEST_SIZE == 4 << 20


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("raw", [manifest(), dump({"schemaVersion": 2, "manifests": []})])
def test_a_manifest_keeps_the_algorithm_it_is_known_by(raw: bytes, algorithm: str) -> None:
    found = Manifest.parse(raw, algorithm=algorithm).descriptor
    assert found.digest == Digest.of(raw, algorithm)


def test_a_descriptor_is_read_and_written() -> None:
    value = {
        "mediaType": OCI_MANIFEST,
        "digest": str(DIGEST),
        "size": 7,
        "annotations": {"org.opencontainers.image.ref.name": "v1"},
    }
    platform = {"os": "linux", "architecture": "arm", "variant": "v7"}
    found = Descriptor.from_json({**value, "platform": platform}, "x")
    assert (found.media_type, found.digest, found.size) == (OCI_MANIFEST, DIGEST, 7)
    assert found.to_json() == value
    assert found.platform == Platform(os="linux", architecture="arm", variant="v7")
    assert str(found.platform) == "linux/arm/v7"


def test_a_descriptor_may_say_nothing_more() -> None:
    found = Descriptor.from_json({**ENTRY, "annotations": [], "platform": "linux"}, "x")
    assert found.to_json() == ENTRY
    assert (found.platform, found.annotations) == (None, {})
    bare = Descriptor.from_json({**ENTRY, "platform": {"architecture": "amd64"}}, "x")
    assert str(bare.platform) == "/amd64"


def test_descriptors_are_equal_by_type_digest_and_size_alone() -> None:
    plain = Descriptor.from_json(ENTRY, "x")
    told = Descriptor.from_json({**ENTRY, "annotations": {"a": "b"}, "platform": {}}, "x")
    assert plain == told
    assert len({plain, told}) == 1
    assert plain != Descriptor.from_json({**ENTRY, "size": 8}, "x")


def test_what_points_at_other_content_is_a_manifest() -> None:
    kinds = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX)
    assert all(Descriptor(media_type=k, digest=DIGEST, size=0).is_manifest for k in kinds)
    assert not Descriptor.from_json(ENTRY, "x").is_manifest
