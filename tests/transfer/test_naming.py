"""The names of images at a site are those that KOTS computes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transfer.digest import Digest
from transfer.errors import InvalidInput
from transfer.naming import (
    KustomizeImage,
    Naming,
    archive_name,
    dest_ec_image,
    dest_image,
    destination,
    kustomize_images,
    rewrite_docker_archive_image,
    rewrite_docker_registry_image,
    strip_tag_and_digest,
)
from transfer.reference import Repository, parse_endpoint

VECTORS = json.loads((Path(__file__).parents[1] / "data/rewrite-vectors.json").read_text())[
    "vectors"
]
SITE = parse_endpoint("registry.example:5000/harness")
A = Digest.of(b"a")


def endpoint(given: dict[str, Any]) -> Repository:
    return Repository(given["endpoint"], given["namespace"])


def as_json(image: KustomizeImage) -> dict[str, str]:
    fields = {
        "name": image.name,
        "newName": image.new_name,
        "newTag": image.new_tag,
        "digest": image.digest,
    }
    return {key: value for key, value in fields.items() if value is not None}


def by_name(images: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(images, key=lambda image: image["name"])


Given = dict[str, Any]
BY_KIND: dict[str, Callable[[Given], object]] = {
    "DestImage": lambda given: str(dest_image(endpoint(given), given["image"])),
    "DestECImage": lambda given: str(dest_ec_image(endpoint(given), given["image"])),
    "StripImageTagAndDigest": lambda given: strip_tag_and_digest(given["image"]),
    "TempRegistry.SrcRef": lambda given: (
        f"localhost:{given['port']}/{archive_name(given['image'])}"
    ),
    "RewriteDockerRegistryImage": lambda given: as_json(
        rewrite_docker_registry_image(endpoint(given), given["image"])
    ),
    "RewriteDockerArchiveImage": lambda given: as_json(
        rewrite_docker_archive_image(endpoint(given), tuple(given["pathParts"]))
    ),
    "KustomizeImage": lambda given: by_name(
        [as_json(image) for image in kustomize_images(endpoint(given), given["image"])]
    ),
}


@pytest.mark.parametrize(
    "vector", VECTORS, ids=[f"{i}-{vector['test']}" for i, vector in enumerate(VECTORS)]
)
def test_names_are_those_of_kots(vector: dict[str, Any]) -> None:
    expected, compute = vector["expected"], BY_KIND[vector["kind"]]
    if expected == "ERROR":
        with pytest.raises(InvalidInput, match=r"quay\.io/latest"):
            compute(vector["input"])
        return
    if isinstance(expected, list):
        expected = by_name(expected)
    assert compute(vector["input"]) == expected


def test_no_vector_was_lost() -> None:
    assert len(VECTORS) == 60


@pytest.mark.parametrize(
    ("image", "names"),
    [
        ("docker.io/a/b:1", {"docker.io/a/b", "a/b"}),
        ("a/b/c:1", {"a/b/c"}),
        ("docker.io/a/b/c", {"docker.io/a/b/c", "a/b/c"}),
        ("registry-1.docker.io/a/b", {"registry-1.docker.io/a/b"}),
    ],
)
def test_kustomize_spellings_beyond_the_vectors(image: str, names: set[str]) -> None:
    assert {found.name for found in kustomize_images(SITE, image)} == names


def test_a_kustomize_image_reads_as_one_reference() -> None:
    tagged = KustomizeImage(name="x", new_name="r/x", new_tag="1")
    assert str(tagged) == "r/x:1"
    assert str(KustomizeImage(name="x", new_name="r/x", new_tag="1", digest=str(A))) == f"r/x@{A}"
    assert str(KustomizeImage(name="x", new_name="r/x")) == "r/x"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("harness/foo:1", "registry.example:5000/harness/harness/foo:1"),
        ("docker.io/harness/foo:1", "registry.example:5000/harness/harness/foo:1"),
        ("us.gcr.io/a/b/c:1", "registry.example:5000/harness/a/b/c:1"),
        ("redis:7", "registry.example:5000/harness/redis:7"),
        ("docker.io/redis", "registry.example:5000/harness/redis:latest"),
        ("docker.io/library/redis:7", "registry.example:5000/harness/library/redis:7"),
        ("library/redis:7", "registry.example:5000/harness/library/redis:7"),
        (f"harness/foo:1@{A}", f"registry.example:5000/harness/harness/foo@{A}"),
    ],
)
def test_module_images_keep_their_path_as_written(image: str, expected: str) -> None:
    assert str(destination(SITE, image, Naming.WHOLE_PATH)) == expected
