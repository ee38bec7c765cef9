from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.relocate import (
    KustomizeImage,
    Naming,
    SourceImage,
    archive_name,
    dest_ec_image,
    dest_image,
    destination,
    kustomize_images,
    relocate,
    rewrite_docker_archive_image,
    rewrite_docker_registry_image,
    strip_tag_and_digest,
)
from transfer.contents import ImageRecord
from transfer.descriptor import OCI_MANIFEST, Descriptor
from transfer.digest import Digest
from transfer.errors import Conflict, IntegrityError, InvalidInput
from transfer.reference import Reference, Repository, parse_endpoint

VECTORS = json.loads((Path(__file__).parents[1] / "data/rewrite-vectors.json").read_text())[
    "vectors"
]
SITE = parse_endpoint("registry.example:5000/harness")
A, B = Digest.of(b"a"), Digest.of(b"b")


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


def image(name: str, digest: Digest = A, origin: str = "app.airgap") -> SourceImage:
    root = Descriptor(media_type=OCI_MANIFEST, digest=digest, size=10)
    return SourceImage(record=ImageRecord(name=name, root=root), naming=Naming.KOTS, origin=origin)


def test_a_plan_keeps_the_order_and_plans_one_image_once() -> None:
    plan = relocate([image("quay.io/a/one:1"), image("two:2", B), image("docker.io/b/one:1")], SITE)
    assert [(r.source, str(r.destination), r.root.digest) for r in plan.relocations] == [
        ("quay.io/a/one:1", "registry.example:5000/harness/one:1", A),
        ("two:2", "registry.example:5000/harness/two:2", B),
    ]


def test_a_digest_alone_has_no_tag() -> None:
    (relocation,) = relocate([image(f"quay.io/a/one:1@{A}")], SITE).relocations
    assert relocation.destination.tag is None
    assert relocation.destination.name == str(A)


def test_every_collision_is_named_with_both_sources() -> None:
    images = [
        image("quay.io/a/one:1"),
        image("docker.io/b/one:1", B),
        image("x/two", A, "first.airgap"),
        image("x/two", B, "second.airgap"),
        image("three:3"),
    ]
    with pytest.raises(Conflict) as caught:
        relocate(images, SITE)
    first, second = map(str, caught.value.faults)
    assert first == (
        f"registry.example:5000/harness/one:1: wanted by quay.io/a/one:1 of app.airgap ({A}) "
        f"and by docker.io/b/one:1 of app.airgap ({B})"
    )
    assert "x/two of first.airgap" in second
    assert "x/two of second.airgap" in second


def test_names_that_are_no_references_are_told_together() -> None:
    with pytest.raises(InvalidInput) as caught:
        relocate([image("Upper/Case:1"), image("fine:1"), image("a/b:")], SITE)
    assert ["Upper/Case" in str(caught.value.faults[0]), "'a/b:'" in str(caught.value.faults[1])]
    assert len(caught.value.faults) == 2
    assert str(caught.value.faults[0]).startswith("app.airgap: ")


def test_a_name_pinned_to_other_content_is_refused() -> None:
    with pytest.raises(IntegrityError) as caught:
        relocate([image(f"quay.io/a/one@{A}", B), image(f"quay.io/a/two@{A}")], SITE)
    (fault,) = caught.value.faults
    assert str(fault) == f"quay.io/a/one@{A} of app.airgap ({B}): the name says {A}"


component = st.from_regex(r"[a-z0-9]{1,3}(-[a-z0-9]{1,2})?", fullmatch=True)
names = st.builds(
    lambda host, path, tag: f"{host}{'/'.join(path)}:{tag}",
    st.sampled_from(["", "docker.io/", "quay.io/", "localhost:5000/"]),
    st.lists(component, min_size=1, max_size=3),
    st.sampled_from(["1", "2", "latest"]),
)
sources = st.lists(
    st.tuples(names, st.sampled_from([A, B]), st.sampled_from(list(Naming))), max_size=12
)


@given(sources)
def test_a_plan_is_injective_or_refused(chosen: list[tuple[str, Digest, Naming]]) -> None:
    images = [
        SourceImage(record=image(name, digest).record, naming=naming, origin="x")
        for name, digest, naming in chosen
    ]
    wanted: dict[Reference, set[Digest]] = {}
    for name, digest, naming in chosen:
        wanted.setdefault(destination(SITE, name, naming), set()).add(digest)
    if any(len(digests) > 1 for digests in wanted.values()):
        with pytest.raises(Conflict):
            relocate(images, SITE)
        return
    plan = relocate(images, SITE)
    assert {r.destination: {r.root.digest} for r in plan.relocations} == wanted
    assert len(plan.relocations) == len(wanted)
    assert all(str(r.destination).startswith(f"{SITE}/") for r in plan.relocations)
