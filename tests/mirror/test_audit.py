"""What an audit finds after somebody meddled with the registry or the store."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.faulty import FOREVER, status
from tests.fakes.registry import FakeRegistry
from tests.mirror.supply import MANAGER, MONGO, SMTP, UI, Ran, make_bundle, mirror, writes
from tests.servers import Registry
from tests.transfer.images import image, layer
from transfer.descriptor import Manifest
from transfer.digest import Digest

pytest_plugins = ["tests.server_fixtures"]

OTHER = image(layer("other"))
CHILD = Manifest.parse(UI.manifests[UI.root.digest]).manifests[1]
LAYER = Manifest.parse(MONGO.manifests[MONGO.root.digest]).blobs[1]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("supply") / "bundle").path


@pytest.fixture
def receipt(bundle: Path, registry: Registry, tmp_path: Path) -> Path:
    path = tmp_path / "receipt.json"
    ran = mirror("push", bundle, *to(registry), "--receipt", path)
    assert ran.code == 0, ran.err
    return path


def to(registry: Registry) -> tuple[str, ...]:
    return ("--to", f"{registry.host}/harness", "--plain-http")


def repository(registry: Registry, path: str) -> Path:
    return registry.storage / "docker/registry/v2/repositories/harness" / path


def lose_name(registry: Registry) -> None:
    shutil.rmtree(repository(registry, "manager/_manifests/tags/79915"))


def lose_child(registry: Registry) -> None:
    revisions = repository(registry, "ui/_manifests/revisions/sha256")
    shutil.rmtree(revisions / CHILD.digest.encoded)


def lose_blob(registry: Registry) -> None:
    registry.blob(str(LAYER.digest)).unlink()


def move_tag(registry: Registry) -> None:
    link = repository(registry, "harness/smtp/_manifests/tags/1/current/link")
    revision = repository(registry, "harness/smtp/_manifests/revisions/sha256")
    raw = OTHER.manifests[OTHER.root.digest]
    other = OTHER.root.digest
    registry.blob(str(other)).parent.mkdir(parents=True)
    registry.blob(str(other)).write_bytes(raw)
    (revision / other.encoded).mkdir()
    (revision / other.encoded / "link").write_text(str(other))
    link.write_text(str(other))


@pytest.mark.real
def test_what_was_pushed_is_held(bundle: Path, registry: Registry, receipt: Path) -> None:
    before = len(registry.requests())
    questions: list[list[str | Path]] = [
        [receipt, "--plain-http"],
        [receipt, *to(registry)],
        [bundle, *to(registry)],
    ]
    for given in questions:
        audited = mirror("audit", *given, "--output", "json")
        assert audited.code == 0, audited.err
        assert (audited.json()["held"], len(audited.json()["images"])) == (4, 4)
    assert writes(registry, before) == []
    asked = {request.path for request in registry.requests()[before:]}
    for tree in (MANAGER, UI, MONGO, SMTP):
        assert all(any(str(digest) in path for path in asked) for digest in tree.digests)


@pytest.mark.real
@pytest.mark.parametrize(
    ("harm", "code", "finding", "name", "detail"),
    [
        (lose_name, 5, "missing", "manager:79915", "the name is not there"),
        (lose_child, 5, "missing", "ui:79915", str(CHILD.digest)),
        (lose_blob, 5, "missing", f"mongo@{MONGO.root.digest}", str(LAYER.digest)),
        (move_tag, 8, "different", "harness/smtp:1", f"holds {OTHER.root.digest}"),
    ],
)
def test_each_harm_is_found(
    *,
    registry: Registry,
    receipt: Path,
    harm: Callable[[Registry], None],
    code: int,
    finding: str,
    name: str,
    detail: str,
) -> None:
    harm(registry)
    audited = mirror("audit", receipt, "--plain-http", "--output", "json")
    assert audited.code == code
    assert (audited.json()["held"], audited.json()[finding]) == (3, 1)
    (wrong,) = (one for one in audited.json()["images"] if one["finding"] != "held")
    assert wrong["destination"] == f"{registry.host}/harness/{name}"
    assert detail in "\n".join(wrong["details"])
    assert detail in audited.err


@pytest.mark.real
def test_missing_and_different_together(registry: Registry, receipt: Path) -> None:
    lose_name(registry)
    move_tag(registry)
    audited = mirror("audit", receipt, "--plain-http")
    assert audited.code == 11
    assert "4 images: 2 held, 1 missing, 1 different" in audited.out
    assert "of 4 images: 1 missing, 1 different" in audited.err


@pytest.mark.real
@pytest.mark.parametrize(
    ("harm", "option"),
    [
        (lose_name, "--quiet"),
        (lose_child, "--repair"),
        (lose_blob, "--repair"),
        (move_tag, "--overwrite"),
    ],
)
def test_a_push_mends_what_an_audit_found(
    *,
    bundle: Path,
    registry: Registry,
    receipt: Path,
    harm: Callable[[Registry], None],
    option: str,
) -> None:
    harm(registry)
    pushed = mirror("push", bundle, *to(registry), option)
    assert pushed.code == 0, pushed.err
    assert mirror("audit", receipt, "--plain-http").code == 0


def test_a_receipt_that_is_not_there(tmp_path: Path) -> None:
    refused = mirror("audit", tmp_path / "receipt.json")
    assert refused.code == 5
    assert f"{tmp_path}/receipt.json: does not exist" in refused.err


@pytest.mark.real
def test_repairing_what_is_whole_sends_nothing(
    bundle: Path, registry: Registry, receipt: Path
) -> None:
    repaired = mirror("push", bundle, *to(registry), "--repair", "--output", "json").json()
    assert (repaired["blobsSent"], repaired["imagesPresent"]) == (0, 4)
    assert mirror("audit", receipt, "--plain-http").code == 0


def store_audit(bundle: Path, tmp_path: Path, digest: Digest) -> Ran:
    store = tmp_path / "store"
    assert mirror("push", bundle, "--to", f"oci:{store}").code == 0
    (store / "blobs/sha256" / digest.encoded).unlink()
    return mirror("audit", bundle, "--to", f"oci:{store}")


def test_a_store_that_lost_a_blob_says_which(bundle: Path, tmp_path: Path) -> None:
    audited = store_audit(bundle, tmp_path, LAYER.digest)
    assert audited.code == 5
    assert f"blob {LAYER.digest} is not there" in audited.out
    assert "3 held, 1 missing" in audited.out


def test_a_store_that_lost_a_manifest(bundle: Path, tmp_path: Path) -> None:
    audited = store_audit(bundle, tmp_path, CHILD.digest)
    assert audited.code == 5
    assert "3 held, 1 missing" in audited.out


def test_a_store_that_is_not_there(bundle: Path, tmp_path: Path) -> None:
    audited = mirror("audit", bundle, "--to", f"oci:{tmp_path / 'store'}")
    assert audited.code == 5
    assert "0 held, 4 missing" in audited.out
    assert audited.out.count("the name is not there") == 4


def test_damaged_manifests_are_different(bundle: Path) -> None:
    with FakeRegistry() as registry:
        target = ("--to", f"{registry.host}/harness", "--plain-http")
        assert mirror("push", bundle, *target).code == 0
        stored = registry.manifests["harness/ui", str(CHILD.digest)]
        registry.manifests["harness/ui", str(CHILD.digest)] = replace(
            stored, raw=stored.raw.replace(b"2", b"3", 1)
        )
        audited = mirror("audit", bundle, *target)
        assert audited.code == 8
        assert str(CHILD.digest) in audited.err


def test_a_registry_that_cannot_be_asked(bundle: Path) -> None:
    with FakeRegistry() as registry:
        target = ("--to", f"{registry.host}/harness", "--plain-http")
        assert mirror("push", bundle, *target).code == 0
        registry.fail("HEAD", "/manifests/", FOREVER, status(403))
        audited = mirror("audit", bundle, *target)
        assert audited.code == 6
        assert audited.out == ""


@pytest.mark.parametrize(
    ("namespace", "code", "message"),
    [("other", 3, "the receipt is of"), ("harness/more", 3, "the receipt is of"), ("", 0, "")],
)
def test_a_receipt_of_another_namespace(
    bundle: Path, tmp_path: Path, namespace: str, code: int, message: str
) -> None:
    path = tmp_path / "receipt.json"
    with FakeRegistry() as registry:
        endpoint = ("--to", f"{registry.host}/harness", "--plain-http")
        assert mirror("push", bundle, *endpoint, "--receipt", path).code == 0
        to_other = f"{registry.host}/{namespace}".rstrip("/")
        audited = mirror("audit", path, "--to", to_other, "--plain-http")
        assert (audited.code, message in audited.err) == (code, True)


def test_what_an_audit_needs(bundle: Path, tmp_path: Path) -> None:
    nowhere = mirror("audit", bundle)
    assert nowhere.code == 2
    assert "--to or --site is missing" in nowhere.err
    (tmp_path / "receipt.json").write_text("{}")
    both = mirror("audit", bundle, tmp_path / "receipt.json", "--to", "oci:x")
    assert both.code == 3
    assert "one receipt or lock alone" in both.err
    wrong = mirror("audit", tmp_path / "receipt.json")
    assert wrong.code == 3
    assert "apiVersion: is missing" in wrong.err


def test_a_blob_of_another_size_is_different_and_hides_nothing_else(bundle: Path) -> None:
    with FakeRegistry() as fake:
        where = ("--to", f"{fake.host}/harness", "--plain-http")
        assert mirror("push", bundle, *where).code == 0
        key = ("harness/mongo", str(LAYER.digest))
        fake.blobs[key] = fake.blobs[key][:-1]
        del fake.tags["harness/manager", "79915"]
        audited = mirror("audit", bundle, *where, "--output", "json")
    assert audited.code == 11, audited.err
    found = {one["destination"]: one["finding"] for one in audited.json()["images"]}
    assert sorted(found.values()) == ["different", "held", "held", "missing"]
    size = LAYER.size
    assert f"the registry holds {size - 1} bytes, expected {size}" in audited.err
