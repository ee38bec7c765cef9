"""Vendors' archives as they are: pushed in place, without a bundle and without a disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.sample_archives import Sample, write_all
from tests.mirror.supply import complete, held, make_bundle, mirror, writes
from tests.servers import Registry
from transfer.archive import AirgapArchive
from transfer.digest import Digest
from transfer.graph import successors
from transfer.layout import OciLayout

pytest_plugins = ["tests.server_fixtures"]
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    folder = tmp_path_factory.mktemp("downloads")
    return {sample.path.name: sample for sample in write_all(folder, size=200_000)}


def to(registry: Registry) -> tuple[str, ...]:
    return ("--to", f"{registry.host}/harness", "--plain-http")


@pytest.mark.real
@pytest.mark.parametrize("name", ["kotsadm.tar.gz", "harness.airgap"])
def test_registry_archives_keep_their_digests(
    samples: dict[str, Sample], registry: Registry, name: str
) -> None:
    sample = samples[name]
    ran = mirror("push", sample.path, *to(registry), "--quiet", "--output", "json")
    assert ran.code == 0, ran.err
    for image, digest in sample.images.items():
        assert complete(registry, Digest.parse(digest))
        last, _, tag = image.rpartition("/")[2].partition("@")[0].partition(":")
        if "@" not in image:
            assert held(registry, f"harness/{last}")[tag] == digest
        else:
            assert held(registry, f"harness/{last}") == {}
    before = len(registry.requests())
    assert mirror("push", sample.path, *to(registry), "--quiet").code == 0
    assert writes(registry, before) == []
    assert mirror("audit", sample.path, *to(registry), "--quiet").code == 0


@pytest.fixture(scope="module")
def slim(samples: dict[str, Sample]) -> Path:
    """What a bundle carries of an archive for KOTS."""
    path = samples["harness.airgap"].path
    with AirgapArchive.read(path) as archive, (path.parent / "slim.airgap").open("wb") as stream:
        archive.write_slim(stream)
    return path.parent / "slim.airgap"


@pytest.mark.parametrize("command", ["plan", "push", "audit"])
def test_an_archive_without_images_is_not_taken_for_one(
    slim: Path, tmp_path: Path, command: str
) -> None:
    assert mirror("show", slim).code == 0
    refused = mirror(command, slim, "--to", f"oci:{tmp_path / 'store'}")
    assert refused.code == 3
    assert f"archive {slim}: has no images in it" in refused.err


@pytest.mark.parametrize(
    ("name", "count", "one"),
    [
        ("kotsadm.tar.gz", 6, "kotsadm:v1.131.4"),
        ("kotsadm-1.106.tar.gz", 6, "kotsadm:v1.106.0"),
        ("harness.airgap", 5, "harness-manager-signed:79915"),
        ("harness-ng.airgap", 5, "harness-ng-ui-signed:79915"),
        ("harness-docker-archive.airgap", 5, "harness-ui-signed:78000"),
        ("platform_images.tgz", 3, "harness/gateway:1.20.0"),
    ],
)
def test_every_form_goes_into_a_store(
    samples: dict[str, Sample], tmp_path: Path, name: str, count: int, one: str
) -> None:
    store = tmp_path / "store"
    ran = mirror("push", samples[name].path, "--to", f"oci:{store}", "--quiet")
    assert ran.code == 0, ran.err
    layout = OciLayout.read(store)
    assert len(layout.images()) == count
    assert one in layout.images()
    assert layout.verify() == []
    again = mirror("push", samples[name].path, "--to", f"oci:{store}", "--output", "json")
    assert (again.json()["imagesPresent"], again.json()["blobsSent"]) == (count, 0)


def test_several_archives_in_one_push(samples: dict[str, Sample], tmp_path: Path) -> None:
    paths = [samples["kotsadm.tar.gz"].path, samples["harness.airgap"].path]
    ran = mirror("push", *paths, "--to", f"oci:{tmp_path / 'store'}", "--output", "json")
    assert ran.code == 0, ran.err
    done = ran.json()
    assert done["imagesCopied"] == 11
    layout = OciLayout.read(tmp_path / "store")
    blobs = [
        blob.digest
        for root in layout.images().values()
        for manifest in successors(layout, root)
        for blob in manifest.blobs
    ]
    assert done["blobsSent"] == len(set(blobs)) < len(blobs)  # the base layer crosses once


@pytest.mark.real
@pytest.mark.parametrize("name", ["harness.airgap", "harness-docker-archive.airgap"])
def test_a_push_writes_no_file(
    samples: dict[str, Sample], registry: Registry, tmp_path: Path, name: str
) -> None:
    places = [tmp_path / place for place in ("cwd", "home", "tmp")]
    for place in places:
        place.mkdir()
    # The limit on file size is zero: one byte into any file at all would end the command.
    limited = ["/bin/sh", "-c", 'ulimit -f 0 && exec "$@"', "sh"]
    command = [sys.executable, "-m", "mirror", "push", str(samples[name].path), *to(registry)]
    done = subprocess.run(
        [*limited, *command],
        check=False,
        capture_output=True,
        text=True,
        cwd=places[0],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(places[1]),
            "TMPDIR": str(places[2]),
        },
    )
    assert done.returncode == 0, done.stderr
    assert [list(place.iterdir()) for place in places] == [[], [], []]


def test_show_tells_what_is_in_it(samples: dict[str, Sample], tmp_path: Path) -> None:
    sample = samples["harness-ng.airgap"]
    bundle = make_bundle(tmp_path / "bundle").path
    shown = mirror("show", sample.path, bundle, "--quiet")
    assert shown.code == 0, shown.err
    assert "application, harness-ng, 79915, cursor 412" in shown.out
    assert "requires 79400 first" in shown.out
    assert all(f"{name}" in shown.out for name in sample.images)
    assert f"bundle {bundle}: harness 2026.11" in shown.out
    first, second = mirror("show", sample.path, bundle, "--quiet", "--output", "json").json()
    assert first["archives"][0]["release"]["appSlug"] == "harness-ng"
    assert [archive["fileName"] for archive in second["archives"]] == [
        "app.airgap",
        "module_images.tgz",
    ]


def test_verify_reads_everything(samples: dict[str, Sample], tmp_path: Path) -> None:
    sample = samples["harness.airgap"]
    bundle = make_bundle(tmp_path / "bundle").path
    verified = mirror("verify", sample.path, bundle, "--output", "json")
    assert verified.code == 0, verified.err
    first, second = verified.json()
    assert first == {
        "kind": "archive",
        "name": "harness.airgap",
        "fingerprint": str(Digest.of(sample.path.read_bytes())),
        "images": 5,
        "bytes": sample.path.stat().st_size,
    }
    assert second["fingerprint"] == str(Digest.of((bundle / "SHA256SUMS").read_bytes()))
    assert second["bytes"] == sum(
        path.stat().st_size
        for path in bundle.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    )
    assert "5 images" in mirror("verify", sample.path).out


def test_all_damage_is_told(samples: dict[str, Sample], tmp_path: Path) -> None:
    short = tmp_path / "short.airgap"
    short.write_bytes(samples["harness.airgap"].path.read_bytes()[:-2])
    bundle = make_bundle(tmp_path / "bundle").path
    (bundle / "README.txt").write_text("other words")
    alone = mirror("verify", short)
    assert alone.code == 4
    assert "short.airgap" in alone.err
    both = mirror("verify", short, bundle)
    assert both.code == 4
    assert "2 of 2 sources are damaged" in both.err
    assert "short.airgap" in both.err
    assert "README.txt" in both.err
    for source in (short, bundle):
        pushed = mirror("push", source, "--to", f"oci:{tmp_path / 'store'}")
        assert pushed.code == 4
    assert OciLayout.read(tmp_path / "store").images() == {}


@pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (lambda path: path.mkdir(), 3, "not a bundle: it is empty"),
        (lambda path: (path / "oci-layout").mkdir(parents=True), 3, "it is an OCI image layout"),
        (lambda path: (path / "docker").mkdir(parents=True), 3, "the storage folder of a registry"),
        (lambda path: (path / "photos").mkdir(parents=True), 3, "it holds photos"),
        (lambda path: path.write_text("kind: Site\n"), 3, "source"),
        (lambda _: None, 5, "does not exist"),
        (os.mkfifo, 3, "neither a folder nor a file"),
    ],
)
def test_what_is_no_source(
    tmp_path: Path, make: Callable[[Path], object], code: int, message: str
) -> None:
    path = tmp_path / "source"
    make(path)
    for command in (("verify",), ("show",), ("push", "--to", f"oci:{tmp_path / 'store'}")):
        ran = mirror(*command, path)
        assert (ran.code, message in ran.err) == (code, True), ran.err
