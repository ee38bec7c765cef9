"""A build: the same lock gives the same bundle, and what does not fit the lock gives none."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from scripts.sample_archives import write_application, write_module
from tests.bundler.commands import EVERYTHING, ONE_APPLICATION, Workplace
from tests.bundler.test_lock import TREE, digest, push
from tests.fakes.faulty import status
from tests.fakes.registry import FakeRegistry
from tests.fakes.web import web
from tests.processes import run
from tests.transfer.images import image, layer
from transfer.archive import AirgapArchive
from transfer.bundle import Bundle
from transfer.contents import ArchiveKind, contents_to_json


def test_everything_arrives(workplace: Workplace) -> None:
    ran = workplace.build(workplace.spec(EVERYTHING))
    assert ran.code == 0, ran.err
    bundle = Bundle.read(workplace.bundle)
    verified = bundle.verify()
    run(["sh", "-c", f"cd {workplace.bundle} && sha256sum --strict --quiet -c SHA256SUMS"])
    assert str(bundle.fingerprint) in ran.out
    assert verified.files > 50
    kinds = [archive.kind for archive in bundle.contents.archives]
    assert kinds == [ArchiveKind.ADMIN_CONSOLE, *[ArchiveKind.APPLICATION] * 3, ArchiveKind.IMAGES]
    assert len(bundle.images) == 6 + 3 * 5 + 3
    assert bundle.layout.images().keys() == {found.name for found in bundle.images}
    for record in bundle.contents.all_files():
        source = workplace.downloads / Path(record.path).name
        assert bundle.path_of(record).read_bytes() == source.read_bytes()


def test_slim_archives_are_the_vendors_without_images(workplace: Workplace) -> None:
    workplace.build(workplace.spec(EVERYTHING))
    bundle = Bundle.read(workplace.bundle)
    for record in bundle.contents.archives:
        if record.slim is None:
            continue
        with (
            AirgapArchive.read(workplace.downloads / record.file_name) as full,
            AirgapArchive.read(bundle.path_of(record.slim)) as slim,
        ):
            assert slim.airgap_yaml == full.airgap_yaml
            assert slim.record.release == full.record.release
            assert slim.record.images == ()


def test_build_without_a_lock_makes_the_lock(workplace: Workplace) -> None:
    spec = workplace.spec(EVERYTHING)
    workplace.build(spec)
    made = workplace.lock.read_bytes()
    workplace.run("lock", spec)
    assert workplace.lock.read_bytes() == made


def test_same_lock_gives_the_same_bytes(workplace: Workplace) -> None:
    """In another folder, from another cache, with other threads, without and with a lock."""
    archive = workplace.downloads / "harness-ng.airgap"
    with web(archive.read_bytes()) as server:
        fetched = f"{{url: '{server.url}', sha256: {digest(archive).encoded}}}"
        body = EVERYTHING.replace("{path: downloads/harness-ng.airgap}", fetched)
        spec = workplace.spec(body)
        assert workplace.build(spec, "--jobs", "1").code == 0
        for number in ("2", "3"):
            other = workplace.folder / number
            cache = ("--cache-dir", workplace.folder / f"cache-{number}")
            ran = workplace.run("build", spec, "-o", other, *cache, "--jobs", "7")
            assert ran.code == 0, ran.err
            run(["diff", "--recursive", workplace.bundle, other])
            for path in (other, *other.rglob("*")):
                same = workplace.bundle / path.relative_to(other)
                assert path.stat().st_mode == same.stat().st_mode
                assert path.stat().st_mtime_ns == same.stat().st_mtime_ns
    assert len(server.requests) == 3


def test_time_comes_from_the_environment(workplace: Workplace) -> None:
    spec = workplace.spec(ONE_APPLICATION)
    ran = workplace.run("build", spec, "-o", workplace.bundle, env={"SOURCE_DATE_EPOCH": "86400"})
    assert ran.code == 0
    assert {path.stat().st_mtime for path in workplace.bundle.rglob("*")} == {86400}
    ran = workplace.run("build", spec, "-o", workplace.bundle, env={"SOURCE_DATE_EPOCH": "now"})
    assert ran.code == 3
    assert "SOURCE_DATE_EPOCH" in ran.err
    late = {"SOURCE_DATE_EPOCH": "9" * 20}
    ran = workplace.run("build", spec, "-o", workplace.bundle, env=late)
    assert ran.code == 3
    assert "SOURCE_DATE_EPOCH" in ran.err


def test_nothing_is_built_beside_the_root_of_all_folders(workplace: Workplace) -> None:
    ran = workplace.run("build", workplace.spec(ONE_APPLICATION), "-o", "/")
    assert ran.code == 8
    assert "bundle /: exists already" in ran.err


def test_vendors_archives_can_be_kept(workplace: Workplace) -> None:
    assert workplace.build(workplace.spec(EVERYTHING), "--keep-archives").code == 0
    bundle = Bundle.read(workplace.bundle)
    kept = workplace.bundle / "files/archives"
    for record in bundle.contents.archives:
        vendors = workplace.downloads / record.file_name
        assert (kept / record.file_name).read_bytes() == vendors.read_bytes()
    assert len(list(kept.iterdir())) == 5
    assert workplace.build(workplace.spec(EVERYTHING), "--keep-archives").code == 0
    assert workplace.build(workplace.spec(EVERYTHING)).code == 8


def test_kept_archives_need_names_of_their_own(workplace: Workplace) -> None:
    (workplace.folder / "more").mkdir()
    write_module(workplace.folder / "more/Harness.airgap", size=100_000)
    body = ONE_APPLICATION + "imageArchives: [{path: more/Harness.airgap}]\n"
    ran = workplace.build(workplace.spec(body), "--keep-archives")
    assert ran.code == 3
    assert "imageArchives[0]: Harness.airgap is the name of applications[0]" in ran.err
    assert workplace.build(workplace.spec(body)).code == 0


def test_image_of_a_registry_is_pulled_as_it_was_locked(workplace: Workplace) -> None:
    with FakeRegistry() as registry:
        push(registry.host, "latest", TREE)
        name = f"{registry.host}/harness/delegate:latest"
        spec = workplace.spec(f"images: ['{name}']")
        workplace.run("lock", spec, "--plain-http", registry.host)
        push(registry.host, "latest", image(layer("a newer one")))
        ran = workplace.build(spec, "--plain-http", registry.host)
        assert ran.code == 0, ran.err
    bundle = Bundle.read(workplace.bundle)
    assert bundle.layout.resolve(name) == TREE.root
    bundle.verify()


@pytest.mark.real
def test_skopeo_reads_the_images_of_a_bundle(
    workplace: Workplace, need: pytest.FixtureRequest
) -> None:
    skopeo = need("skopeo")  # type: ignore[operator]
    with FakeRegistry() as registry:
        push(registry.host, "1", image(layer("delegate")))
        reference = f"{registry.host}/harness/delegate@{image(layer('delegate')).root.digest}"
        spec = workplace.spec(f"images: ['{reference}']")
        assert workplace.build(spec, "--plain-http", registry.host).code == 0
    copied = workplace.folder / "copied"
    run([skopeo, "--insecure-policy", "copy", f"oci:{workplace.bundle}", f"dir:{copied}"])
    assert (copied / "manifest.json").read_bytes() in image(layer("delegate")).manifests.values()


def test_bundle_that_is_there_is_left_alone(workplace: Workplace) -> None:
    spec = workplace.spec(ONE_APPLICATION)
    workplace.build(spec)
    before = {path: path.stat() for path in workplace.bundle.rglob("*")}
    (workplace.downloads / "harness.airgap").unlink()
    ran = workplace.build(spec, "--output", "json")
    assert ran.code == 0
    assert ran.json()["written"] is False
    assert {path: path.stat() for path in workplace.bundle.rglob("*")} == before
    assert "complete already" in workplace.build(spec).out


def test_what_else_is_there_is_not_built_over(workplace: Workplace) -> None:
    workplace.bundle.mkdir()
    for spec in (workplace.spec(ONE_APPLICATION), workplace.spec(ONE_APPLICATION)):
        ran = workplace.build(spec)
        assert ran.code == 8
        assert "exists already" in ran.err
        assert "choose another folder" in ran.err
        workplace.run("lock", spec)
    assert list(workplace.bundle.iterdir()) == []
    workplace.bundle.rmdir()
    workplace.build(workplace.spec(ONE_APPLICATION))
    (workplace.bundle / "README.txt").write_text("changed")
    ran = workplace.build(workplace.spec(ONE_APPLICATION))
    assert ran.code == 8
    assert "no sound bundle" in ran.err
    assert "README.txt: expected sha256:" in ran.err


def test_result_is_told_to_programs(workplace: Workplace) -> None:
    value = workplace.build(workplace.spec(ONE_APPLICATION), "--output", "json").json()
    bundle = Bundle.read(workplace.bundle)
    assert value["path"] == str(workplace.bundle)
    assert value["fingerprint"] == str(bundle.fingerprint)
    assert (value["images"], value["bytes"]) == (5, bundle.size)
    assert value["written"] is True
    assert value["blobsWritten"] > 5


# The lock and the spec, the lock and the files.


def test_lock_of_another_spec_is_refused(workplace: Workplace) -> None:
    workplace.run("lock", workplace.spec(EVERYTHING))
    body = EVERYTHING.replace("values/configvalues.yaml", "values/other.yaml")
    ran = workplace.build(workplace.spec(body))
    assert ran.code == 3
    assert "files or images: their names are not those in the lock" in ran.err
    body = (
        EVERYTHING.replace("{path: downloads/harness.airgap}", "{path: downloads/newer.airgap}")
        .replace(
            "downloads/platform_images.tgz", f"downloads/platform_images.tgz, sha256: {'f' * 64}"
        )
        .replace("files:", "images: [redis]\nfiles:")
        .replace("plugins:", "plugins: [] #")
    )
    spec = workplace.spec(body)
    spec.write_text(spec.read_text().replace("2026.11", "2026.12"))
    ran = workplace.build(spec)
    assert ran.code == 3
    for said in (
        "harness.lock.json: was made of another spec",
        "version: the spec says '2026.12', the lock '2026.11'",
        "applications[0].releases[1].archive: the spec names downloads/newer.airgap, the lock",
        f"imageArchives[0].sha256: the spec says sha256:{'f' * 64}, the lock sha256:",
        "images[0]: not in the lock",
        "kots.plugins[0]: in the lock, but not in the spec",
        "run airgap-bundler lock",
    ):
        assert said in ran.err
    assert not workplace.bundle.exists()
    assert not workplace.blobs.exists()


def test_files_that_changed_since_the_lock_are_refused(workplace: Workplace) -> None:
    spec = workplace.spec(EVERYTHING)
    workplace.run("lock", spec)
    write_application(workplace.downloads / "harness.airgap", size=100_000)
    (workplace.downloads / "configvalues.yaml").write_text("hostname: other.example\n")
    ran = workplace.build(spec)
    assert ran.code == 4
    assert "files[0]: downloads/configvalues.yaml: the lock has sha256:" in ran.err
    assert "releases[1].archive: downloads/harness.airgap: the lock has sha256:" in ran.err
    assert "if the new content is meant, run airgap-bundler lock" in ran.err
    assert not workplace.bundle.exists()
    assert list(workplace.blobs.iterdir()) == []  # nothing is carried once something is wrong


def test_lock_of_another_compressor_says_so(workplace: Workplace) -> None:
    spec = workplace.spec("imageArchives: [{path: downloads/platform_images.tgz}]")
    workplace.run("lock", spec)
    lock = json.loads(workplace.lock.read_text())
    here = lock["archives"][0]["compressor"]
    lock["archives"][0]["compressor"] = "zlib 1.2.11 level 6"
    workplace.lock.write_text(json.dumps(lock))
    ran = workplace.build(spec)
    assert ran.code == 3
    assert f"locked with zlib 1.2.11 level 6, and this host has {here}" in ran.err
    assert "lock again on this host" in ran.err


def test_lock_changed_by_hand_is_refused(workplace: Workplace) -> None:
    spec = workplace.spec(ONE_APPLICATION)
    workplace.run("lock", spec)
    text = workplace.lock.read_text()
    workplace.lock.write_text(text.replace('"updateCursor": "412"', '"updateCursor": "413"'))
    ran = workplace.build(spec)
    assert ran.code == 3
    assert "the lock says something else of it than what is in it" in ran.err
    workplace.lock.write_text(text.replace('"sources"', '"source"'))
    ran = workplace.build(spec)
    assert ran.code == 3
    assert "source: unknown key" in ran.err
    workplace.lock.write_bytes(b"\xff")
    assert workplace.build(spec).code == 3


def test_registry_that_fails_half_way_fails_the_build(workplace: Workplace) -> None:
    with FakeRegistry() as registry:
        push(registry.host, "1", TREE)
        registry.fail("GET", "/blobs/", 99, status(404))
        spec = workplace.spec(f"images: ['{registry.host}/harness/delegate:1']")
        ran = workplace.build(spec, "--plain-http", registry.host)
        assert ran.code == 5
        assert "the bundle is not complete" in ran.err
        assert "the same command: it continues" in ran.err
    assert not workplace.bundle.exists()


def test_nothing_of_an_address_is_kept(workplace: Workplace) -> None:
    content = (workplace.downloads / "configvalues.yaml").read_bytes()
    with web(content) as server:
        sha256 = digest(workplace.downloads / "configvalues.yaml").encoded
        url = f"{server.url}?X-Signature=hunter2"
        spec = workplace.spec(f"files: [{{name: f, url: '{url}', sha256: {sha256}}}]")
        ran = workplace.build(spec)
    assert ran.code == 0
    assert "hunter2" not in ran.out + ran.err
    spec.unlink()
    found = subprocess.run(["grep", "-r", "hunter2", workplace.folder], check=False)
    assert found.returncode == 1


# The other commands.


def test_verify_reads_every_byte(workplace: Workplace) -> None:
    workplace.build(workplace.spec(ONE_APPLICATION))
    ran = workplace.run("verify", workplace.bundle)
    assert ran.code == 0
    assert "read and proven (sha256:" in ran.out
    (value,) = workplace.run("verify", workplace.bundle, "--output", "json").json()
    assert value["fingerprint"] == str(Bundle.read(workplace.bundle).fingerprint)
    blob = max((workplace.bundle / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    raw = bytearray(blob.read_bytes())
    raw[len(raw) // 2] ^= 1
    blob.write_bytes(raw)
    ran = workplace.run("verify", workplace.bundle)
    assert ran.code == 4
    assert f"blobs/sha256/{blob.name}: expected sha256:{blob.name}, found sha256:" in ran.err


def test_show_tells_what_is_inside(workplace: Workplace) -> None:
    workplace.build(workplace.spec(EVERYTHING))
    ran = workplace.run("show", workplace.bundle)
    assert ran.code == 0
    for said in (
        "harness 2026.11: 5 archives, 24 images, 2 files",
        "kotsadm.tar.gz",
        "application, harness-ng, 79915, cursor 412, channel Stable, KOTS 1.88.0 or newer",
        "  requires 79400 first",
        "  kotsadm/kotsadm:v1.131.4",
        f"  {'files/values/configvalues.yaml':54}  26 B",
    ):
        assert said in ran.out
    shown = workplace.run("show", workplace.bundle, "--output", "json").json()
    assert shown == [contents_to_json(Bundle.read(workplace.bundle).contents)]
    archive = workplace.downloads / "harness.airgap"
    assert "application, harness, 79915" in workplace.run("show", archive).out
    (value,) = workplace.run("show", archive, "--output", "json").json()
    assert value["archives"][0]["release"]["appSlug"] == "harness"
    both = workplace.run("verify", workplace.bundle, archive)
    assert both.out.count(" read and proven (sha256:") == 2
    assert workplace.run("show", workplace.downloads / "configvalues.yaml").code == 3
    assert workplace.run("show", workplace.folder / "nowhere").code == 5


def test_a_folder_for_a_spec_and_a_file_for_a_bundle(workplace: Workplace) -> None:
    spec = workplace.spec(ONE_APPLICATION)
    for words in (("lock", spec.parent), ("build", spec, "-o", spec)):
        ran = workplace.run(*words)
        assert (ran.code, "Usage: " in ran.err) == (2, True)
