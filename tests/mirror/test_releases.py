"""Releases of one application that want one name for different images: one after the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mirror.supply import SMTP, make_bundle, mirror
from tests.transfer.bundles import fill
from tests.transfer.images import image, layer
from transfer.bundle import BundleWriter
from transfer.contents import ImageRecord
from transfer.layout import OciLayout

OLD, NEW = image(layer("redis")), image(layer("redis, built anew"))
REDIS = "docker.io/library/redis:6.2"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases, each with a `redis:6.2` of its own, and a module."""
    folder = tmp_path_factory.mktemp("releases")
    made = make_bundle(folder / "first", {REDIS: OLD}).contents
    application, module = made.archives
    later = replace(
        application,
        file_name="later.airgap",
        release=replace(application.release, version_label="80110"),
        images=(ImageRecord(name=REDIS, root=NEW.root),),
    )
    contents = replace(made, archives=(application, later, module))
    with BundleWriter.create(folder / "bundle") as writer:
        fill(writer, {REDIS: OLD, f"{REDIS}@{NEW.root.digest}": NEW, "harness/smtp:1": SMTP})
        return writer.finish(contents).path


def held(store: Path) -> dict[str, str]:
    return {name: str(root.digest) for name, root in OciLayout.read(store).images().items()}


def test_both_at_once_are_refused_with_the_way_out(bundle: Path, tmp_path: Path) -> None:
    for command in ("plan", "push"):
        refused = mirror(command, bundle, "--to", f"oci:{tmp_path / 'store'}")
        assert refused.code == 8
        assert f"redis:6.2: wanted by {REDIS} of app.airgap ({OLD.root.digest})" in refused.err
        assert f" and by {REDIS} of later.airgap ({NEW.root.digest})" in refused.err
        assert "push --release harness=79915, upgrade, " in refused.err
        assert "push --release harness=80110 --overwrite, upgrade" in refused.err
    assert "wanted by" in mirror("serve", bundle).err


def test_one_after_the_other_they_arrive(bundle: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    to = ("--to", f"oci:{store}")
    assert mirror("push", bundle, *to, "--release", "harness=79915").code == 0
    assert held(store) == {
        "redis:6.2": str(OLD.root.digest),
        "harness/smtp:1": str(SMTP.root.digest),
    }
    assert mirror("audit", bundle, *to, "--release", "harness=79915").code == 0
    assert mirror("audit", bundle, *to, "--release", "harness=80110").code == 8
    planned = mirror("plan", bundle, *to, "--release", "harness=80110")
    assert (planned.code, "1 conflict" in planned.out) == (8, True)
    assert mirror("push", bundle, *to, "--release", "harness=80110").code == 8
    assert mirror("push", bundle, *to, "--release", "harness=80110", "--overwrite").code == 0
    assert held(store)["redis:6.2"] == str(NEW.root.digest)


def test_a_release_that_is_not_there(bundle: Path, tmp_path: Path) -> None:
    asked = ("--release", "harness=80110", "--release", "harness=79999")
    refused = mirror("push", bundle, "--to", f"oci:{tmp_path / 'store'}", *asked)
    assert refused.code == 3
    assert (
        "--release harness=79999: not among the sources; they have: harness=79915, harness=80110"
        in refused.err
    )


def test_a_receipt_has_no_releases_to_choose_from(bundle: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    to = ("--to", f"oci:{tmp_path / 'store'}", "--release", "harness=80110")
    assert mirror("push", bundle, *to, "--receipt", receipt).code == 0
    assert mirror("audit", receipt).code == 0
    assert mirror("audit", receipt, "--release", "harness=80110").code == 2
