"""Which manifests of an index are carried for some platforms, and under which root."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bundler.images.choice import Choice, choose, read_platform
from transfer.descriptor import DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST, Manifest
from transfer.digest import Digest
from transfer.errors import InvalidInput, NotFound

WHAT = "image docker.io/harness/delegate:v1"


def entry(name: str, platform: str | None, **more: object) -> dict[str, Any]:
    """An entry of an index for `os/architecture[/variant]`."""
    value: dict[str, Any] = {
        "mediaType": OCI_MANIFEST,
        "digest": str(Digest.of(name.encode())),
        "size": len(name),
        **more,
    }
    if platform:
        os, architecture, *variant = platform.split("/")
        value["platform"] = {"os": os, "architecture": architecture}
        value["platform"] |= {"variant": variant[0]} if variant else {}
    return value


AMD = entry("amd", "linux/amd64")
ARM = entry("arm", "linux/arm64/v8", annotations={"team": "builds"})
S390 = entry("s390", "linux/s390x")
PROOF = entry("proof", "unknown/unknown", annotations={"vnd.docker.reference.type": "attestation"})


def index(*entries: dict[str, Any], media_type: str = OCI_INDEX, **more: object) -> Manifest:
    """An index, spaced as no canonical form is."""
    value = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries, **more}
    return Manifest.parse(json.dumps(value, indent=3).encode())


def chosen(found: Manifest, *platforms: str) -> Choice:
    return choose(found, [read_platform(text) for text in platforms], WHAT)


def written(choice: Choice) -> dict[str, Any]:
    assert choice.written is not None
    value: dict[str, Any] = json.loads(choice.written.raw)
    return value


def test_one_platform_is_its_own_manifest() -> None:
    choice = chosen(index(AMD, ARM), "linux/arm64")
    assert str(choice.root.digest) == ARM["digest"]
    assert choice.root.media_type == OCI_MANIFEST
    assert not choice.root.annotations
    assert choice.written is None


def test_several_are_an_index_of_exactly_these_in_the_order_they_had() -> None:
    choice = chosen(index(S390, ARM, PROOF, AMD), "linux/amd64", "linux/s390x")
    assert written(choice)["manifests"] == [S390, AMD]
    assert choice.written is not None
    assert choice.root == choice.written.descriptor


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_INDEX])
def test_a_written_index_has_the_type_of_the_one_it_was_chosen_from(media_type: str) -> None:
    choice = chosen(index(AMD, ARM, S390, media_type=media_type), "linux/amd64", "linux/arm64")
    assert written(choice)["mediaType"] == media_type
    assert choice.root.media_type == media_type


def test_a_written_index_has_one_form_to_the_byte() -> None:
    found = index(ARM, AMD, S390, annotations={"b": "2", "a": "ü"}, subject={"x": 1})
    choice = chosen(found, "linux/amd64", "linux/arm64")
    assert choice.written is not None
    assert choice.written.raw == (
        b'{"annotations":{"a":"\\u00fc","b":"2"},"manifests":['
        b'{"annotations":{"team":"builds"},'
        b'"digest":"' + ARM["digest"].encode() + b'",'
        b'"mediaType":"application/vnd.oci.image.manifest.v1+json",'
        b'"platform":{"architecture":"arm64","os":"linux","variant":"v8"},"size":3},'
        b'{"digest":"' + AMD["digest"].encode() + b'",'
        b'"mediaType":"application/vnd.oci.image.manifest.v1+json",'
        b'"platform":{"architecture":"amd64","os":"linux"},"size":3}],'
        b'"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}'
    )


def test_the_order_in_which_platforms_are_wanted_is_of_no_account() -> None:
    found = index(ARM, AMD, S390)
    one, two = (
        chosen(found, "linux/amd64", "linux/arm64"),
        chosen(found, "linux/arm64", "linux/amd64"),
    )
    assert one == two


def test_all_platforms_are_the_original_untouched() -> None:
    found = index(AMD, ARM, PROOF)
    choice = chosen(found, "linux/arm64", "linux/amd64")
    assert choice.root == found.descriptor
    assert choice.written is None
    assert not choice.left_out


def test_one_platform_is_its_own_manifest_even_where_there_is_no_other() -> None:
    choice = chosen(index(AMD, PROOF), "linux/amd64")
    assert str(choice.root.digest) == AMD["digest"]


def test_attestations_are_left_out_and_it_is_said() -> None:
    choice = chosen(index(AMD, PROOF, ARM, PROOF, S390), "linux/amd64", "linux/arm64")
    assert written(choice)["manifests"] == [AMD, ARM]
    assert choice.left_out == "2 manifests without a platform (attestations)"
    assert chosen(index(AMD, PROOF, ARM), "linux/amd64").left_out.startswith("1 manifest ")
    assert not chosen(index(AMD, ARM), "linux/amd64").left_out


def test_an_attestation_cannot_be_chosen() -> None:
    with pytest.raises(NotFound):
        chosen(index(AMD, PROOF), "unknown/unknown")


def test_a_platform_that_is_not_there_and_those_that_are() -> None:
    found = index(AMD, ARM, PROOF, entry("old", "linux/arm/v6"), entry("bare", None))
    with pytest.raises(NotFound) as caught:
        chosen(found, "linux/amd64", "linux/ppc64le", "windows/amd64")
    assert caught.value.message == (
        f"{WHAT}: not there for linux/ppc64le, windows/amd64; "
        "it has linux/amd64, linux/arm64, linux/arm/v6"
    )


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v7", "linux/arm"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/amd64/v3", "linux/amd64/v3"),
    ],
)
def test_a_variant_that_goes_without_saying(wanted: str, there: str) -> None:
    one = entry("one", there)
    assert str(chosen(index(one, S390), wanted).root.digest) == one["digest"]


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("linux/arm", "linux/arm/v6"),
        ("linux/amd64", "linux/amd64/v3"),
        ("linux/arm64", "linux/arm64/v9"),
        ("linux/arm64", "linux/arm"),
        ("linux/amd64", "windows/amd64"),
    ],
)
def test_a_platform_is_not_taken_for_another(wanted: str, there: str) -> None:
    with pytest.raises(NotFound):
        chosen(index(entry("one", there)), wanted)


@pytest.mark.parametrize("text", ["linux", "", "linux/", "/amd64", "linux/arm/v7/x", "linux//v8"])
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected os/architecture"):
        read_platform(text)
