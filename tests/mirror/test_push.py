"""Pushing to real registries and to a site store, once and again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mirror.receipts import read_receipt
from tests.disks import make_read_only, small_disk
from tests.mirror.supply import (
    APPLICATION,
    BASE,
    DESTINATIONS,
    MANAGER,
    MODULE,
    MONGO,
    SMTP,
    UI,
    complete,
    held,
    make_bundle,
    mirror,
    writes,
)
from tests.processes import run
from tests.servers import Certificate, Registry, docker_registry
from tests.transfer.images import image, layer
from transfer import __version__
from transfer.digest import Digest
from transfer.layout import OciLayout

pytest_plugins = ["tests.server_fixtures"]
pytestmark = pytest.mark.real

LOGIN = ("robot", "correct horse battery staple")
OTHER = image(layer("other"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


def to(registry: Registry) -> tuple[str, ...]:
    return ("--to", f"{registry.host}/harness", "--plain-http")


def all_there(registry: Registry) -> None:
    """Every image, complete, under the name that KOTS or the module's chart pulls."""
    assert held(registry, "harness/manager") == {"79915": str(MANAGER.root.digest)}
    assert held(registry, "harness/ui") == {"79915": str(UI.root.digest)}
    assert held(registry, "harness/mongo") == {}
    assert held(registry, "harness/harness/smtp") == {"1": str(SMTP.root.digest)}
    assert all(complete(registry, tree.root.digest) for tree in DESTINATIONS.values())


def test_a_bundle_arrives_and_a_second_push_writes_nothing(
    bundle: Path, registry: Registry, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    first = mirror("push", bundle, *to(registry), "--receipt", receipt, "--output", "json")
    assert first.code == 0, first.err
    all_there(registry)
    done = first.json()
    assert done["target"] == f"{registry.host}/harness"
    assert (done["imagesCopied"], done["imagesPresent"], done["imagesFailed"]) == (4, 0, 0)
    blobs = {digest for tree in DESTINATIONS.values() for digest in tree.blobs}
    assert done["blobsSent"] == len(blobs)
    assert done["blobsMounted"] == 2  # the base layer, wanted in three repositories
    assert {image["destination"] for image in done["images"]} == {
        f"{registry.host}/harness/{name}" for name in DESTINATIONS
    }

    before = len(registry.requests())
    second = mirror("push", bundle, *to(registry), "--output", "json")
    assert second.code == 0, second.err
    assert writes(registry, before) == []
    assert second.json()["imagesPresent"] == 4
    assert second.json()["blobsSent"] == second.json()["bytesSent"] == 0
    # Nothing below a present image is asked for, either.
    assert not any("/blobs/" in request.path for request in registry.requests()[before:])


def test_the_receipt_says_what_is_held(bundle: Path, registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    assert mirror("push", bundle, *to(registry), "--receipt", path).code == 0
    receipt = read_receipt(path)
    assert receipt.target == f"{registry.host}/harness"
    assert receipt.tool == __version__
    assert [source.name for source in receipt.sources] == ["harness"]
    sums = (bundle / "SHA256SUMS").read_bytes()
    assert receipt.sources[0].fingerprint == Digest.of(sums)
    assert {image.source for image in receipt.images} == {*APPLICATION, *MODULE}
    (mongo,) = (image for image in receipt.images if image.repository == "harness/mongo")
    assert (mongo.tag, mongo.root.digest) == (None, MONGO.root.digest)
    sizes = {
        digest: len(raw) for tree in DESTINATIONS.values() for digest, raw in tree.blobs.items()
    }
    assert {blob.digest: blob.size for blob in receipt.blobs} == sizes

    before = path.read_bytes()
    again = mirror("push", bundle, *to(registry), "--receipt", path)
    assert again.code == 0
    assert {image.outcome.value for image in read_receipt(path).images} == {"present"}
    assert path.read_bytes() != before


def test_text_output_names_every_image(bundle: Path, registry: Registry) -> None:
    ran = mirror("push", bundle, *to(registry), "--quiet")
    assert ran.code == 0
    for name, tree in DESTINATIONS.items():
        assert f"{registry.host}/harness/{name}" in ran.out
        assert str(tree.root.digest) in ran.out
    assert "4 images: 4 copied, 0 present, 0 failed" in ran.out
    assert ran.err == ""


def test_tls_and_a_password(bundle: Path, tmp_path: Path, tls: Certificate) -> None:
    with docker_registry(tmp_path / "registry", tls=tls, htpasswd=LOGIN) as registry:
        target = ("--to", f"{registry.host}/harness")
        login = ("--username", LOGIN[0], "--password-stdin")
        nobody = mirror("push", bundle, *target, "--ca-file", tls.ca, env={"HOME": str(tmp_path)})
        assert nobody.code == 6
        assert "--username" in nobody.err
        wrong = mirror("push", bundle, *target, "--ca-file", tls.ca, *login, stdin="wrong\n")
        assert wrong.code == 6
        assert "wrong" not in wrong.err + wrong.out
        assert writes(registry) == []

        ran = mirror("push", bundle, *target, "--ca-file", tls.ca, *login, stdin=LOGIN[1] + "\n")
        assert ran.code == 0, ran.err
        all_there(registry)
        unverified = mirror(
            "audit", bundle, *target, "--insecure-skip-tls-verify", *login, stdin=LOGIN[1]
        )
        assert unverified.code == 0, unverified.err
        assert "warning: the registry's certificate is not checked" in unverified.err
        assert LOGIN[1] not in ran.out + ran.err + unverified.out + unverified.err


def test_a_tag_with_other_content_is_a_conflict(
    bundle: Path, registry: Registry, tmp_path: Path
) -> None:
    names = {"docker.io/old/manager:79915": OTHER, "x/ui:79915": OTHER}
    old = make_bundle(tmp_path / "old", names, {})
    assert mirror("push", old.path, *to(registry)).code == 0
    before = len(registry.requests())
    refused = mirror("push", bundle, *to(registry), "--output", "json")
    assert refused.code == 8
    assert writes(registry, before) == []
    faults = refused.json()["error"]["faults"]
    assert len(faults) == 2
    assert str(OTHER.root.digest) in faults[0]["message"]
    assert "--overwrite" in refused.err
    planned = mirror("plan", bundle, *to(registry))
    assert planned.code == 8

    moved = mirror("push", bundle, *to(registry), "--overwrite")
    assert moved.code == 0, moved.err
    all_there(registry)


def test_a_site_store(bundle: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    receipt = tmp_path / "receipt.json"
    first = mirror("push", bundle, "--to", f"oci:{store}", "--receipt", receipt)
    assert first.code == 0, first.err
    layout = OciLayout.read(store)
    assert {name: root.digest for name, root in layout.images().items()} == {
        name: tree.root.digest for name, tree in DESTINATIONS.items()
    }
    assert layout.verify() == []
    files = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}
    second = mirror("push", bundle, "--to", f"oci:{store}", "--output", "json")
    assert second.code == 0, second.err
    assert second.json()["imagesPresent"] == 4
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()} == files
    assert mirror("audit", receipt).code == 0
    assert read_receipt(receipt).target == f"oci:{store}"


@pytest.mark.parametrize("content", ["bundle", "other"])
def test_a_folder_that_is_no_store_is_left_alone(
    bundle: Path, tmp_path: Path, content: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.odt").write_text("years of work")
    folder = bundle if content == "bundle" else other
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    refused = mirror("push", bundle, "--to", f"oci:{folder}")
    assert refused.code == 3
    assert "not part of a site store" in refused.err
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before


def test_skopeo_pulls_what_was_pushed(
    bundle: Path, registry: Registry, tmp_path: Path, need: Callable[[str], Path]
) -> None:
    skopeo = need("skopeo")
    assert mirror("push", bundle, *to(registry)).code == 0
    for number, (name, tree) in enumerate(DESTINATIONS.items()):
        source = f"docker://{registry.host}/harness/{name}"
        out = f"dir:{tmp_path / str(number)}"
        run([skopeo, "--insecure-policy", "copy", "--all", "--src-tls-verify=false", source, out])
        raw = (tmp_path / str(number) / "manifest.json").read_bytes()
        assert Digest.of(raw) == tree.root.digest


def test_a_plan_is_what_a_push_does(bundle: Path, registry: Registry) -> None:
    planned = mirror("plan", bundle, *to(registry), "--output", "json")
    assert planned.code == 0, planned.err
    assert writes(registry) == []
    plan = planned.json()
    assert {image["state"] for image in plan["images"]} == {"new"}
    pushed = mirror("push", bundle, *to(registry), "--output", "json").json()
    assert plan["bytesToSend"] == pushed["bytesSent"]
    assert plan["blobsToSend"] == pushed["blobsSent"]
    assert [image["destination"] for image in plan["images"]] == [
        image["destination"] for image in pushed["images"]
    ]
    after = mirror("plan", bundle, *to(registry), "--output", "json").json()
    assert {image["state"] for image in after["images"]} == {"present"}
    assert after["bytesToSend"] == 0


def test_a_plan_counts_blobs_that_are_there(
    bundle: Path, registry: Registry, tmp_path: Path
) -> None:
    older = image(BASE, layer("older"))
    held_before = {"a/manager:79915": MANAGER, "b/ui:older": older}
    part = make_bundle(tmp_path / "part", held_before, {})
    assert mirror("push", part.path, *to(registry)).code == 0
    planned = mirror("plan", bundle, *to(registry))
    assert "4 images: 3 new, 1 present, 0 conflict" in planned.out
    assert "there already: 1 blob" in planned.out
    plan = mirror("plan", bundle, *to(registry), "--output", "json").json()
    # The base layer is in harness/ui, where it is wanted; that harness/manager has it, too,
    # would not help. From harness/ui it will be mounted where else it is wanted.
    blobs = {d: raw for tree in (UI, MONGO, SMTP) for d, raw in tree.blobs.items()}
    del blobs[Digest.of(BASE.raw)]
    assert plan["blobsToSend"] == len(blobs)
    assert plan["bytesToSend"] == sum(map(len, blobs.values()))
    pushed = mirror("push", bundle, *to(registry), "--output", "json").json()
    assert pushed["bytesSent"] == plan["bytesToSend"]


def test_a_plan_for_a_store_that_is_not_there(bundle: Path, tmp_path: Path) -> None:
    planned = mirror("plan", bundle, "--to", f"oci:{tmp_path / 'store'}", "--output", "json")
    assert planned.code == 0, planned.err
    assert {image["state"] for image in planned.json()["images"]} == {"new"}
    assert not (tmp_path / "store").exists()


def test_two_images_for_one_destination_are_refused(tmp_path: Path, registry: Registry) -> None:
    names = {"quay.io/a/same:1": MANAGER, "docker.io/b/same:1": MONGO}
    bundle = make_bundle(tmp_path / "bundle", names, {}).path
    for command in ("plan", "push"):
        refused = mirror(command, bundle, *to(registry))
        assert refused.code == 8
        assert "quay.io/a/same:1 of app.airgap" in refused.err
        assert "docker.io/b/same:1 of app.airgap" in refused.err
    assert writes(registry) == []


@pytest.mark.parametrize(
    ("receipt", "code", "message"),
    [
        ("notes.txt", 3, "a file that is no receipt"),
        ("nowhere/receipt.json", 5, "there is no folder"),
    ],
)
def test_a_receipt_that_cannot_be_written_stops_the_push(
    *, bundle: Path, registry: Registry, tmp_path: Path, receipt: str, code: int, message: str
) -> None:
    (tmp_path / "notes.txt").write_text("keep me")
    refused = mirror("push", bundle, *to(registry), "--receipt", tmp_path / receipt)
    assert (refused.code, message in refused.err) == (code, True)
    assert registry.requests() == []
    assert (tmp_path / "notes.txt").read_text() == "keep me"


@pytest.mark.real
def test_a_folder_where_no_receipt_can_be_written_stops_the_push(
    bundle: Path, registry: Registry, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        make_read_only(disk)
        refused = mirror("push", bundle, *to(registry), "--receipt", disk / "receipt.json")
    assert refused.code == 9
    assert f"receipt {disk}/receipt.json: Read-only file system" in refused.err
    assert registry.requests() == []


@pytest.mark.real
def test_a_receipt_that_found_no_room_leaves_the_result_to_be_seen(
    bundle: Path, registry: Registry, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "4k") as disk:
        (disk / "other").write_bytes(bytes(4096))
        pushed = mirror("push", bundle, *to(registry), "--receipt", disk / "receipt.json")
    assert pushed.code == 9
    assert "4 images: 4 copied" in pushed.out
    assert "receipt.json: No space left on device" in pushed.err


def test_one_json_document_even_when_it_fails(
    bundle: Path, registry: Registry, tmp_path: Path
) -> None:
    layer_file = next((bundle / "blobs/sha256").glob(Digest.of(BASE.raw).encoded))
    broken = tmp_path / "broken"
    run(["cp", "-R", bundle, broken])
    target = broken / layer_file.relative_to(bundle)
    target.write_bytes(bytes([target.read_bytes()[0] ^ 1]) + target.read_bytes()[1:])
    receipt = tmp_path / "receipt.json"
    ran = mirror(
        "push", broken, *to(registry), "--output", "json", "--receipt", receipt, "--jobs", "1"
    )
    assert ran.code == 11, ran.err
    done = json.loads(ran.out)
    assert {image["outcome"] for image in done["images"]} == {"copied", "failed"}
    assert str(Digest.of(BASE.raw)) in ran.err
    assert held(registry, "harness/manager") == {}
    # What is on the receipt is there, and nothing else is on it.
    assert [image.source for image in read_receipt(receipt).images] == [
        f"docker.io/library/mongo@{MONGO.root.digest}"
    ]
    continued = mirror("push", bundle, *to(registry))
    assert continued.code == 0
    all_there(registry)
