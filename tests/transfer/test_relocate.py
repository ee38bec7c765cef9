"""A plan gives every image one destination, or is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.contents import ImageRecord
from transfer.descriptor import OCI_MANIFEST, Descriptor
from transfer.digest import Digest
from transfer.errors import Conflict, IntegrityError, InvalidInput
from transfer.naming import Naming, destination
from transfer.reference import Reference, parse_endpoint
from transfer.relocate import SourceImage, relocate

SITE = parse_endpoint("registry.example:5000/harness")
A, B = Digest.of(b"a"), Digest.of(b"b")


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


def of_release(application: str, release: str, digest: Digest) -> SourceImage:
    return replace(image("redis:6", digest), application=application, release=release)


def test_releases_go_together_as_far_as_they_can() -> None:
    images = [
        of_release("harness", "1", A),
        of_release("harness", "2", A),
        of_release("harness", "3", B),
        of_release("harness", "4", A),
        replace(of_release("harness-ng", "1", A), record=image("mongo:4").record),
        replace(of_release("harness-ng", "2", A), record=image("mongo:4", B).record),
        replace(of_release("other", "9", A), record=image("other:9").record),
        image("quay.io/console:1"),
    ]
    with pytest.raises(Conflict) as caught:
        relocate(images, SITE)
    assert caught.value.hint == (
        "the releases follow one another: "
        "push --release harness=1 --release harness=2 --release harness-ng=1, upgrade, "
        "push --release harness=3 --release harness-ng=2 --overwrite, upgrade, "
        "push --release harness=4 --release harness-ng=2 --overwrite, upgrade"
    )
    with pytest.raises(Conflict) as caught:
        relocate([*images, image("x/other:9", B)], SITE)
    assert str(caught.value.hint).startswith("give the sources one at a time, or push them to")
