"""What only reading every blob finds, names that are there besides, and an audit of a lock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.faulty import FOREVER, status
from tests.fakes.registry import FakeRegistry
from tests.mirror.supply import MONGO, make_bundle, mirror
from tests.servers import Registry
from transfer.contents import read_contents
from transfer.descriptor import Manifest
from transfer.fields import read_json
from transfer.lock import BundleLock

pytest_plugins = ["tests.server_fixtures"]

LAYER = Manifest.parse(MONGO.manifests[MONGO.root.digest]).blobs[1]
MONGO_THERE = ("harness/mongo", str(LAYER.digest))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


def to(fake: FakeRegistry) -> tuple[str, ...]:
    return ("--to", f"{fake.host}/harness", "--plain-http")


def spoil(fake: FakeRegistry) -> None:
    """Other bytes of the same size, in every place that the registry has the blob."""
    for key in [key for key in fake.blobs if key[1] == MONGO_THERE[1]]:
        fake.blobs[key] = bytes(len(fake.blobs[key]))


def test_only_a_deep_audit_finds_other_bytes_of_the_same_size(bundle: Path) -> None:
    with FakeRegistry() as fake:
        assert mirror("push", bundle, *to(fake)).code == 0
        spoil(fake)
        assert mirror("audit", bundle, *to(fake)).code == 0
        audited = mirror("audit", bundle, *to(fake), "--deep", "--output", "json")
    assert audited.code == 8, audited.err
    found = {one["destination"]: one["finding"] for one in audited.json()["images"]}
    assert [name for name, finding in found.items() if finding != "held"] == [
        f"{fake.host}/harness/mongo@{MONGO.root.digest}"
    ]
    assert found[f"{fake.host}/harness/mongo@{MONGO.root.digest}"] == "different"
    assert str(LAYER.digest) in audited.err


def test_a_deep_audit_reads_each_blob_once_and_counts_it(bundle: Path) -> None:
    with FakeRegistry() as fake:
        assert mirror("push", bundle, *to(fake)).code == 0
        before = len(fake.requests)
        audited = mirror("audit", bundle, *to(fake), "--deep", "--output", "json")
        asked = fake.requests[before:]
    assert audited.code == 0, audited.err
    read = [r.path.rpartition("/")[2] for r in asked if r.method == "GET" and "/blobs/" in r.path]
    stored = {digest: len(blob) for (_, digest), blob in fake.blobs.items()}
    assert sorted(read) == sorted(stored)
    assert audited.json()["blobsRead"] == len(stored)
    assert audited.json()["bytesRead"] == sum(stored.values())


def test_a_deep_push_fails_an_image_whose_blob_came_to_harm(bundle: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    with FakeRegistry() as fake:
        assert mirror("push", bundle, *to(fake)).code == 0
        spoil(fake)
        assert mirror("push", bundle, *to(fake)).code == 0
        pushed = mirror("push", bundle, *to(fake), "--deep", "--receipt", receipt)
        assert pushed.code == 11, pushed.err
        assert "1 failed" in pushed.out
        assert "delete this blob there" in pushed.err
        assert str(LAYER.digest) in pushed.err
        held = json.loads(receipt.read_text())
        assert not [image for image in held["images"] if "mongo" in image["repository"]]
        assert len(held["images"]) == 3
        for key in [key for key in fake.blobs if key[1] == MONGO_THERE[1]]:
            del fake.blobs[key]
        mended = mirror("push", bundle, *to(fake), "--deep", "--repair", "--output", "json")
    assert mended.code == 0, mended.err
    assert mended.json()["blobsRead"] > 0


@pytest.mark.real
def test_a_real_registry_is_read_back(bundle: Path, registry: Registry) -> None:
    where = ("--to", f"{registry.host}/harness", "--plain-http")
    pushed = mirror("push", bundle, *where, "--deep")
    assert pushed.code == 0, pushed.err
    assert "each compared with its digest" in pushed.out
    stored = registry.blob(str(LAYER.digest))
    stored.write_bytes(bytes(stored.stat().st_size))
    assert mirror("audit", bundle, *where).code == 0
    assert mirror("audit", bundle, *where, "--deep").code == 8


def test_a_deep_audit_of_a_store(bundle: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert mirror("push", bundle, "--to", f"oci:{store}").code == 0
    blob = store / "blobs/sha256" / LAYER.digest.encoded
    blob.chmod(0o600)
    blob.write_bytes(bytes(LAYER.size))
    audited = mirror("audit", bundle, "--to", f"oci:{store}", "--deep")
    assert audited.code == 8, audited.err
    assert str(LAYER.digest) in audited.err


def test_names_besides_are_listed_and_are_no_fault(bundle: Path) -> None:
    with FakeRegistry() as fake:
        assert mirror("push", bundle, *to(fake)).code == 0
        fake.tags["harness/manager", "79700"] = fake.tags["harness/manager", "79915"]
        fake.tags["harness/elsewhere", "1"] = fake.tags["harness/manager", "79915"]
        audited = mirror("audit", bundle, *to(fake), "--output", "json")
        told = mirror("audit", bundle, *to(fake))
    assert audited.code == 0, audited.err
    assert audited.json()["extra"] == [f"{fake.host}/harness/manager:79700"]
    assert f"extra      {fake.host}/harness/manager:79700\n" in told.out
    assert "4 images: 4 held, 0 missing, 0 different; 1 extra name\n" in told.out


def test_names_besides_in_a_store(bundle: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert mirror("push", bundle, "--to", f"oci:{store}").code == 0
    assert mirror("audit", bundle, "--to", f"oci:{store}", "--output", "json").json()["extra"] == []
    index = json.loads((store / "index.json").read_text())
    name = "org.opencontainers.image.ref.name"
    (one,) = (m for m in index["manifests"] if m["annotations"][name].endswith("manager:79915"))
    other = {**one, "annotations": {name: one["annotations"][name].replace("79915", "79700")}}
    index["manifests"].append(other)
    (store / "index.json").write_text(json.dumps(index))
    audited = mirror("audit", bundle, "--to", f"oci:{store}", "--output", "json")
    assert audited.json()["extra"] == [other["annotations"][name]]


def test_a_registry_that_lists_no_names(bundle: Path) -> None:
    with FakeRegistry() as fake:
        assert mirror("push", bundle, *to(fake)).code == 0
        fake.fail("GET", "/tags/list", FOREVER, status(405))
        before = len(fake.requests)
        audited = mirror("audit", bundle, *to(fake))
        asked = [request for request in fake.requests[before:] if "/tags/list" in request.path]
    assert audited.code == 0, audited.err
    assert "extra names are not known: " in audited.out
    assert audited.out.endswith("4 images: 4 held, 0 missing, 0 different\n")
    assert len(asked) == 1


def test_an_audit_of_a_lock(bundle: Path, tmp_path: Path) -> None:
    raw = json.loads((bundle / "bundle.json").read_text())
    keys = {key: value for key, value in raw.items() if key not in {"apiVersion", "kind"}}
    contents = read_contents(read_json(json.dumps(keys), "bundle.json", *keys))
    lock = tmp_path / "bundle.lock.json"
    lock.write_text(BundleLock(sources=(), contents=contents).dump())
    with FakeRegistry() as fake:
        assert mirror("push", bundle, *to(fake)).code == 0
        assert mirror("audit", lock, *to(fake), "--output", "json").json()["held"] == 4
        assert "--to or --site is missing" in mirror("audit", lock).err
        del fake.tags["harness/manager", "79915"]
        audited = mirror("audit", lock, *to(fake))
        assert mirror("audit", lock, "--release", "harness=79915", *to(fake)).code == 2
    assert audited.code == 5, audited.err
    assert "manager:79915" in audited.err
