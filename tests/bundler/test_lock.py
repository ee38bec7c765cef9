"""The lock: everything that a spec names, proven; everything that is wrong, at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scripts.sample_archives import write_module
from tests.bundler.commands import EVERYTHING, ONE_APPLICATION, Workplace
from tests.fakes.faulty import status
from tests.fakes.registry import FakeRegistry
from tests.fakes.web import web
from tests.transfer.images import Tree, image, index, layer
from tests.transfer.memory import MemoryStore
from transfer.copy import copy
from transfer.delivery import ImageCopy
from transfer.digest import Digest
from transfer.lock import BundleLock
from transfer.registry import RegistryClient

TREE = index(image(layer("delegate")), image(layer("arm"), author="arm"))


def push(host: str, tag: str, tree: Tree) -> None:
    with RegistryClient.connect(host, plain_http=True) as client:
        target = client.repository("harness/delegate")
        wanted = ImageCopy(root=tree.root, source=MemoryStore(tree), target=target, name=tag)
        copy([wanted], jobs=2, overwrite=True).raise_for_failures()


def digest(path: Path) -> Digest:
    return Digest.of(path.read_bytes())


def test_lock_holds_everything_with_digests(workplace: Workplace) -> None:
    ran = workplace.run("lock", workplace.spec(EVERYTHING))
    assert ran.code == 0
    lock = BundleLock.parse(workplace.lock.read_text(), "lock")
    assert [(source.entry, source.source) for source in lock.sources] == [
        ("kots.archive", "downloads/kotsadm.tar.gz"),
        ("applications[0].releases[0].archive", "downloads/harness-old.airgap"),
        ("applications[0].releases[1].archive", "downloads/harness.airgap"),
        ("applications[1].releases[0].archive", "downloads/harness-ng.airgap"),
        ("imageArchives[0]", "downloads/platform_images.tgz"),
        ("kots.plugins[0]", "downloads/kots_linux_amd64.tar.gz"),
        ("files[0]", "downloads/configvalues.yaml"),
    ]
    for source in lock.sources:
        path = workplace.folder / source.source
        assert (source.digest, source.size) == (digest(path), path.stat().st_size)
        assert f"{source.digest}  {source.source}" in ran.out
    contents = lock.contents
    assert (contents.name, contents.version) == ("harness", "2026.11")
    assert [archive.slim for archive in contents.archives] == [
        "kots/kotsadm/v1.131.4.airgap",
        "kots/harness/78000.airgap",
        "kots/harness/79915.airgap",
        "kots/harness-ng/79915.airgap",
        None,
    ]
    assert [plugin.file.path for plugin in contents.plugins] == [
        "files/kubectl-kots/linux/amd64/kots_linux_amd64.tar.gz"
    ]
    assert [file.path for file in contents.files] == ["files/values/configvalues.yaml"]
    assert str(workplace.lock) in ran.out


def test_lock_is_the_same_again_and_as_json(workplace: Workplace) -> None:
    spec = workplace.spec(EVERYTHING)
    workplace.run("lock", spec)
    first = workplace.lock.read_bytes()
    ran = workplace.run("lock", spec, "--output", "json")
    assert workplace.lock.read_bytes() == first
    value = json.loads(first)
    assert ran.json()["archives"] == value["archives"]
    assert [source["digest"] for source in ran.json()["sources"]] == [
        source["digest"] for source in value["sources"]
    ]


def test_download_is_locked_without_its_signature(workplace: Workplace) -> None:
    archive = workplace.downloads / "harness.airgap"
    with web(archive.read_bytes()) as server:
        release = f"{{url: '{server.url}?sig=hunter2', sha256: {digest(archive).encoded}}}"
        body = f"applications: [{{slug: harness, releases: [{{archive: {release}}}]}}]"
        ran = workplace.run("lock", workplace.spec(body))
    assert ran.code == 0, ran.err
    lock = BundleLock.parse(workplace.lock.read_text(), "lock")
    assert lock.sources[0].source == server.url
    assert lock.contents.archives[0].file_name == "harness.airgap"
    assert "hunter2" not in ran.out + ran.err + workplace.lock.read_text()
    assert "reading harness.airgap: " in ran.err


def test_damage_behind_an_address_is_told_by_the_vendors_name(workplace: Workplace) -> None:
    cut = (workplace.downloads / "harness.airgap").read_bytes()[:-2]
    sha256 = Digest.of(cut).encoded
    with web(cut) as server:
        release = f"{{archive: {{url: '{server.url}', sha256: {sha256}}}}}"
        ran = workplace.run(
            "lock", workplace.spec(f"applications: [{{slug: harness, releases: [{release}]}}]")
        )
    assert ran.code == 4
    kept = workplace.folder / "cache/sha256" / sha256
    assert f"archive harness.airgap ({kept}): ends in the middle" in ran.err


def test_damaged_cache_is_removed_and_fetched_anew(workplace: Workplace) -> None:
    content = b"a plain file"
    with web(content) as server:
        sha256 = Digest.of(content).encoded
        spec = workplace.spec(f"files: [{{name: f, url: '{server.url}', sha256: {sha256}}}]")
        cached = workplace.folder / "cache/sha256" / sha256
        cached.parent.mkdir(parents=True)
        cached.write_bytes(b"damaged")
        ran = workplace.run("lock", spec)
        assert ran.code == 4
        assert f"files[0]: {server.url}: expected sha256:{sha256}, found sha256:" in ran.err
        assert "run the same command again" in ran.err
        assert workplace.run("lock", spec).code == 0


@pytest.mark.parametrize("at", [0, 2000])
def test_damaged_archive_in_the_cache_is_the_disks_fault(workplace: Workplace, at: int) -> None:
    content = (workplace.downloads / "harness.airgap").read_bytes()
    with web(content) as server:
        release = f"{{archive: {{url: '{server.url}'}}}}"
        spec = workplace.spec(f"applications: [{{slug: harness, releases: [{release}]}}]")
        assert workplace.run("lock", spec).code == 0
        lock = workplace.lock.read_bytes()
        cached = workplace.folder / "cache/sha256" / Digest.of(content).encoded
        cached.write_bytes(content[:at] + b"damaged" + content[at + 7 :])
        ran = workplace.build(spec)
        assert ran.code == 4
        assert "the file in the cache was damaged and is removed: run the same" in ran.err
        assert workplace.build(spec).code == 0
        assert workplace.lock.read_bytes() == lock


def test_path_in_a_lock_does_not_leave_the_bundle(workplace: Workplace) -> None:
    """A lock comes from wherever its repository does: what it says is no more than a claim."""
    spec = workplace.spec(ONE_APPLICATION)
    assert workplace.run("lock", spec).code == 0
    locked = workplace.lock.read_text()
    workplace.lock.write_text(locked.replace('harness.airgap",', '../../../outside",', 1))
    ran = workplace.build(spec, "--keep-archives")
    assert ran.code == 3
    assert "archives[0].fileName: not the name of a file: '../../../outside'" in ran.err
    assert not (workplace.folder / "outside").exists()

    toolkit = "toolkit: {platforms: [linux/amd64], python: ['3.11']}\n"
    value = json.loads(locked)
    source = {"source": "toolkit for linux/amd64 with Python 3.11", "size": 1}
    digest = value["sources"][0]["digest"]
    value["sources"].append({"entry": "toolkit[../../x]", "digest": digest, **source})
    workplace.lock.write_text(json.dumps(value))
    ran = workplace.run("lock", workplace.spec(ONE_APPLICATION + toolkit), "--update", "harness")
    assert ran.code == 3
    assert "toolkit[../../x]: the lock names no file of the toolkit" in ran.err


def test_tag_of_an_image_is_locked(workplace: Workplace) -> None:
    with FakeRegistry() as registry:
        push(registry.host, "latest", TREE)
        spec = workplace.spec(f"images: ['{registry.host}/harness/delegate:latest']")
        ran = workplace.run("lock", spec, "--plain-http", registry.host)
    assert ran.code == 0, ran.err
    lock = BundleLock.parse(workplace.lock.read_text(), "lock")
    (found,) = lock.contents.images
    assert found.name == f"{registry.host}/harness/delegate:latest"
    assert found.root == TREE.root
    assert [(s.entry, s.source, s.digest) for s in lock.sources] == [
        ("images[0]", found.name, TREE.root.digest)
    ]


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        (404, 5, "not there"),
        (401, 6, "401"),
        (403, 6, "403"),
    ],
)
def test_image_that_cannot_be_had(
    workplace: Workplace, code: int, exit_code: int, said: str
) -> None:
    with FakeRegistry() as registry:
        registry.fail("HEAD", "/manifests/", 9, status(code))
        registry.fail("GET", "/manifests/", 9, status(code))
        spec = workplace.spec(f"images: ['{registry.host}/harness/delegate:1']")
        ran = workplace.run("lock", spec, "--plain-http", registry.host)
    assert ran.code == exit_code, ran.err
    assert "images[0]: " in ran.err
    assert said in ran.err
    assert not workplace.lock.exists()


def test_images_that_cannot_be_had_for_several_reasons(workplace: Workplace) -> None:
    """Neither is a mistake in the spec: no code says so."""
    with FakeRegistry() as registry:
        registry.fail("GET", "/closed/manifests/", 9, status(403))
        registry.fail("HEAD", "/closed/manifests/", 9, status(403))
        images = f"['{registry.host}/harness/closed:1', '{registry.host}/harness/none:1']"
        spec = workplace.spec(f"images: {images}")
        ran = workplace.run("lock", spec, "--plain-http", registry.host)
    assert ran.code == 11, ran.err
    assert "2 entries of the spec cannot be used" in ran.err


def test_registry_speaks_tls_unless_it_is_named(workplace: Workplace) -> None:
    with FakeRegistry() as registry:
        spec = workplace.spec(f"images: ['{registry.host}/harness/delegate:1']")
        ran = workplace.run("lock", spec, "--plain-http", "other.example")
    assert ran.code == 3
    assert "does not speak HTTPS" in ran.err


WRONG_SHA = "f" * 64


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (
            f"imageArchives: [{{path: downloads/platform_images.tgz, sha256: {WRONG_SHA}}}]",
            4,
            f"imageArchives[0]: downloads/platform_images.tgz: expected sha256:{WRONG_SHA}, found",
        ),
        (
            f"files: [{{name: f, path: downloads/configvalues.yaml, sha256: {WRONG_SHA}}}]",
            4,
            f"files[0]: downloads/configvalues.yaml: expected sha256:{WRONG_SHA}, found",
        ),
        ("imageArchives: [{path: nowhere.tgz}]", 5, "does not exist"),
        ("files: [{name: f, path: nowhere}]", 5, "files[0]: file"),
        ("files: [{name: f, path: downloads}]", 4, "not a plain file"),
        (
            "kots: {version: v1.131.4, archive: {path: downloads/harness.airgap}}",
            3,
            "kots.archive: harness.airgap: expected the KOTS admin console (kotsadm.tar.gz)",
        ),
        (
            "imageArchives: [{path: downloads/kotsadm.tar.gz}]",
            3,
            "kotsadm.tar.gz: expected a docker-save archive of images, found the KOTS admin",
        ),
        (
            "kots: {version: v1.130.0, archive: {path: downloads/kotsadm.tar.gz}}",
            3,
            "kotsadm.tar.gz: expected admin console v1.130.0, found v1.131.4",
        ),
        (
            ONE_APPLICATION.replace("slug: harness", "slug: other"),
            3,
            "harness.airgap: expected application other, found harness",
        ),
        (
            "imageArchives: [{path: downloads/configvalues.yaml}]",
            3,
            "not a gzip file",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    workplace: Workplace, body: str, code: int, said: str
) -> None:
    ran = workplace.run("lock", workplace.spec(body))
    assert ran.code == code, ran.err
    assert said in ran.err
    assert ran.out == ""
    assert not workplace.lock.exists()


def test_all_faults_are_told_at_once_and_the_old_lock_stays(workplace: Workplace) -> None:
    workplace.run("lock", workplace.spec(EVERYTHING))
    before = workplace.lock.read_bytes()
    cut = workplace.downloads / "harness-ng.airgap"
    cut.write_bytes(cut.read_bytes()[:-2])
    (workplace.downloads / "platform_images.tgz").write_bytes(b"")
    (workplace.downloads / "configvalues.yaml").unlink()
    body = EVERYTHING.replace("v1.131.4", "v1.0.0")
    ran = workplace.run("lock", workplace.spec(body), "--output", "json")
    assert ran.code == 4
    error = ran.json()["error"]
    assert error["message"] == "4 entries of the spec cannot be used"
    assert {fault["message"].partition(":")[0] for fault in error["faults"]} == {
        "files[0]",
        "kots.archive",
        "applications[1].releases[0].archive",
        "imageArchives[0]",
    }
    assert workplace.lock.read_bytes() == before


def test_version_without_its_v_is_the_same(workplace: Workplace) -> None:
    body = "kots: {version: '1.131.4', archive: {path: downloads/kotsadm.tar.gz}}"
    assert workplace.run("lock", workplace.spec(body)).code == 0


def test_same_release_twice_is_refused(workplace: Workplace) -> None:
    shutil.copy(workplace.downloads / "harness.airgap", workplace.downloads / "again.airgap")
    body = """
applications:
  - slug: harness
    releases:
      - archive: {path: downloads/harness.airgap}
      - archive: {path: downloads/again.airgap}
"""
    ran = workplace.run("lock", workplace.spec(body))
    assert ran.code == 3
    assert "again.airgap: is the same release as applications[0].releases[0].archive" in ran.err


def test_one_name_for_two_contents_is_refused(workplace: Workplace) -> None:
    write_module(workplace.downloads / "other.tgz", size=100_000)
    body = "imageArchives: [{path: downloads/platform_images.tgz}, {path: downloads/other.tgz}]"
    ran = workplace.run("lock", workplace.spec(body))
    assert ran.code == 8
    name = "harness/gateway:1.20.0"
    assert f"{name}: wanted by {name} of imageArchives[0] (sha256:" in ran.err
    assert f") and by {name} of imageArchives[1] (sha256:" in ran.err
    assert "carry the two in two bundles" in ran.err


def test_same_image_in_two_archives_is_fine(workplace: Workplace) -> None:
    shutil.copy(workplace.downloads / "platform_images.tgz", workplace.downloads / "again.tgz")
    body = "imageArchives: [{path: downloads/platform_images.tgz}, {path: downloads/again.tgz}]"
    assert workplace.run("lock", workplace.spec(body)).code == 0


def test_spec_that_cannot_be_read(workplace: Workplace) -> None:
    assert workplace.run("lock", workplace.folder / "nowhere.yaml").code == 5
    (workplace.folder / "latin.yaml").write_bytes(b"name: \xff")
    ran = workplace.run("lock", workplace.folder / "latin.yaml")
    assert ran.code == 3
    assert "latin.yaml: not text in UTF-8 (byte 6)" in ran.err
    assert workplace.run("lock", "").code == 9


def test_mistakes_in_the_spec_come_before_any_work(workplace: Workplace) -> None:
    ran = workplace.run("lock", workplace.spec(ONE_APPLICATION + "images: [UPPER]\nfile: []\n"))
    assert ran.code == 3
    assert "2 mistakes" in ran.err
    assert "reading" not in ran.err


def test_lock_says_who_said_each_digest(workplace: Workplace) -> None:
    sha256 = digest(workplace.downloads / "configvalues.yaml").encoded
    workplace.run(
        "lock",
        workplace.spec(
            f"""
files:
  - {{name: promised, path: downloads/configvalues.yaml, sha256: {sha256}}}
  - {{name: found, path: downloads/configvalues.yaml}}
"""
        ),
    )
    lock = BundleLock.parse(workplace.lock.read_text(), "lock")
    assert [source.evidence for source in lock.sources] == ["spec", "first use"]


def test_check_says_whether_the_lock_fits_the_spec_and_reads_nothing(workplace: Workplace) -> None:
    spec = workplace.spec(ONE_APPLICATION)
    ran = workplace.run("lock", spec, "--check")
    assert ran.code == 5
    assert f"{workplace.lock}: does not exist" in ran.err
    workplace.run("lock", spec)
    before = workplace.lock.read_bytes()
    shutil.rmtree(workplace.downloads)
    assert workplace.run("lock", spec, "--check").code == 0
    workplace.spec(EVERYTHING)
    ran = workplace.run("lock", spec, "--check")
    assert ran.code == 3
    assert "kots.archive: not in the lock" in ran.err
    assert "files[0]: not in the lock" in ran.err
    assert workplace.lock.read_bytes() == before


def test_update_takes_up_one_entry_and_reads_no_other(workplace: Workplace) -> None:
    spec = workplace.spec(EVERYTHING)
    workplace.run("lock", spec)
    before = BundleLock.parse(workplace.lock.read_text(), "lock")
    for path in workplace.downloads.iterdir():
        if path.name != "configvalues.yaml":
            path.unlink()
    values = workplace.downloads / "configvalues.yaml"
    values.write_bytes(b"hostname: other.example\n")
    ran = workplace.run("lock", spec, "--update", "configvalues.yaml")
    assert ran.code == 0, ran.err
    after = BundleLock.parse(workplace.lock.read_text(), "lock")
    assert after.contents.files[0].digest == digest(values)
    assert after.sources[:-1] == before.sources[:-1]
    assert after.sources[-1].digest == digest(values)
    assert after.contents.archives == before.contents.archives
    assert after.contents.plugins == before.contents.plugins


def test_update_takes_in_a_new_entry_and_lets_an_old_one_go(workplace: Workplace) -> None:
    workplace.run("lock", workplace.spec(ONE_APPLICATION))
    before = BundleLock.parse(workplace.lock.read_text(), "lock")
    spec = workplace.spec(
        ONE_APPLICATION + "imageArchives: [{path: downloads/platform_images.tgz}]"
    )
    ran = workplace.run("lock", spec, "--update", "imageArchives")
    assert ran.code == 0, ran.err
    after = BundleLock.parse(workplace.lock.read_text(), "lock")
    assert after.contents.archives[:1] == before.contents.archives
    assert len(after.contents.archives) == 2
    assert workplace.run("lock", spec, "--check").code == 0


@pytest.mark.parametrize("name", ["nothing", "applications[7]", "harness-ng"])
def test_update_of_what_the_spec_does_not_have_says_what_it_has(
    workplace: Workplace, name: str
) -> None:
    spec = workplace.spec(ONE_APPLICATION)
    workplace.run("lock", spec)
    ran = workplace.run("lock", spec, "--update", name)
    assert ran.code == 5
    assert f"--update {name}: the spec has no such entry" in ran.err
    assert "applications[0].releases[0].archive" in ran.err


def test_update_refuses_a_lock_that_differs_elsewhere(workplace: Workplace) -> None:
    workplace.run("lock", workplace.spec(ONE_APPLICATION))
    before = workplace.lock.read_bytes()
    spec = workplace.spec(EVERYTHING)
    ran = workplace.run("lock", spec, "--update", "files")
    assert ran.code == 3
    assert "kots.archive: not in the lock" in ran.err
    assert "files[0]: not in the lock" not in ran.err
    assert workplace.lock.read_bytes() == before


def test_check_and_update_exclude_each_other(workplace: Workplace) -> None:
    spec = workplace.spec(ONE_APPLICATION)
    assert workplace.run("lock", spec, "--check", "--update", "harness").code == 2
